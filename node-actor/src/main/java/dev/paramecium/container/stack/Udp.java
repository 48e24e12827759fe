package dev.paramecium.container.stack;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.container.process.SocketInfo;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TransparentUdpSocket;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Wire;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** UDP (RFC 768, RFC 1122 4.1). */
final class Udp implements Transport {

  private static final int MAX_PAYLOAD = 65535 - Headers.IPV4 - Headers.UDP;

  private final Context context;
  private final Routes routes;
  private final Ipv4 ipv4;
  private final Map<Integer, List<Socket>> byPort = new HashMap<>();
  private int open;

  Udp(Context context, Routes routes, Ipv4 ipv4) {
    this.context = context;
    this.routes = routes;
    this.ipv4 = ipv4;
  }

  UdpSocket bind(Ipv4Address local, int port, int mark, UdpHandler handler) throws SocketException {
    return open(local, port, mark, handler, null);
  }

  /** With IP_TRANSPARENT and IP_RECVORIGDSTADDR, on any address. */
  TransparentUdpSocket bindTransparent(int port, int mark, TransparentUdpSocket.Handler handler)
      throws SocketException {
    Socket socket = open(Ipv4Address.ANY, port, mark, (_, _, _) -> {}, handler);
    return new Transparent(socket);
  }

  private Socket open(
      Ipv4Address local,
      int port,
      int mark,
      UdpHandler handler,
      TransparentUdpSocket.@Nullable Handler transparent)
      throws SocketException {
    if (local.value() != 0
        && !routes.isLocal(local.value())
        && !routes.isBroadcast(local.value())) {
      throw new SocketException(
          SocketError.ADDRESS_NOT_AVAILABLE, local + " is not an address of this namespace");
    }
    int bound = port == 0 ? ephemeralPort(local) : port;
    if (port != 0 && isTaken(local, port)) {
      throw new SocketException(SocketError.ADDRESS_IN_USE, "UDP " + local + ":" + port);
    }
    SocketAddress address = new SocketAddress(local, bound);
    long cookie = context.hooks.newCookie();
    if (!context.hooks.mayBind(IpProtocol.UDP, cookie, address)) {
      throw new SocketException(SocketError.OPERATION_NOT_PERMITTED, "UDP " + address);
    }
    Socket socket = new Socket(address, cookie, mark, handler, transparent);
    byPort.computeIfAbsent(bound, _ -> new ArrayList<>(1)).add(socket);
    open++;
    return socket;
  }

  private int ephemeralPort(Ipv4Address local) throws SocketException {
    int start = context.random(Ports.COUNT);
    for (int i = 0; i < Ports.COUNT; i++) {
      int port = Ports.FIRST + (start + i) % Ports.COUNT;
      if (!isTaken(local, port)) {
        return port;
      }
    }
    throw new SocketException(
        SocketError.ADDRESS_IN_USE, "all UDP ports from 32768 to 60999 are taken");
  }

  /** An unspecified address conflicts with every other one on the same port. */
  private boolean isTaken(Ipv4Address local, int port) {
    for (Socket socket : byPort.getOrDefault(port, List.of())) {
      int other = socket.local.address().value();
      if (other == 0 || local.value() == 0 || other == local.value()) {
        return true;
      }
    }
    return false;
  }

  /** For {@code netstat}. */
  List<SocketInfo> infos() {
    List<SocketInfo> infos = new ArrayList<>();
    for (List<Socket> bound : byPort.values()) {
      for (Socket socket : bound) {
        infos.add(
            new SocketInfo(
                SocketInfo.Protocol.UDP, SocketInfo.State.CLOSE, socket.local, null, 0, 0));
      }
    }
    return infos;
  }

