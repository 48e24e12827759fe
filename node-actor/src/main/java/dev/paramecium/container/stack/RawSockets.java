package dev.paramecium.container.stack;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.RawSocket;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The raw sockets of a namespace (raw(7)): each gets its own copy of what comes. */
final class RawSockets {

  private static final int MAX_PAYLOAD = 65535 - Headers.IPV4;

  private final Context context;
  private final Routes routes;
  private final Ipv4 ipv4;
  private final List<Raw> open = new ArrayList<>();

  RawSockets(Context context, Routes routes, Ipv4 ipv4) {
    this.context = context;
    this.routes = routes;
    this.ipv4 = ipv4;
  }

  RawSocket open(int protocol, RawSocket.Handler handler) {
    Raw raw = new Raw(protocol, handler);
    open.add(raw);
    return raw;
  }

  int sockets() {
    return open.size();
  }

  void close() {
    open.clear();
  }

  /** Whether a socket took it: then nobody is told that the protocol is unknown here. */
  boolean receive(Datagram in) {
    boolean taken = false;
    for (int i = open.size() - 1; i >= 0; i--) {
      Raw raw = open.get(i);
      if (raw.protocol == in.protocol) {
        taken = true;
        raw.handler.datagram(
            new Ipv4Address(in.source),
            Arrays.copyOfRange(in.bytes, in.payloadAt, in.payloadAt + in.payloadLength));
      }
    }
    return taken;
  }

  private final class Raw implements RawSocket {

    private final int protocol;
    private final Handler handler;

    Raw(int protocol, Handler handler) {
      this.protocol = protocol;
      this.handler = handler;
    }

    @Override
    public void send(Ipv4Address destination, byte[] payload) throws SocketException {
      if (payload.length > MAX_PAYLOAD) {
        throw new SocketException(
            SocketError.MESSAGE_TOO_LONG,
            payload.length + " bytes: a datagram carries at most " + MAX_PAYLOAD);
      }
      context.tick();
      Destination to = routes.lookup(destination.value());
      if (to == null) {
        throw new SocketException(SocketError.NETWORK_UNREACHABLE, "no route to " + destination);
      }
      if (!ipv4.send(to, to.source, protocol, Ipv4.DEFAULT_TTL, payload, payload.length)) {
        throw new SocketException(SocketError.NO_BUFFER_SPACE, "the node's packet pool is empty");
      }
    }

    @Override
    public void close() {
      open.remove(this);
    }
  }
}
