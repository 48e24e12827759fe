package dev.paramecium.container.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.process.http.MalformedMessageException;
import dev.paramecium.container.process.http.MessageParser;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.Sockets.Acceptor;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.TcpListener;
import dev.paramecium.container.socket.TransparentSockets;
import dev.paramecium.container.socket.TransparentUdpSocket;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import dev.paramecium.syscall.ProxyConfig;
import dev.paramecium.syscall.ProxyConfig.EndpointRules;
import dev.paramecium.syscall.ProxyConfig.HttpMatch;
import dev.paramecium.syscall.ProxyConfig.PeerRules;
import dev.paramecium.syscall.ProxyConfig.PortRules;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One connection through the proxy, without a network: only GET /ok may reach the server. */
final class HttpSessionTest {

  private static final SocketAddress POD = address("10.0.0.1", 80);
  private static final SocketAddress CLIENT = address("10.0.0.2", 40_000);

  private final Wire client = new Wire(POD, CLIENT);
  private final List<Wire> servers = new ArrayList<>();
  private final List<LogRecord> log = new ArrayList<>();
  private final HttpSession session;

  HttpSessionTest() {
    HttpMatch ok = new HttpMatch("/ok", "GET|POST", "", List.of());
    PeerRules peers = new PeerRules(null, List.of(ok), null);
    PolicyTable table =
        new PolicyTable(
            new ProxyConfig(
                List.of(),
                List.of(
                    new EndpointRules(
                        7,
                        POD.address(),
                        true,
                        false,
                        List.of(new PortRules(true, 80, IpProtocol.TCP, List.of(peers)))))));
    session =
        new HttpSession(
            new ProxyServices(
                null, new Network(), Clock.system(), RandomSource.seeded(1), _ -> 1234, log::add),
            () -> table,
            true,
            client);
  }

  private static SocketAddress address(String ip, int port) {
    return new SocketAddress(Ipv4Address.parse(ip), port);
  }

  private void send(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    session.data(client, bytes, 0, bytes.length);
  }

  private void answer(String text) {
    Wire server = servers.getLast();
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    server.handler.data(server, bytes, 0, bytes.length);
  }

  @Test
  void bodiesAreFramedAnew() {
    send(
        "POST /ok HTTP/1.1\r\n"
            + "Host: a\r\n"
            + "Transfer-Encoding: chunked\r\n"
            + "Connection: transfer-encoding\r\n\r\n");
    send("3\r\nabc\r\n0\r\n\r\n");
    assertThat(servers.getLast().text())
        .startsWith("POST /ok HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n")
        .endsWith("\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    answer("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    servers.getLast().handler.peerClosed(servers.getLast());
    assertThat(client.text())
        .startsWith("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n")
        .endsWith("d\r\nuntil the end\r\n0\r\n\r\n");
    assertThat(log)
        .extracting(LogRecord::type)
        .containsExactly(LogRecord.Type.REQUEST, LogRecord.Type.RESPONSE);
  }

  /** What a server could take for another request, or for a longer one. */
  @ParameterizedTest
  @CsvSource({
    "'POST /ok HTTP/1.1|Host: a|Content-Length: 3|Transfer-Encoding: chunked||', 400",
    "'POST /ok HTTP/1.1|Host: a|Content-Length: 3|Content-Length: 3||', 400",
    "'POST /ok HTTP/1.1|Host: a|Transfer-Encoding: chunked, identity||', 501",
    "'GET /ok HTTP/1.1|Host: a|Host: b||', 400",
    "'GET /ok HTTP/1.1||', 400",
    "'GET /ok HTTP/1.0|Host: a||', 426",
    "'GET  HTTP/1.1|Host: a||', 400",
    "'GET ok HTTP/1.1|Host: a||', 400",
    "'PRI * HTTP/2.0||SM||', 400",
    "'GET /no HTTP/1.1|Host: a||', 403",
    "'PUT /ok HTTP/1.1|Host: a||', 403",
  })
  void isRefused(String request, int status) {
    send(request.replace("|", "\r\n"));
    assertThat(client.text()).startsWith("HTTP/1.1 " + status + " ");
    assertThat(servers).isEmpty();
  }

  @Test
  void aServerThatIsNotThereIsSaidSo() {
    send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n");
    Wire server = servers.getLast();
    server.handler.failed(server, dev.paramecium.container.socket.SocketError.CONNECTION_REFUSED);
    assertThat(client.text())
        .startsWith("HTTP/1.1 503 Service Unavailable")
        .endsWith(
            "upstream connect error or disconnect/reset before headers. reset reason: connection"
                + " failure");
    send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n");
    assertThat(servers).as("the client may go on").hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"no", "HTTP/1.1 x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"})
  void anAnswerThatIsNoneEndsInAnError(String answer) {
    send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n");
    answer(answer + "\r\n\r\n");
    assertThat(client.text()).startsWith("HTTP/1.1 503");
  }

