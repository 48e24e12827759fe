package dev.paramecium.container.proxy;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.dns.DnsMessage;
import dev.paramecium.container.process.dns.DnsRecord;
import dev.paramecium.container.process.dns.TcpFraming;
import dev.paramecium.container.proxy.LogRecord.Verdict;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.TcpListener;
import dev.paramecium.container.socket.TransparentUdpSocket;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The DNS proxy (Cilium {@code pkg/fqdn/dnsproxy}): a question that the rules allow goes on to the
 * server that was asked, in the endpoint's name, over the protocol that it came with; another is
 * refused. Messages are passed on as they are but for the id, which is chosen anew.
 */
final class DnsProxy {

  private static final int BACKLOG = 128;

  /** {@code ProxyForwardTimeout}. */
  private static final long FORWARD_TIMEOUT_MS = 10_000;

  private static final int HEADER = 12;

  private final ProxyServices services;
  private final Supplier<PolicyTable> policies;
  private final DnsAnswers answers;
  private @Nullable TransparentUdpSocket udp;
  private @Nullable TcpListener tcp;

  DnsProxy(ProxyServices services, Supplier<PolicyTable> policies, DnsAnswers answers) {
    this.services = services;
    this.policies = policies;
    this.answers = answers;
  }

  void open(int port) throws SocketException {
    int mark = Marks.ofListener(false);
    tcp = services.transparent().listenTransparent(port, BACKLOG, mark, _ -> new OverTcp());
    udp =
        services
            .transparent()
            .bindTransparent(
                port,
                mark,
                (from, to, payload) ->
                    new Query(IpProtocol.UDP, from, to, bytes -> respond(to, from, bytes))
                        .ask(payload));
  }

  void close() {
    if (tcp != null) {
      tcp.close();
    }
    if (udp != null) {
      udp.close();
    }
  }

  private void respond(SocketAddress server, SocketAddress client, byte[] answer) {
    try {
      if (udp != null) {
        udp.send(server, client, answer);
      }
    } catch (SocketException _) {
      // As any datagram may be: it is lost, and the client asks again.
    }
  }

  /** A client's connection. */
  private final class OverTcp implements TcpHandler {

    private final TcpFraming framing = new TcpFraming();

    @Override
    public void data(TcpConnection from, byte[] bytes, int offset, int count) {
      for (byte[] message : framing.received(bytes, offset, count)) {
        new Query(
                IpProtocol.TCP,
                from.remote(),
                from.local(),
                answer -> {
                  byte[] framed = TcpFraming.frame(answer);
                  from.write(framed, 0, framed.length);
                })
            .ask(message);
      }
    }

    @Override
    public void peerClosed(TcpConnection from) {
      from.close();
    }

    @Override
    public void failed(TcpConnection from, SocketError error) {}
  }

  /** One question on its way. */
  private final class Query implements UdpHandler, TcpHandler {

    private final int protocol;
    private final SocketAddress client;
    private final SocketAddress server;
    private final Consumer<byte[]> reply;
    private final TcpFraming framing = new TcpFraming();
    private int id;
    private byte[] question = {};
    private @Nullable DnsMessage asked;
    private int endpointId;
    private @Nullable UdpSocket socket;
    private @Nullable TcpConnection connection;
    private Sockets.@Nullable Timer timeout;

    Query(int protocol, SocketAddress client, SocketAddress server, Consumer<byte[]> reply) {
      this.protocol = protocol;
      this.client = client;
      this.server = server;
      this.reply = reply;
    }

    void ask(byte[] message) {
      DnsMessage parsed = DnsMessage.parse(message);
      if (parsed == null || parsed.response() || parsed.questions().isEmpty()) {
        return; // nothing that could be answered
      }
      asked = parsed;
      question = message.clone();
      id = parsed.id();
      PolicyTable.Endpoint endpoint = policies.get().of(client.address().value());
      int to = services.identities().applyAsInt(server.address().value());
      endpointId = endpoint == null ? 0 : endpoint.id();
      if (endpoint == null
          || !endpoint.allowsName(to, server.port(), protocol, qualified(parsed))) {
        log(LogRecord.Type.REQUEST, Verdict.DENIED, parsed);
        reply.accept(parsed.answer(DnsMessage.REFUSED, false, List.of(), List.of()).encode());
        return;
      }
      log(LogRecord.Type.REQUEST, Verdict.FORWARDED, parsed);
      forward();
    }

