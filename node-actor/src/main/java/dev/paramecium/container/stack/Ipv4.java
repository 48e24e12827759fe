package dev.paramecium.container.stack;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Wire;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * IPv4 (RFC 791, RFC 1122): checks, local delivery, forwarding, fragments, and the loopback.
 *
 * <pre>
 *   receive --local--> reassembly --> Transport          send, transmit --> neighbours
 *           --other--> forward (TTL - 1) --> neighbours                 --> lo's backlog
 * </pre>
 */
final class Ipv4 {

  static final int DEFAULT_TTL = 64;

  /** Frames that may wait on lo; more are dropped and counted. */
  static final int LOOPBACK_BACKLOG = 8192;

  private static final int LOOPBACK = 1;

  /** MARK_MAGIC_TO_PROXY; the port is in the mark's upper half, in network order. */
  private static final int TO_PROXY = 0x0200;

  private static final int MAX_DATAGRAM = 65535;

  private final Context context;
  private final Routes routes;
  private final FrameSink sink;
  private final Neighbours neighbours;
  private final Reassembly reassembly;
  private final Icmp icmp;
  private final RawSockets raws;
  private final @Nullable Transport[] transports = new @Nullable Transport[256];
  private final Datagram datagram = new Datagram();
  private final Datagram whole = new Datagram();
  private final ArrayDeque<SkBuff> loopback = new ArrayDeque<>();
  private final Reassembly defragmentation;
  private RoutingObserver observer = (_, _, _) -> {};
  private boolean forwarding;
  private int outputMark;
  private @Nullable Masquerade masquerade;
  private boolean loopbackAttached;
  private boolean proxying;
  private int nextIdentification;

  Ipv4(Context context, Routes routes, FrameSink sink) {
    this.context = context;
    this.routes = routes;
    this.sink = sink;
    this.neighbours = new Neighbours(context, routes, sink, this::unreachable);
    this.icmp = new Icmp(context, routes, this);
    this.raws = new RawSockets(context, routes, this);
    this.reassembly = new Reassembly(context, this::reassemblyTimedOut);
    this.defragmentation = new Reassembly(context, this::reassemblyTimedOut);
    this.nextIdentification = context.random.nextInt();
    register(IpProtocol.ICMP, icmp);
  }

  Neighbours neighbours() {
    return neighbours;
  }

  Icmp icmp() {
    return icmp;
  }

  RawSockets raws() {
    return raws;
  }

  Reassembly reassembly() {
    return reassembly;
  }

  void register(int protocol, Transport transport) {
    transports[protocol] = transport;
  }

  @Nullable Transport transport(int protocol) {
    return transports[protocol];
  }

  void observeRouting(RoutingObserver next) {
    observer = next;
  }

  /** What is sent on lo goes to its device. */
  void attachLoopback() {
    loopbackAttached = true;
  }

  void setForwarding(boolean on) {
    forwarding = on;
  }

  /** The skb mark of every datagram that begins here. */
  void setOutputMark(int mark) {
    outputMark = mark;
  }

  /**
   * Installs the rules of a transparent proxy. With them cilium_host and cilium_net take packets
   * that have a local source ({@code net.ipv4.conf.cilium_host.accept_local}): the node's own way
   * to a proxy is around them.
   */
  void setProxying() {
    proxying = true;
  }

  /** Null to leave what is forwarded as it is. */
  void setMasquerade(@Nullable Masquerade rule) {
    masquerade = rule;
  }

