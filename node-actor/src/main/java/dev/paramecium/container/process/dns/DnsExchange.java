package dev.paramecium.container.process.dns;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One question on its way: over UDP to each server in turn until one answers, over TCP when the
 * answer was truncated. The port is the kernel's choice and the id is random, for each attempt
 * anew.
 */
public final class DnsExchange implements UdpHandler, TcpHandler {

  /**
   * What became of it.
   *
   * @param message null if no server answered
   * @param server who answered, or was asked last
   */
  public record Outcome(@Nullable DnsMessage message, Ipv4Address server) {}

  private final Sockets sockets;
  private final RandomSource random;
  private final ResolvConf servers;
  private final DnsMessage question;
  private final Consumer<Outcome> done;
  private final TcpFraming framing = new TcpFraming();
  private int attempt = -1;
  private DnsMessage sent;
  private @Nullable UdpSocket socket;
  private @Nullable TcpConnection connection;
  private Sockets.@Nullable Timer timeout;

  private DnsExchange(
      Sockets sockets,
      RandomSource random,
      ResolvConf servers,
      DnsMessage question,
      Consumer<Outcome> done) {
    this.sockets = sockets;
    this.random = random;
    this.servers = servers;
    this.question = question;
    this.sent = question;
    this.done = done;
  }

  /**
   * Asks; {@code done} hears once, maybe before this returns.
   *
   * @param servers with at least one server
   */
  public static void start(
      Sockets sockets,
      RandomSource random,
      ResolvConf servers,
      DnsMessage question,
      Consumer<Outcome> done) {
    new DnsExchange(sockets, random, servers, question, done).next();
  }

  private Ipv4Address server() {
    List<Ipv4Address> all = servers.servers();
    return all.get(Math.floorMod(attempt, all.size()));
  }

  private void next() {
    close();
    attempt++;
    if (attempt >= servers.attempts() * servers.servers().size()) {
      attempt--;
      done.accept(new Outcome(null, server()));
      return;
    }
    sent = question.withId(random.nextInt() & 0xffff);
    try {
      UdpSocket open = sockets.bindUdp(Ipv4Address.ANY, 0, this);
      socket = open;
      open.send(new SocketAddress(server(), DnsMessage.PORT), sent.encode());
      timeout = sockets.schedule(servers.timeoutMs(), this::next);
    } catch (SocketException _) {
      next();
    }
  }

  private void overTcp() {
    close();
    try {
      connection = sockets.connect(new SocketAddress(server(), DnsMessage.PORT), this);
      timeout = sockets.schedule(servers.timeoutMs(), this::next);
    } catch (SocketException _) {
      next();
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
      connection.abort();
      connection = null;
    }
  }

  /** Whether bytes are the answer to what was sent last. */
  private @Nullable DnsMessage answer(byte[] bytes) {
    DnsMessage message = DnsMessage.parse(bytes);
    return message != null && message.response() && message.id() == sent.id() ? message : null;
  }

  private void finish(DnsMessage message) {
    close();
    done.accept(new Outcome(message, server()));
  }

  @Override
  public void datagram(UdpSocket from, SocketAddress remote, byte[] payload) {
    DnsMessage message = answer(payload);
    if (message == null || !remote.equals(new SocketAddress(server(), DnsMessage.PORT))) {
      return; // not from whom was asked, or not what was asked
    }
    if (message.truncated()) {
      overTcp();
    } else {
      finish(message);
    }
  }

  @Override
  public void error(UdpSocket from, SocketAddress remote, SocketError error) {
    next();
  }

  @Override
  public void connected(TcpConnection made) {
    byte[] framed = TcpFraming.frame(sent.encode());
    made.write(framed, 0, framed.length); // a query is smaller than any send buffer
  }

  @Override
  public void data(TcpConnection from, byte[] bytes, int offset, int count) {
    for (byte[] message : framing.received(bytes, offset, count)) {
      DnsMessage answer = answer(message);
      if (answer != null) {
        finish(answer);
        return;
      }
    }
  }

  @Override
  public void peerClosed(TcpConnection from) {
    next();
  }

  @Override
  public void failed(TcpConnection from, SocketError error) {
    connection = null;
    next();
  }
}