  @Override
  public void receive(Datagram in) {
    byte[] bytes = in.bytes;
    int at = in.payloadAt;
    if (in.payloadLength < Headers.UDP) {
      context.count(Counter.UDP_IN_ERRORS);
      return;
    }
    int length = Wire.u16(bytes, at + 4);
    if (length < Headers.UDP || length > in.payloadLength) {
      context.count(Counter.UDP_IN_ERRORS);
      return;
    }
    if (Wire.u16(bytes, at + 6) != 0) {
      long pseudo = Checksum.pseudoHeader(in.source, in.destination, IpProtocol.UDP, length);
      if (!Checksum.isValid(bytes, at, length, pseudo)) {
        context.count(Counter.UDP_IN_ERRORS);
        context.count(Counter.UDP_IN_CHECKSUM_ERRORS);
        return;
      }
    }
    int port = in.proxyPort == 0 ? Wire.u16(bytes, at + 2) : in.proxyPort;
    SocketAddress from = new SocketAddress(new Ipv4Address(in.source), Wire.u16(bytes, at));
    List<Socket> bound = byPort.get(port);
    if (in.broadcast && bound != null) {
      context.count(Counter.UDP_IN);
      for (Socket socket : List.copyOf(bound)) {
        if (socket.accepts(in.destination)) {
          socket.deliver(in.destination, from, bytes, at, length);
        }
      }
      return;
    }
    Socket socket = find(bound, in.proxyPort == 0 ? in.destination : Ipv4Address.ANY.value());
    if (socket != null && socket.transparent != null && in.proxyPort != 0) {
      context.count(Counter.UDP_IN);
      SocketAddress to =
          new SocketAddress(new Ipv4Address(in.destination), Wire.u16(bytes, at + 2));
      byte[] payload = Arrays.copyOfRange(bytes, at + Headers.UDP, at + length);
      socket.transparent.datagram(from, to, payload);
      return;
    }
    if (socket == null && in.proxyPort != 0) {
      return; // TPROXY drops what no proxy waits for
    }
    if (socket == null) {
      context.count(Counter.UDP_IN_NO_PORT);
      ipv4.icmp().sendError(in, IcmpError.DESTINATION_UNREACHABLE, IcmpError.PORT_UNREACHABLE, 0);
      return;
    }
    context.count(Counter.UDP_IN);
    socket.deliver(in.destination, from, bytes, at, length);
  }

  /** The socket bound to the address itself, else one bound to every address. */
  private static @Nullable Socket find(@Nullable List<Socket> bound, int address) {
    Socket any = null;
    if (bound != null) {
      for (Socket socket : bound) {
        int local = socket.local.address().value();
        if (local == address) {
          return socket;
        }
        if (local == 0) {
          any = socket;
        }
      }
    }
    return any;
  }

  @Override
  public void error(IcmpError error) {
    Datagram about = error.quoted();
    Socket socket = find(byPort.get(Wire.u16(about.bytes, about.payloadAt)), about.source);
    if (socket == null) {
      context.count(Counter.ICMP_IN_IGNORED);
      return;
    }
    int port = Wire.u16(about.bytes, about.payloadAt + 2);
    SocketAddress local = new SocketAddress(new Ipv4Address(about.source), socket.local.port());
    SocketAddress remote = new SocketAddress(new Ipv4Address(about.destination), port);
    // A process that had connected its socket would hear of the error on that socket alone; here it
    // knows the error by the address that it sent to.
    socket.handler.error(
        socket, context.hooks.recvmsg(socket.cookie, local, remote), error.socketError());
  }

  boolean isBound(int address, int port) {
    return find(byPort.get(port), address) != null;
  }

  int sockets() {
    return open;
  }

  void close() {
    byPort.clear();
    open = 0;
  }

  /** A bound socket. */
  private final class Socket implements UdpSocket {
    private final SocketAddress local;

    /** Its name on the whole node. */
    private final long cookie;

    /** SO_MARK; 0 for the namespace's own. */
    private final int mark;

    private final UdpHandler handler;
    private final TransparentUdpSocket.@Nullable Handler transparent;
    private boolean closed;

    Socket(
        SocketAddress local,
        long cookie,
        int mark,
        UdpHandler handler,
        TransparentUdpSocket.@Nullable Handler transparent) {
      this.local = local;
      this.cookie = cookie;
      this.mark = mark;
      this.handler = handler;
      this.transparent = transparent;
    }

    @Override
    public SocketAddress local() {
      return local;
    }

    boolean accepts(int destination) {
      return local.address().value() == 0 || local.address().value() == destination;
    }

    void deliver(int destination, SocketAddress source, byte[] bytes, int at, int length) {
      if (!closed) {
        SocketAddress to = new SocketAddress(new Ipv4Address(destination), local.port());
        SocketAddress from = context.hooks.recvmsg(cookie, to, source);
        handler.datagram(this, from, Arrays.copyOfRange(bytes, at + Headers.UDP, at + length));
      }
    }