  /**
   * Takes a frame with an IPv4 datagram.
   *
   * @return whether the frame went on and is no longer the caller's
   */
  boolean receive(NetDevice device, SkBuff frame, boolean linkBroadcast) {
    context.count(Counter.IP_IN);
    Datagram in = datagram;
    switch (in.parse(frame.bytes, frame.head + Headers.ETHERNET, frame.length - Headers.ETHERNET)) {
      case NONE -> {}
      case TRUNCATED -> {
        context.count(Counter.IP_IN_TRUNCATED);
        return false;
      }
      case HEADER -> {
        context.count(Counter.IP_IN_HEADER_ERRORS);
        return false;
      }
      case CHECKSUM -> {
        context.count(Counter.IP_IN_HEADER_ERRORS);
        context.count(Counter.IP_IN_CHECKSUM_ERRORS);
        return false;
      }
    }
    Masquerade rule = device.isLoopback() ? null : masquerade;
    if (rule == null) {
      return route(device, frame, in, linkBroadcast);
    }
    if (!in.isFragment()) {
      rule.prerouting(in);
      return route(device, frame, in, linkBroadcast);
    }
    // Whose connection a later fragment is of, only the whole datagram tells.
    byte[] complete = defragmentation.add(in);
    if (complete != null) {
      context.count(Counter.IP_REASSEMBLY_OK);
      if (whole.parse(complete, 0, complete.length) != Datagram.Fault.NONE) {
        throw new IllegalStateException("a datagram was put together wrongly");
      }
      whole.assembled = true;
      rule.prerouting(whole);
      route(device, frame, whole, linkBroadcast);
    }
    return false;
  }

  /**
   * To this host or on to another.
   *
   * @param frame that the datagram is in, or the last fragment of one that was put together
   * @return whether the frame went on and is no longer the caller's
   */
  private boolean route(NetDevice device, SkBuff frame, Datagram in, boolean linkBroadcast) {
    boolean manyHosts = Routes.isMulticast(in.destination) || routes.isBroadcast(in.destination);
    if (isMartian(device, in, manyHosts)) {
      context.count(Counter.IP_IN_MARTIAN);
      dropped(frame, "a source address that no host may have");
      return false;
    }
    in.gsoSize = frame.gsoSize;
    in.checksumVerified = frame.checksumVerified;
    in.broadcast = manyHosts || linkBroadcast;
    if (proxying && !in.broadcast && isProxied(in, frame)) {
      if (frame.traced) {
        observer.decided(frame, "delivered to the proxy", "");
      }
      deliver(in);
      return false;
    }
    if (manyHosts || routes.isLocal(in.destination)) {
      if (frame.traced) {
        observer.decided(frame, "delivered to the host", "");
      }
      deliver(in);
      return false;
    }
    if (!forwarding || linkBroadcast || device.isLoopback()) {
      context.count(Counter.IP_IN_ADDRESS_ERRORS);
      dropped(frame, "not for this host, and it forwards nothing");
      return false;
    }
    return forward(frame, in);
  }

  /**
   * {@code CILIUM_PRE_mangle}: what a program has marked for a proxy is given to its listener
   * (TPROXY), what belongs to one of the proxy's connections to that; routing rule 9 (fwmark 0x200,
   * table 2004) then makes both local.
   */
  private boolean isProxied(Datagram in, SkBuff frame) {
    Transport transport = transports[in.protocol];
    if (transport == null) {
      return false;
    }
    if ((frame.mark & 0xffff) == TO_PROXY && frame.mark >>> 16 != 0) {
      in.proxyPort = Short.reverseBytes((short) (frame.mark >>> 16)) & 0xffff;
      return true;
    }
    return !routes.isLocal(in.destination) && transport.holds(in);
  }

  /** Sources that no host may have, and destinations that may not come from outside. */
  private boolean isMartian(NetDevice device, Datagram in, boolean manyHosts) {
    int source = in.source;
    if (device.isLoopback()) {
      return false;
    }
    return routes.isLoopback(source)
        || routes.isLoopback(in.destination)
        || in.destination == 0
        || (source == 0 && !manyHosts)
        || Routes.isMulticast(source)
        || routes.isBroadcast(source)
        || (routes.isLocal(source) && !(proxying && device.noArp));
  }

