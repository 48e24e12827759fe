package dev.paramecium.container.stack;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Wire;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** ICMP (RFC 792, RFC 1122 3.2.2): echo, errors in both directions, ping sockets. */
final class Icmp implements Transport {

  private static final int ECHO_REPLY = 0;
  private static final int ECHO_REQUEST = 8;

  /** An error quotes what fits into a datagram of this size (RFC 1812, 4.3.2.3). */
  private static final int MAX_ERROR = 576;

  /** net.ipv4.icmp_ratelimit: one error a second to one destination, in bursts of six. */
  private static final long RATE_LIMIT = Context.SECOND;

  private static final int RATE_BURST = 6;

  /** net.ipv4.icmp_msgs_per_sec and icmp_msgs_burst: over all destinations. */
  private static final long GLOBAL_INTERVAL = Context.SECOND / 1000;

  private static final int GLOBAL_BURST = 50;

  /** RFC 1191, 7.1: sizes to fall back to when a router does not say its MTU. */
  private static final int[] PLATEAUS = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

  private final Context context;
  private final Routes routes;
  private final Ipv4 ipv4;
  private final Datagram quoted = new Datagram();
  private final Map<Integer, Ping> pings = new HashMap<>();
  private long globalTokens = GLOBAL_BURST * GLOBAL_INTERVAL;
  private long globalTokensAt;

  Icmp(Context context, Routes routes, Ipv4 ipv4) {
    this.context = context;
    this.routes = routes;
    this.ipv4 = ipv4;
    this.globalTokensAt = context.now;
  }

  @Override
  public void receive(Datagram in) {
    context.count(Counter.ICMP_IN);
    byte[] bytes = in.bytes;
    int at = in.payloadAt;
    if (in.payloadLength < Headers.ICMP) {
      context.count(Counter.ICMP_IN_ERRORS);
      return;
    }
    if (!Checksum.isValid(bytes, at, in.payloadLength, 0)) {
      context.count(Counter.ICMP_IN_CHECKSUM_ERRORS);
      return;
    }
    int type = Wire.u8(bytes, at);
    int code = Wire.u8(bytes, at + 1);
    switch (type) {
      case ECHO_REQUEST -> echo(in);
      case ECHO_REPLY -> reply(in);
      case IcmpError.DESTINATION_UNREACHABLE,
          IcmpError.TIME_EXCEEDED,
          IcmpError.PARAMETER_PROBLEM ->
          error(in, type, code);
      default -> context.count(Counter.ICMP_IN_IGNORED);
    }
  }

  private void echo(Datagram in) {
    Destination back = routes.lookup(in.source);
    if (in.broadcast || back == null || back.broadcast) {
      context.count(Counter.ICMP_IN_IGNORED);
      return;
    }
    byte[] message = Arrays.copyOfRange(in.bytes, in.payloadAt, in.payloadAt + in.payloadLength);
    message[0] = ECHO_REPLY;
    send(back, in.destination, Ipv4.DEFAULT_TTL, message);
  }

  private void reply(Datagram in) {
    Ping ping = pings.get(Wire.u16(in.bytes, in.payloadAt + 4));
    if (ping == null) {
      context.count(Counter.ICMP_IN_IGNORED);
      return;
    }
    int data = in.payloadAt + Headers.ICMP;
    ping.handler.reply(
        new Ipv4Address(in.source),
        Wire.u16(in.bytes, in.payloadAt + 6),
        in.ttl,
        Arrays.copyOfRange(in.bytes, data, in.payloadAt + in.payloadLength));
  }

  private void error(Datagram in, int type, int code) {
    int at = in.payloadAt + Headers.ICMP;
    if (!quoted.parseQuoted(in.bytes, at, in.payloadLength - Headers.ICMP)
        || !routes.isLocal(quoted.source)
        || quoted.fragmentOffset() != 0) {
      context.count(Counter.ICMP_IN_ERRORS);
      return;
    }
    Transport transport = ipv4.transport(quoted.protocol);
    if (transport == null) {
      context.count(Counter.ICMP_IN_IGNORED);
      return;
    }
    int info = Wire.i32(in.bytes, in.payloadAt + 4);
    IcmpError error = new IcmpError(in.source, type, code, info, quoted);
    if (error.isFragmentationNeeded() && quoted.protocol != IpProtocol.TCP) {
      learnPathMtu(error);
    }
    transport.error(error);
  }

  /** Lowers the path MTU to what a router said; answers whether it was higher before. */
  boolean learnPathMtu(IcmpError error) {
    Destination destination = routes.lookup(error.quoted().destination);
    if (destination == null) {
      return false;
    }
    int mtu = error.info() & 0xffff;
    if (mtu == 0) {
      int sent = Wire.u16(error.quoted().bytes, error.quoted().at + 2);
      mtu = 68;
      for (int plateau : PLATEAUS) {
        if (plateau < sent) {
          mtu = plateau;
          break;
        }
      }
    }
    return destination.lowerPathMtu(mtu, context.now);
  }