    @Override
    public void send(SocketAddress asked, byte[] payload) throws SocketException {
      check(payload);
      context.tick();
      SocketAddress remote =
          context.hooks.sendmsg(cookie, source(routes.lookup(asked.address().value())), asked);
      Destination to = routes.lookup(remote.address().value());
      if (to == null) {
        throw new SocketException(
            SocketError.NETWORK_UNREACHABLE, "no route to " + remote.address());
      }
      int bound = local.address().value();
      int source = bound == 0 || routes.isBroadcast(bound) ? to.source : bound;
      transmit(
          to, new SocketAddress(new Ipv4Address(source), local.port()), remote.port(), payload);
    }

    private void check(byte[] payload) throws SocketException {
      if (closed) {
        throw new SocketException(SocketError.BROKEN_PIPE, "the socket is closed");
      }
      if (payload.length > MAX_PAYLOAD) {
        throw new SocketException(
            SocketError.MESSAGE_TOO_LONG,
            payload.length + " bytes: a datagram carries at most " + MAX_PAYLOAD);
      }
    }

    /** From whatever address. */
    void send(SocketAddress source, SocketAddress remote, byte[] payload) throws SocketException {
      check(payload);
      context.tick();
      Destination to = routes.lookup(remote.address().value());
      if (to == null) {
        throw new SocketException(
            SocketError.NETWORK_UNREACHABLE, "no route to " + remote.address());
      }
      transmit(to, source, remote.port(), payload);
    }

    /** What a datagram on this way would come from, unspecified if there is none. */
    private SocketAddress source(@Nullable Destination way) {
      return way == null || local.address().value() != 0
          ? local
          : new SocketAddress(new Ipv4Address(way.source), local.port());
    }

    private void transmit(Destination to, SocketAddress source, int remotePort, byte[] payload)
        throws SocketException {
      context.count(Counter.UDP_OUT);
      int length = Headers.UDP + payload.length;
      int from = source.address().value();
      if (Headers.IPV4 + length > to.mtu(context.now)) {
        byte[] datagram = new byte[length];
        write(datagram, 0, to, source, remotePort, payload);
        if (!ipv4.send(to, from, IpProtocol.UDP, Ipv4.DEFAULT_TTL, mark, datagram, length)) {
          throw noBuffer();
        }
        return;
      }
      SkBuff frame = context.take();
      if (frame == null) {
        throw noBuffer();
      }
      frame.length = Headers.ETHERNET + Headers.IPV4 + length;
      int at = frame.head + Headers.ETHERNET + Headers.IPV4;
      write(frame.bytes, at, to, source, remotePort, payload);
      ipv4.transmit(
          to, from, IpProtocol.UDP, Ipv4.DEFAULT_TTL, ipv4.identification(), 0, mark, frame);
    }

    private static SocketException noBuffer() {
      return new SocketException(SocketError.NO_BUFFER_SPACE, "the node's packet pool is empty");
    }

    private static void write(
        byte[] bytes, int at, Destination to, SocketAddress from, int remotePort, byte[] payload) {
      int length = Headers.UDP + payload.length;
      Wire.setU16(bytes, at, from.port());
      Wire.setU16(bytes, at + 2, remotePort);
      Wire.setU16(bytes, at + 4, length);
      Wire.setU16(bytes, at + 6, 0);
      System.arraycopy(payload, 0, bytes, at + Headers.UDP, payload.length);
      int source = from.address().value();
      long pseudo = Checksum.pseudoHeader(source, to.address, IpProtocol.UDP, length);
      int checksum = Checksum.finish(Checksum.sum(bytes, at, length) + pseudo);
      Wire.setU16(bytes, at + 6, checksum == 0 ? 0xffff : checksum);
    }

    @Override
    public void close() {
      List<Socket> bound = byPort.get(local.port());
      if (!closed && bound != null && bound.remove(this)) {
        open--;
        if (bound.isEmpty()) {
          byPort.remove(local.port());
        }
      }
      closed = true;
    }
  }

  /** A socket that answers in the name of those it was not. */
  private record Transparent(Socket socket) implements TransparentUdpSocket {

    @Override
    public void send(SocketAddress source, SocketAddress remote, byte[] payload)
        throws SocketException {
      socket.send(source, remote, payload);
    }

    @Override
    public void close() {
      socket.close();
    }
  }
}