  private void deliver(Datagram in) {
    if (in.isFragment()) {
      byte[] complete = reassembly.add(in);
      if (complete == null) {
        return;
      }
      context.count(Counter.IP_REASSEMBLY_OK);
      boolean broadcast = in.broadcast;
      int proxyPort = in.proxyPort;
      if (whole.parse(complete, 0, complete.length) != Datagram.Fault.NONE) {
        throw new IllegalStateException("a datagram was put together wrongly");
      }
      whole.broadcast = broadcast;
      whole.proxyPort = proxyPort;
      hand(whole);
    } else {
      hand(in);
    }
  }

  private void hand(Datagram in) {
    boolean taken = raws.receive(in);
    Transport transport = transports[in.protocol];
    if (transport == null && taken) {
      context.count(Counter.IP_IN_DELIVERS);
      return;
    }
    if (transport == null) {
      context.count(Counter.IP_IN_UNKNOWN_PROTOCOL);
      icmp.sendError(in, IcmpError.DESTINATION_UNREACHABLE, IcmpError.PROTOCOL_UNREACHABLE, 0);
      return;
    }
    context.count(Counter.IP_IN_DELIVERS);
    transport.receive(in);
  }

  private void dropped(SkBuff frame, String reason) {
    if (frame.traced) {
      observer.decided(frame, "dropped", reason);
    }
  }

  private boolean forward(SkBuff frame, Datagram in) {
    if (in.ttl <= 1) {
      context.count(Counter.IP_IN_TTL_EXCEEDED);
      dropped(frame, "TTL exceeded; the sender is told by ICMP");
      icmp.sendError(in, IcmpError.TIME_EXCEEDED, IcmpError.TTL_EXCEEDED, 0);
      return false;
    }
    Destination destination = routes.lookup(in.destination);
    if (destination == null) {
      context.count(Counter.IP_IN_NO_ROUTES);
      dropped(frame, "no route to its destination; the sender is told by ICMP");
      icmp.sendError(in, IcmpError.DESTINATION_UNREACHABLE, IcmpError.NET_UNREACHABLE, 0);
      return false;
    }
    int mtu = destination.mtu(context.now);
    int largest = in.largestPacket();
    if (largest > mtu && in.dontFragment()) {
      context.count(Counter.IP_FRAGMENT_FAILED);
      dropped(frame, "larger than the route's MTU; the sender is told by ICMP");
      icmp.sendError(in, IcmpError.DESTINATION_UNREACHABLE, IcmpError.FRAGMENTATION_NEEDED, mtu);
      return false;
    }
    if (frame.traced) {
      observer.decided(frame, "forwarded to " + destination.device.name(), "");
    }
    byte[] bytes = in.bytes;
    int at = in.at;
    bytes[at + 8]--;
    int checksum = Wire.u16(bytes, at + 10) + 0x100;
    Wire.setU16(bytes, at + 10, checksum + (checksum >>> 16));
    context.count(Counter.IP_FORWARDED);
    if (masquerade != null && !masquerade.postrouting(in, destination.device)) {
      dropped(frame, "no port is free to masquerade it with");
      return false;
    }
    if (largest > mtu) {
      fragment(destination, mtu, bytes, at, in.headerLength, in.totalLength, 0);
      return false;
    }
    if (in.assembled) {
      SkBuff copy = context.take();
      if (copy != null) {
        copy.length = Headers.ETHERNET + in.totalLength;
        System.arraycopy(bytes, at, copy.bytes, copy.head + Headers.ETHERNET, in.totalLength);
        neighbours.output(destination, copy);
      }
      return false;
    }
    frame.trim(Headers.ETHERNET + in.totalLength);
    frame.clearTunnelKey();
    neighbours.output(destination, frame);
    return true;
  }

  /**
   * Sends a payload, transport header first, in as many datagrams as the path needs. Answers false
   * if a buffer was missing.
   */
  boolean send(
      Destination destination, int source, int protocol, int ttl, byte[] payload, int count) {
    return send(destination, source, protocol, ttl, 0, payload, count);
  }

