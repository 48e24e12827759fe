package dev.paramecium.container.process;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.IcmpErrorText;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.RawSocket;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.nio.charset.StandardCharsets;

/** One packet that wants an answer, and what became of it. */
final class ProbedDestination implements TcpHandler, UdpHandler, PingHandler {

  static final String ANSWERED = "answered";
  static final String REFUSED = "refused";

  private static final int TTL = 64;
  private static final int DNS = 53;

  /** What agnhost's servers answer, and any that echoes. */
  private static final byte[] HOSTNAME = "hostname\n".getBytes(StandardCharsets.UTF_8);

  /** A query for the root's name servers (RFC 1035, 4.1): id, RD, one question. */
  private static final byte[] DNS_QUERY = {
    'p',
    'm',
    1,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0, // header
    0,
    0,
    2,
    0,
    1 // ".", NS, IN
  };

  /** How one can ask. */
  enum Protocol {
    TCP,
    UDP,
    SCTP,
    ICMP;

    static Protocol of(String name) {
      return switch (name) {
        case "tcp" -> TCP;
        case "udp" -> UDP;
        case "sctp" -> SCTP;
        case "icmp" -> ICMP;
        default ->
            throw new IllegalArgumentException(
                "protocol \"" + name + "\" is not known: use tcp, udp, sctp or icmp");
      };
    }
  }

  private final ProcessContext context;
  private final Protocol protocol;
  private final Ipv4Address address;
  private final int port;
  private final Runnable decided;
  private Runnable close = () -> {};
  private String outcome = "";

  /**
   * @param decided called once, when there is an outcome
   */
  ProbedDestination(
      ProcessContext context, Protocol protocol, Ipv4Address address, int port, Runnable decided) {
    this.context = context;
    this.protocol = protocol;
    this.address = address;
    this.port = port;
    this.decided = decided;
  }

  /** {@link #ANSWERED}, {@link #REFUSED}, or why there was no answer; empty until decided. */
  String outcome() {
    return outcome;
  }

  void send() throws SocketException {
    switch (protocol) {
      case TCP -> {
        TcpConnection connection =
            context.sockets().connect(new SocketAddress(address, port), this);
        close = connection::close;
      }
      case UDP -> {
        UdpSocket udp = context.sockets().bindUdp(Ipv4Address.ANY, 0, this);
        close = udp::close;
        udp.send(new SocketAddress(address, port), port == DNS ? DNS_QUERY : HOSTNAME);
      }
      case SCTP -> {
        int tag = context.random().nextInt() | 1;
        int sourcePort = 49152 | tag >>> 18;
        RawSocket raw =
            context
                .sockets()
                .openRaw(
                    IpProtocol.SCTP,
                    (from, payload) -> {
                      if (from.equals(address) && SctpInit.isAnswer(payload, sourcePort, port)) {
                        decide(ANSWERED);
                      }
                    });
        close = raw::close;
        raw.send(address, SctpInit.packet(sourcePort, port, tag));
      }
      case ICMP -> {
        PingSocket ping = context.sockets().openPing(this);
        close = ping::close;
        ping.send(address, 1, TTL, new byte[56]);
      }
    }
  }

  /** The first outcome counts. */
  void decide(String what) {
    if (outcome.isEmpty()) {
      outcome = what;
      close.run();
      decided.run();
    }
  }

  private void failed(SocketError error) {
    decide(error == SocketError.CONNECTION_REFUSED ? REFUSED : error.text());
  }

  @Override
  public void connected(TcpConnection made) {
    decide(ANSWERED);
  }

  @Override
  public void data(TcpConnection made, byte[] bytes, int from, int count) {
    // The handshake was the answer; what a server says first is not read.
  }

  @Override
  public void peerClosed(TcpConnection made) {
    decide(ANSWERED);
  }

  @Override
  public void failed(TcpConnection made, SocketError error) {
    failed(error);
  }

  @Override
  public void datagram(UdpSocket socket, SocketAddress from, byte[] payload) {
    decide(ANSWERED);
  }

  @Override
  public void error(UdpSocket socket, SocketAddress remote, SocketError error) {
    failed(error);
  }

  @Override
  public void reply(Ipv4Address from, int sequence, int ttl, byte[] payload) {
    decide(ANSWERED);
  }

  @Override
  public void error(Ipv4Address from, int type, int code, int sequence) {
    decide(IcmpErrorText.of(type, code) + ", says " + from);
  }
}