  @Test
  void anUpgradedConnectionIsPassedThrough() {
    send("GET /ok HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
    answer(
        "HTTP/1.1 101 Switching Protocols\r\n"
            + "Connection: Upgrade\r\n"
            + "Upgrade: websocket\r\n\r\n"
            + "hello");
    send("GET /no HTTP/1.1\r\n");
    assertThat(client.text()).endsWith("\r\n\r\nhello");
    assertThat(servers.getLast().text()).endsWith("\r\n\r\nearlyGET /no HTTP/1.1\r\n");
  }

  /**
   * Whatever a client sends, in whatever pieces: what reaches a server, read by another reader, are
   * requests that the rule allows.
   */
  @Property(tries = 3000)
  void nothingElseReachesTheServer(
      @ForAll("streams") String stream, @ForAll @IntRange(min = 1, max = 40) int piece)
      throws MalformedMessageException {
    new HttpSessionTest().follow(stream, piece); // tries share an instance
  }

  private void follow(String stream, int piece) throws MalformedMessageException {
    for (int at = 0; at < stream.length() && client.open; at += piece) {
      send(stream.substring(at, Math.min(stream.length(), at + piece)));
      if (!servers.isEmpty()
          && servers.getLast().open
          && requests(servers.getLast(), false) > servers.getLast().answered) {
        servers.getLast().answered++;
        answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    }
    for (Wire server : servers) {
      requests(server, false);
      requests(server, true);
    }
  }

  /**
   * How many complete requests came; fails on one that is not allowed.
   *
   * @param byLength whether Content-Length beats Transfer-Encoding for this reader
   */
  private static int requests(Wire server, boolean byLength) throws MalformedMessageException {
    int[] complete = {0};
    MessageParser parser =
        new MessageParser(
            new MessageParser.Listener() {
              @Override
              public long head(String startLine, Headers headers) throws MalformedMessageException {
                assertThat(startLine).matches("(GET|POST) /ok HTTP/1.1");
                return byLength && headers.contains("Content-Length")
                    ? Long.parseLong(headers.get("Content-Length", ""))
                    : MessageParser.bodyLength(headers, 0);
              }

              @Override
              public void body(byte[] bytes, int from, int count) {}

              @Override
              public void end() {
                complete[0]++;
              }
            });
    byte[] bytes = server.written.toByteArray();
    for (int at = 0; at < bytes.length; ) {
      at += parser.feed(bytes, at, bytes.length - at);
    }
    return complete[0];
  }

  /** Requests one after the other; most of them are well-formed, some are not. */
  @Provide
  Arbitrary<String> streams() {
    Arbitrary<String> line =
        Arbitraries.frequencyOf(
            Tuple.of(6, Arbitraries.of("GET /ok HTTP/1.1", "POST /ok HTTP/1.1")),
            Tuple.of(
                1,
                Arbitraries.of(
                    "GET /no HTTP/1.1",
                    "GET /ok/../no HTTP/1.1",
                    "GET http://b/ok HTTP/1.1",
                    "",
                    "x")));
    Arbitrary<String> field =
        Arbitraries.of(
            "Content-Length: 5",
            "Content-Length: 0",
            "Content-Length: 43",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding : chunked",
            "Connection: content-length, transfer-encoding, host",
            "Expect: 100-continue",
            " folded",
            "X: \u0000");
    Arbitrary<String> body =
        Arbitraries.of(
            "hello",
            "5\r\nhello\r\n",
            "0\r\n\r\n",
            "26\r\nGET /no HTTP/1.1\r\nHost: a\r\nX: 0123456\r\n",
            "GET /no HTTP/1.1\r\nHost: a\r\n\r\n");
    return Combinators.combine(line, field.list().ofMaxSize(2), body.list().ofMaxSize(2))
        .as(
            (first, fields, parts) ->
                first
                    + "\r\nHost: a\r\n"
                    + fields.stream().map(one -> one + "\r\n").collect(Collectors.joining())
                    + "\r\n"
                    + String.join("", parts))
        .list()
        .ofMaxSize(4)
        .map(requests -> String.join("", requests));
  }

  /** An end of a connection that keeps what is written to it. */
  private static final class Wire implements TcpConnection {

    private final SocketAddress local;
    private final SocketAddress remote;
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private TcpHandler handler;
    private boolean open = true;
    private int answered;

    Wire(SocketAddress local, SocketAddress remote) {
      this.local = local;
      this.remote = remote;
    }

    String text() {
      return written.toString(StandardCharsets.ISO_8859_1);
    }

    @Override
    public SocketAddress local() {
      return local;
    }

    @Override
    public SocketAddress remote() {
      return remote;
    }

    @Override
    public int write(byte[] bytes, int from, int count) {
      written.write(bytes, from, count);
      return count;
    }

    @Override
    public void shutdownWrite() {}

    @Override
    public void close() {
      open = false;
    }

    @Override
    public void abort() {
      open = false;
    }

    @Override
    public void pauseReading() {}

    @Override
    public void resumeReading() {}

    @Override
    public void setNoDelay(boolean on) {}

    @Override
    public void setKeepAlive(long idleMs, long intervalMs, int count) {}
  }

  private final class Network implements TransparentSockets {

    private TcpConnection connect(SocketAddress local, SocketAddress remote, TcpHandler handler) {
      Wire server = new Wire(local, remote);
      server.handler = handler;
      servers.add(server);
      return server;
    }

    @Override
    public TcpConnection connectFrom(
        SocketAddress local, SocketAddress remote, int mark, TcpHandler handler) {
      assertThat(mark).isEqualTo(0x0A00 | 1234 << 16);
      return connect(local, remote, handler);
    }

    @Override
    public TcpConnection connectMarked(SocketAddress remote, int mark, TcpHandler handler) {
      return connect(CLIENT, remote, handler);
    }

    @Override
    public void enableTransparentProxy() {}

    @Override
    public TcpListener listenTransparent(int port, int backlog, int mark, Acceptor acceptor) {
      throw new AssertionError("listens");
    }

    @Override
    public UdpSocket bindMarked(int mark, UdpHandler handler) {
      throw new AssertionError("binds");
    }

    @Override
    public TransparentUdpSocket bindTransparent(
        int port, int mark, TransparentUdpSocket.Handler handler) {
      throw new AssertionError("binds");
    }
  }
}