  /** As above, with the socket's SO_MARK; 0 for the namespace's own mark. */
  boolean send(
      Destination destination,
      int source,
      int protocol,
      int ttl,
      int mark,
      byte[] payload,
      int count) {
    int total = Headers.IPV4 + count;
    int mtu = destination.mtu(context.now);
    int identification = identification();
    if (total > mtu) {
      byte[] bytes = new byte[total];
      System.arraycopy(payload, 0, bytes, Headers.IPV4, count);
      header(bytes, 0, total, identification, 0, ttl, protocol, source, destination.address);
      context.count(Counter.IP_OUT);
      return fragment(
          destination, mtu, bytes, 0, Headers.IPV4, total, mark == 0 ? outputMark : mark);
    }
    SkBuff frame = context.take();
    if (frame == null) {
      return false;
    }
    frame.length = Headers.ETHERNET + total;
    System.arraycopy(payload, 0, frame.bytes, frame.head + Headers.ETHERNET + Headers.IPV4, count);
    transmit(destination, source, protocol, ttl, identification, 0, mark, frame);
    return true;
  }

  /** The next identification of a datagram that may be fragmented. */
  int identification() {
    return ++nextIdentification & 0xffff;
  }

  /**
   * Sends a frame whose payload stands behind room for the Ethernet and IPv4 headers; it fits the
   * path's MTU. The frame is given away.
   *
   * @param flags {@link Headers#DONT_FRAGMENT} or 0
   * @param mark SO_MARK of the socket; 0 for the namespace's own mark
   */
  void transmit(
      Destination destination,
      int source,
      int protocol,
      int ttl,
      int identification,
      int flags,
      int mark,
      SkBuff frame) {
    context.count(Counter.IP_OUT);
    header(
        frame.bytes,
        frame.head + Headers.ETHERNET,
        frame.length - Headers.ETHERNET,
        identification,
        flags,
        ttl,
        protocol,
        source,
        destination.address);
    frame.mark = mark == 0 ? outputMark : mark;
    output(destination, frame);
  }

  private void output(Destination destination, SkBuff frame) {
    if (!destination.local) {
      neighbours.output(destination, frame);
      return;
    }
    frame.setMac(0, 0);
    frame.setMac(6, 0);
    frame.setU16(12, EtherType.IPV4);
    frame.ifindex = LOOPBACK;
    if (loopbackAttached) {
      sink.transmit(LOOPBACK, frame);
    } else if (loopback.size() < LOOPBACK_BACKLOG) {
      loopback.add(frame);
    } else {
      context.count(Counter.DROP_LOOPBACK_FULL);
      context.release(frame);
    }
  }

  boolean hasLoopback() {
    return !loopback.isEmpty();
  }

  @Nullable SkBuff pollLoopback() {
    return loopback.poll();
  }

  int loopbackWaiting() {
    return loopback.size();
  }

  private static void header(
      byte[] bytes,
      int at,
      int total,
      int identification,
      int flagsAndOffset,
      int ttl,
      int protocol,
      int source,
      int destination) {
    Wire.setU16(bytes, at, 0x4500);
    Wire.setU16(bytes, at + 2, total);
    Wire.setU16(bytes, at + 4, identification);
    Wire.setU16(bytes, at + 6, flagsAndOffset);
    Wire.setU16(bytes, at + 8, ttl << 8 | protocol);
    Wire.setU16(bytes, at + 10, 0);
    Wire.setI32(bytes, at + 12, source);
    Wire.setI32(bytes, at + 16, destination);
    Wire.setU16(bytes, at + 10, Checksum.finish(Checksum.sum(bytes, at, Headers.IPV4)));
  }