    private void forward() {
      int other = services.random().nextInt() & 0xffff;
      question[0] = (byte) (other >>> 8);
      question[1] = (byte) other;
      int source = services.identities().applyAsInt(client.address().value());
      int mark = Marks.inNameOf(source, false);
      try {
        if (protocol == IpProtocol.UDP) {
          UdpSocket open = services.transparent().bindMarked(mark, this);
          socket = open;
          open.send(server, question);
        } else {
          connection = services.transparent().connectMarked(server, mark, this);
        }
        timeout = services.sockets().schedule(FORWARD_TIMEOUT_MS, this::close);
      } catch (SocketException _) {
        refuse();
      }
    }

    private void refuse() {
      close();
      DnsMessage parsed = asked;
      if (parsed != null) {
        log(LogRecord.Type.REQUEST, Verdict.ERROR, parsed);
        reply.accept(parsed.answer(DnsMessage.REFUSED, false, List.of(), List.of()).encode());
      }
    }

    private void close() {
      if (timeout != null) {
        timeout.cancel();
        timeout = null;
      }
      if (socket != null) {
        socket.close();
        socket = null;
      }
      if (connection != null) {
        connection.close();
        connection = null;
      }
    }

    private void answered(byte[] bytes) {
      DnsMessage message = DnsMessage.parse(bytes);
      if (message == null || !message.response() || bytes.length < HEADER) {
        return;
      }
      if (bytes[0] != question[0] || bytes[1] != question[1]) {
        return; // the answer to another question
      }
      close();
      log(LogRecord.Type.RESPONSE, Verdict.FORWARDED, message);
      byte[] answer = bytes.clone();
      answer[0] = (byte) (id >>> 8);
      answer[1] = (byte) id;
      Names names = new Names(message);
      if (names.addresses.isEmpty()) {
        reply.accept(answer);
      } else {
        answers.heard(
            new DnsAnswers.Answer(
                endpointId, qualified(message), List.copyOf(names.addresses), names.ttl),
            () -> reply.accept(answer));
      }
    }

    @Override
    public void datagram(UdpSocket from, SocketAddress remote, byte[] payload) {
      if (remote.equals(server)) {
        answered(payload);
      }
    }

    @Override
    public void error(UdpSocket from, SocketAddress remote, SocketError error) {
      refuse();
    }

    @Override
    public void connected(TcpConnection made) {
      byte[] framed = TcpFraming.frame(question);
      made.write(framed, 0, framed.length);
    }

    @Override
    public void data(TcpConnection from, byte[] bytes, int offset, int count) {
      framing.received(bytes, offset, count).forEach(this::answered);
    }

    @Override
    public void peerClosed(TcpConnection from) {
      if (connection == from) {
        refuse();
      }
    }

    @Override
    public void failed(TcpConnection from, SocketError error) {
      if (connection == from) {
        connection = null;
        refuse();
      }
    }

    private void log(LogRecord.Type type, Verdict verdict, DnsMessage message) {
      Names names = new Names(message);
      services
          .log()
          .accept(
              new LogRecord(
                  services.clock().epochMs(),
                  type,
                  verdict,
                  false,
                  peer(client),
                  peer(server),
                  null,
                  new LogRecord.Dns(
                      qualified(message),
                      DnsRecord.typeName(message.questions().getFirst().type()),
                      message.responseCode(),
                      names.addresses,
                      names.ttl,
                      names.canonical)));
    }

    private LogRecord.Peer peer(SocketAddress address) {
      PolicyTable.Endpoint endpoint = policies.get().of(address.address().value());
      return new LogRecord.Peer(
          address,
          endpoint == null ? 0 : endpoint.id(),
          services.identities().applyAsInt(address.address().value()));
    }
  }

  private static String qualified(DnsMessage message) {
    String name = message.questions().isEmpty() ? "" : message.questions().getFirst().name();
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower : lower + ".";
  }

  /** What an answer says of the name that was asked for, a chain of CNAMEs followed. */
  private static final class Names {

    private final List<Ipv4Address> addresses = new ArrayList<>();
    private final List<String> canonical = new ArrayList<>();
    private long ttl;

    Names(DnsMessage message) {
      long smallest = Long.MAX_VALUE;
      for (DnsRecord record : message.answers()) {
        switch (record.data()) {
          case DnsRecord.Data.Address(Ipv4Address address) -> addresses.add(address);
          case DnsRecord.Data.Pointer(int type, String target) when type == DnsRecord.CNAME ->
              canonical.add(target + ".");
          default -> {
            continue;
          }
        }
        smallest = Math.min(smallest, Integer.toUnsignedLong(record.ttl()));
      }
      ttl = smallest == Long.MAX_VALUE ? 0 : smallest;
    }
  }
}