  /** An error about an echo request of a ping socket. */
  @Override
  public void error(IcmpError error) {
    Datagram about = error.quoted();
    Ping ping = pings.get(Wire.u16(about.bytes, about.payloadAt + 4));
    if (Wire.u8(about.bytes, about.payloadAt) != ECHO_REQUEST || ping == null) {
      context.count(Counter.ICMP_IN_IGNORED);
      return;
    }
    ping.handler.error(
        new Ipv4Address(error.from()),
        error.type(),
        error.code(),
        Wire.u16(about.bytes, about.payloadAt + 6));
  }

  /**
   * Sends an error about a datagram, unless RFC 1122, 3.2.2 forbids it or too many were sent.
   *
   * @param info the message's second word
   */
  void sendError(Datagram about, int type, int code, int info) {
    if (about.broadcast
        || about.fragmentOffset() != 0
        || about.source == 0
        || (routes.isLoopback(about.source) && !routes.isLocal(about.destination))
        || Routes.isMulticast(about.source)
        || Routes.isMulticast(about.destination)
        || routes.isBroadcast(about.source)
        || isError(about)) {
      return;
    }
    Destination back = routes.lookup(about.source);
    if (back == null) {
      return;
    }
    boolean limited =
        type != IcmpError.DESTINATION_UNREACHABLE || code != IcmpError.FRAGMENTATION_NEEDED;
    if (limited && !back.local && !allow(back)) {
      context.count(Counter.ICMP_OUT_RATE_LIMITED);
      return;
    }
    int quote = Math.min(about.totalLength, MAX_ERROR - Headers.IPV4 - Headers.ICMP);
    byte[] message = new byte[Headers.ICMP + quote];
    message[0] = (byte) type;
    message[1] = (byte) code;
    Wire.setI32(message, 4, info);
    System.arraycopy(about.bytes, about.at, message, Headers.ICMP, quote);
    int source = routes.isLocal(about.destination) ? about.destination : back.source;
    send(back, source, Ipv4.DEFAULT_TTL, message);
  }

  private static boolean isError(Datagram about) {
    if (about.protocol != IpProtocol.ICMP) {
      return false;
    }
    if (about.payloadLength < 1) {
      return true;
    }
    int type = Wire.u8(about.bytes, about.payloadAt);
    return type != ECHO_REQUEST && type != ECHO_REPLY && type != 13 && type != 14;
  }

  private boolean allow(Destination to) {
    long now = context.now;
    globalTokens = Math.min(GLOBAL_BURST * GLOBAL_INTERVAL, globalTokens + (now - globalTokensAt));
    globalTokensAt = now;
    if (globalTokens < GLOBAL_INTERVAL) {
      return false;
    }
    long elapsed = to.icmpTokensAt == 0 ? RATE_BURST * RATE_LIMIT : now - to.icmpTokensAt;
    to.icmpTokens = Math.min(RATE_BURST * RATE_LIMIT, to.icmpTokens + elapsed);
    to.icmpTokensAt = now;
    if (to.icmpTokens < RATE_LIMIT) {
      return false;
    }
    to.icmpTokens -= RATE_LIMIT;
    globalTokens -= GLOBAL_INTERVAL;
    return true;
  }

  private boolean send(Destination to, int source, int ttl, byte[] message) {
    Wire.setU16(message, 2, 0);
    Wire.setU16(message, 2, Checksum.finish(Checksum.sum(message, 0, message.length)));
    context.count(Counter.ICMP_OUT);
    return ipv4.send(to, source, IpProtocol.ICMP, ttl, message, message.length);
  }

  PingSocket open(PingHandler handler) throws SocketException {
    if (pings.size() > 60_000) {
      throw new SocketException(SocketError.NO_BUFFER_SPACE, "all ping identifiers are in use");
    }
    int identifier = 1 + context.random(0xffff);
    while (pings.containsKey(identifier)) {
      identifier = identifier % 0xffff + 1;
    }
    Ping ping = new Ping(identifier, handler);
    pings.put(identifier, ping);
    return ping;
  }

  int sockets() {
    return pings.size();
  }

  void close() {
    pings.clear();
  }

  /** A ping socket. */
  private final class Ping implements PingSocket {
    private final int identifier;
    private final PingHandler handler;

    Ping(int identifier, PingHandler handler) {
      this.identifier = identifier;
      this.handler = handler;
    }

    @Override
    public int identifier() {
      return identifier;
    }

    @Override
    public void send(Ipv4Address destination, int sequence, int ttl, byte[] payload)
        throws SocketException {
      if (payload.length > 65535 - Headers.IPV4 - Headers.ICMP) {
        throw new SocketException(
            SocketError.MESSAGE_TOO_LONG,
            payload.length + " bytes: an echo request carries at most 65507");
      }
      context.tick();
      Destination to = routes.lookup(destination.value());
      if (to == null) {
        throw new SocketException(SocketError.NETWORK_UNREACHABLE, "no route to " + destination);
      }
      byte[] message = new byte[Headers.ICMP + payload.length];
      message[0] = ECHO_REQUEST;
      Wire.setU16(message, 4, identifier);
      Wire.setU16(message, 6, sequence);
      System.arraycopy(payload, 0, message, Headers.ICMP, payload.length);
      if (!Icmp.this.send(to, to.source, ttl, message)) {
        throw new SocketException(SocketError.NO_BUFFER_SPACE, "the node's packet pool is empty");
      }
    }

    @Override
    public void close() {
      pings.remove(identifier, this);
    }
  }
}