  /** Sends a datagram in pieces (RFC 791, 3.2); only copied options are in all of them. */
  private boolean fragment(
      Destination destination,
      int mtu,
      byte[] bytes,
      int at,
      int headerLength,
      int total,
      int mark) {
    int before = Wire.u16(bytes, at + 6);
    int offset = before & Headers.FRAGMENT_OFFSET;
    boolean moreAfter = (before & Headers.MORE_FRAGMENTS) != 0;
    byte[] header = Arrays.copyOfRange(bytes, at, at + headerLength);
    int position = headerLength;
    while (position < total) {
      int room = mtu - header.length & ~7;
      int count = Math.min(room, total - position);
      boolean last = position + count == total;
      SkBuff frame = context.take();
      if (frame == null) {
        context.count(Counter.IP_FRAGMENT_FAILED);
        return false;
      }
      int ip = frame.head + Headers.ETHERNET;
      frame.length = Headers.ETHERNET + header.length + count;
      System.arraycopy(header, 0, frame.bytes, ip, header.length);
      System.arraycopy(bytes, at + position, frame.bytes, ip + header.length, count);
      int flags = last && !moreAfter ? 0 : Headers.MORE_FRAGMENTS;
      Wire.setU16(frame.bytes, ip + 2, header.length + count);
      Wire.setU16(frame.bytes, ip + 6, flags | offset + (position - headerLength) / 8);
      Wire.setU16(frame.bytes, ip + 10, 0);
      Wire.setU16(
          frame.bytes, ip + 10, Checksum.finish(Checksum.sum(frame.bytes, ip, header.length)));
      context.count(Counter.IP_FRAGMENTS_CREATED);
      frame.mark = mark;
      output(destination, frame);
      if (position == headerLength && headerLength > Headers.IPV4) {
        clearUncopiedOptions(header);
      }
      position += count;
    }
    context.count(Counter.IP_FRAGMENTED);
    return true;
  }

  /** Overwrites options without the copied flag with no-operations. */
  private static void clearUncopiedOptions(byte[] header) {
    int at = Headers.IPV4;
    while (at < header.length) {
      int option = Wire.u8(header, at);
      if (option == 0) {
        return;
      }
      int length = option == 1 ? 1 : at + 1 < header.length ? Wire.u8(header, at + 1) : 0;
      if (length < 1 || (option != 1 && length < 2) || at + length > header.length) {
        return;
      }
      if ((option & 0x80) == 0) {
        Arrays.fill(header, at, at + length, (byte) 1);
      }
      at += length;
    }
  }

  /** A next hop did not answer: as the kernel, tell our own sockets, or the sender by ICMP. */
  private void unreachable(SkBuff frame) {
    Datagram lost = new Datagram();
    int available = frame.length - Headers.ETHERNET;
    if (lost.parse(frame.bytes, frame.head + Headers.ETHERNET, available) == Datagram.Fault.NONE) {
      if (routes.isLocal(lost.source)) {
        Transport transport = transports[lost.protocol];
        if (transport != null && lost.payloadLength >= 8 && lost.fragmentOffset() == 0) {
          transport.error(
              new IcmpError(
                  lost.source,
                  IcmpError.DESTINATION_UNREACHABLE,
                  IcmpError.HOST_UNREACHABLE,
                  0,
                  lost));
        }
      } else {
        dropped(frame, "the next hop does not answer ARP; the sender is told by ICMP");
        icmp.sendError(lost, IcmpError.DESTINATION_UNREACHABLE, IcmpError.HOST_UNREACHABLE, 0);
      }
    }
    context.release(frame);
  }

  private void reassemblyTimedOut(byte[] firstPart) {
    Datagram first = new Datagram();
    Wire.setU16(firstPart, 2, Math.min(MAX_DATAGRAM, firstPart.length));
    Wire.setU16(firstPart, 10, 0);
    int header = (firstPart[0] & 0xf) * 4;
    Wire.setU16(firstPart, 10, Checksum.finish(Checksum.sum(firstPart, 0, header)));
    if (first.parse(firstPart, 0, firstPart.length) == Datagram.Fault.NONE) {
      icmp.sendError(first, IcmpError.TIME_EXCEEDED, IcmpError.REASSEMBLY_TIMEOUT, 0);
    }
  }

  void close() {
    for (SkBuff frame = loopback.poll(); frame != null; frame = loopback.poll()) {
      context.release(frame);
    }
    reassembly.close();
    defragmentation.close();
    neighbours.close();
  }
}
