package dev.paramecium.container.process.dns;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.dns.DnsMessage.Question;
import dev.paramecium.container.process.dns.DnsRecord.Data;
import dev.paramecium.container.process.http.HttpServer;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.process.server.ServerStyles;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code coredns} with the Corefile that kubeadm writes: {@code errors, health, ready, kubernetes}
 * (pods insecure, fallthrough for reverse names), {@code forward . /etc/resolv.conf}, {@code
 * loadbalance}. Its zone is the file {@link #ZONE_FILE}, and is read again whenever that changes.
 *
 * <p>UDP and TCP on port 53, {@code /health} on 8080, {@code /ready} on 8181: ready once it has a
 * zone.
 */
public final class CoreDns implements Process {

  /** Where the zone lies in the container's files. */
  public static final String ZONE_FILE = "/etc/coredns/cluster.zone";

  private static final String PLAIN = "text/plain; charset=utf-8";
  private static final int BACKLOG = 128;
  private static final int HEALTH_PORT = 8080;
  private static final int READY_PORT = 8181;

  private final ProcessContext context;
  private @Nullable Zone zone;

  private CoreDns(ProcessContext context) {
    this.context = context;
  }

  public static Process start(ProcessContext context) {
    CoreDns server = new CoreDns(context);
    server.load();
    context.files().watch(ZONE_FILE, server::load);
    try {
      context.sockets().bindUdp(Ipv4Address.ANY, DnsMessage.PORT, new OverUdp(server));
      context.sockets().listen(Ipv4Address.ANY, DnsMessage.PORT, BACKLOG, _ -> new OverTcp(server));
      new HttpServer(
          context,
          HEALTH_PORT,
          ServerStyles.go(),
          exchange ->
              exchange.respond(
                  exchange.request().path().equals("/health")
                      ? Response.of(200, PLAIN, "OK")
                      : Response.of(404, PLAIN, "404 page not found\n")));
      new HttpServer(context, READY_PORT, ServerStyles.go(), server::ready);
    } catch (SocketException e) {
      context.printError("Listen: " + e.error().text().toLowerCase(Locale.ROOT) + "\n");
      context.exit(1);
      return server;
    }
    context.print(".:53\nCoreDNS-1.8.6\nlinux/amd64, go1.17.1, 13a9191\n");
    return server;
  }

  private void ready(dev.paramecium.container.process.http.Exchange exchange) {
    boolean asked = exchange.request().path().equals("/ready");
    exchange.respond(
        !asked
            ? Response.of(404, PLAIN, "404 page not found\n")
            : zone == null ? Response.of(503, PLAIN, "kubernetes") : Response.of(200, PLAIN, "OK"));
  }

  /** Reads the zone; one that cannot be read leaves the one before in force. */
  private void load() {
    byte[] text = context.files().read(ZONE_FILE);
    if (text == null) {
      return;
    }
    try {
      zone = Zone.parse(text);
    } catch (IllegalArgumentException e) {
      context.printError("[ERROR] plugin/file: " + ZONE_FILE + ": " + e.getMessage() + "\n");
    }
  }

  @Override
  public void signal(int number) {
    context.exit(number == Signals.SIGTERM ? 0 : Signals.exitCode(number));
  }

  // ---- questions

  /** Answers a message, now or later; what is no query is not answered. */
  private void serve(byte[] bytes, Consumer<DnsMessage> reply) {
    DnsMessage query = DnsMessage.parse(bytes);
    if (query == null || query.response()) {
      return;
    }
    if (query.opcode() != 0) {
      reply.accept(query.answer(DnsMessage.NOTIMP, false, List.of(), List.of()));
      return;
    }
    if (query.questions().size() != 1) {
      reply.accept(query.answer(DnsMessage.FORMERR, false, List.of(), List.of()));
      return;
    }
    Question question = query.questions().getFirst();
    Zone now = zone;
    DnsMessage own =
        now == null || question.dnsClass() != DnsMessage.CLASS_IN
            ? null
            : authoritative(now, query, question);
    if (own != null) {
      reply.accept(own);
    } else {
      forward(query, reply);
    }
  }

  /** The zone's answer; null if the name is not the zone's. */
  private @Nullable DnsMessage authoritative(Zone zone, DnsMessage query, Question question) {
    String name = question.name().toLowerCase(Locale.ROOT);
    List<DnsRecord> answers = new ArrayList<>();
    DnsRecord alias = collect(zone, name, question.type(), answers);
    if (alias != null && alias.data() instanceof Data.Pointer(int _, String target)) {
      // A name elsewhere is the client's to follow; coredns looks its own ones up.
      collect(zone, target, question.type(), answers);
    }
    if (!answers.isEmpty()) {
      shuffle(answers);
      return query.answer(DnsMessage.NOERROR, true, answers, targets(zone, answers));
    }
    if (!zone.covers(name)) {
      return null;
    }
    boolean exists = zone.exists(name) || zone.podByAddress(name) != null;
    return query.nothing(exists ? DnsMessage.NOERROR : DnsMessage.NXDOMAIN, zone.soa());
  }

  /** Adds a name's records of a type; answers its CNAME if that stands in for them. */
  private static @Nullable DnsRecord collect(
      Zone zone, String name, int type, List<DnsRecord> answers) {
    DnsRecord alias = null;
    for (DnsRecord record : zone.of(name)) {
      if (record.type() == type || type == DnsRecord.ANY) {
        answers.add(record);
      } else if (record.type() == DnsRecord.CNAME) {
        answers.add(record);
        alias = record;
      }
    }
    DnsRecord pod = zone.podByAddress(name);
    if (pod != null && (type == DnsRecord.A || type == DnsRecord.ANY)) {
      answers.add(pod);
    }
    return alias;
  }

  /** The addresses of what SRV records name. */
  private static List<DnsRecord> targets(Zone zone, List<DnsRecord> answers) {
    List<DnsRecord> addresses = new ArrayList<>();
    for (DnsRecord answer : answers) {
      if (answer.data() instanceof Data.Service service) {
        for (DnsRecord record : zone.of(service.target())) {
          if (record.type() == DnsRecord.A && !addresses.contains(record)) {
            addresses.add(record);
          }
        }
      }
    }
    return addresses;
  }

  /** {@code loadbalance}: addresses in random order; what comes before them stays there. */
  private void shuffle(List<DnsRecord> answers) {
    int first = 0;
    while (first < answers.size() && answers.get(first).type() == DnsRecord.CNAME) {
      first++;
    }
    for (int i = answers.size() - 1; i > first; i--) {
      int j = first + Math.floorMod(context.random().nextInt(), i - first + 1);
      DnsRecord one = answers.get(i);
      answers.set(i, answers.get(j));
      answers.set(j, one);
    }
  }

  /** {@code forward . /etc/resolv.conf}; where there is nobody to ask, nothing else has a name. */
  private void forward(DnsMessage query, Consumer<DnsMessage> reply) {
    ResolvConf upstream = ResolvConf.read(context.files());
    if (upstream.servers().isEmpty()) {
      reply.accept(query.answer(DnsMessage.NXDOMAIN, false, List.of(), List.of()));
      return;
    }
    Question question = query.questions().getFirst();
    DnsExchange.start(
        context.sockets(),
        context.random(),
        upstream,
        DnsMessage.query(0, question.name(), question.type()),
        outcome -> {
          DnsMessage answer = outcome.message();
          if (answer == null) {
            context.print(
                "[ERROR] plugin/errors: 2 "
                    + question.name()
                    + ". "
                    + question.type()
                    + ": read udp: i/o timeout\n");
            reply.accept(query.answer(DnsMessage.SERVFAIL, false, List.of(), List.of()));
          } else {
            reply.accept(
                query.answer(answer.responseCode(), false, answer.answers(), answer.additional()));
          }
        });
  }

  // ---- sockets

  private record OverUdp(CoreDns server) implements UdpHandler {

    @Override
    public void datagram(UdpSocket socket, SocketAddress from, byte[] payload) {
      DnsMessage query = DnsMessage.parse(payload);
      int limit = query == null ? DnsMessage.PLAIN_UDP_SIZE : query.udpSize();
      server.serve(
          payload,
          answer -> {
            byte[] whole = answer.encode();
            try {
              socket.send(from, whole.length <= limit ? whole : answer.truncate().encode());
            } catch (SocketException _) {
              // The client has no way back, and asks again if it still waits.
            }
          });
    }

    @Override
    public void error(UdpSocket socket, SocketAddress remote, SocketError error) {
      // A client that is gone.
    }
  }

  /** One client's connection; it closes when it has no more questions. */
  private static final class OverTcp implements TcpHandler {

    private final CoreDns server;
    private final TcpFraming framing = new TcpFraming();

    OverTcp(CoreDns server) {
      this.server = server;
    }

    @Override
    public void data(TcpConnection connection, byte[] bytes, int from, int count) {
      for (byte[] message : framing.received(bytes, from, count)) {
        server.serve(
            message,
            answer -> {
              byte[] framed = TcpFraming.frame(answer.encode());
              if (connection.write(framed, 0, framed.length) < framed.length) {
                connection.abort(); // the client does not read what it asked for
              }
            });
      }
    }

    @Override
    public void peerClosed(TcpConnection connection) {
      connection.close();
    }

    @Override
    public void failed(TcpConnection connection, SocketError error) {
      // A client that is gone.
    }
  }
}
