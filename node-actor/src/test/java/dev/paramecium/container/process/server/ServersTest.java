package dev.paramecium.container.process.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.process.VirtualNetwork.Run;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.syscall.ContainerSpec;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ServersTest {

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host client = network.host("client", 1, "curlimages/curl");

  /** A connection that sends text as it is and keeps what comes. */
  private final class Raw implements TcpHandler {
    final ByteArrayOutputStream received = new ByteArrayOutputStream();
    boolean peerClosed;
    private final TcpConnection connection;

    Raw() throws Exception {
      connection = client.stack.connect(new SocketAddress(Ipv4Address.parse("10.0.0.2"), 80), this);
      network.pass(10);
    }

    Raw send(String text) {
      byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
      assertThat(connection.write(bytes, 0, bytes.length)).isEqualTo(bytes.length);
      network.pass(10);
      return this;
    }

    String text() {
      return received.toString(StandardCharsets.ISO_8859_1);
    }

    @Override
    public void data(TcpConnection from, byte[] bytes, int offset, int count) {
      received.write(bytes, offset, count);
    }

    @Override
    public void peerClosed(TcpConnection from) {
      peerClosed = true;
      from.close();
    }

    @Override
    public void failed(TcpConnection from, SocketError error) {
      peerClosed = true;
    }
  }

  private String get(String pathAndOptions) {
    return client.run(("curl -s " + pathAndOptions).split(" ")).out();
  }

  private VirtualNetwork.Host httpbin() {
    VirtualNetwork.Host host = network.host("httpbin", 2, "kennethreitz/httpbin");
    host.serve();
    return host;
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          http://10.0.0.2/ip                       | 200
          http://10.0.0.2/headers                  | 200
          http://10.0.0.2/user-agent               | 200
          http://10.0.0.2/uuid                     | 200
          http://10.0.0.2/                         | 200
          http://10.0.0.2/anything/a/b             | 200
          http://10.0.0.2/status/418               | 418
          http://10.0.0.2/status/204               | 204
          http://10.0.0.2/status/x                 | 400
          http://10.0.0.2/base64/SFRUUEJJTg==      | 200
          http://10.0.0.2/nowhere                  | 404
          http://10.0.0.2/get/more                 | 404
          http://10.0.0.2/bytes/x                  | 404
          http://10.0.0.2/post                     | 405
          -X DELETE http://10.0.0.2/get            | 405
          -X DELETE http://10.0.0.2/delete         | 200
          -X PATCH http://10.0.0.2/patch           | 200
          -X OPTIONS http://10.0.0.2/get           | 200
          -I http://10.0.0.2/get                   | 200
          """)
  void httpbinAnswersWithTheStatusOfTheRealOne(String request, String status) {
    httpbin();

    assertThat(get("-o /dev/null -w %{http_code} " + request)).isEqualTo(status);
  }

  @Test
  void httpbinTellsHeadersAsWsgiNamesThem() {
    httpbin();

    assertThat(get("-H x-CUSTOM_name:v -H A:1 -H A:2 http://10.0.0.2/headers"))
        .contains("\"X-Custom-Name\": \"v\"")
        .contains("\"A\": \"1,2\"");
  }

  @Test
  void httpbinTellsABinaryBodyAsADataUrl() {
    httpbin();
    client.processes.files().write("/tmp/b", new byte[] {(byte) 0xff, 0});

    assertThat(
            get(
                "-H Content-Type:application/octet-stream --data-binary @/tmp/b"
                    + " http://10.0.0.2/post"))
        .contains("\"data\": \"data:application/octet-stream;base64,/wA=\"");
  }

  @Test
  void answersPipelinedRequestsInOrderAndKeepsTheConnection() throws Exception {
    httpbin();
    Raw raw =
        new Raw()
            .send(
                "GET /delay/1 HTTP/1.1\r\n"
                    + "Host: a\r\n\r\n"
                    + "GET /status/404 HTTP/1.1\r\n"
                    + "Host: a\r\n\r\n");
    network.pass(1500);

    assertThat(raw.text().indexOf("200 OK")).isBetween(0, raw.text().indexOf("404 NOT FOUND"));
    assertThat(raw.peerClosed).isFalse();
    network.pass(40_000);
    assertThat(raw.peerClosed).as("closed when idle").isTrue();
  }

  @Test
  void answersHttp10AndCloses() throws Exception {
    httpbin();
    Raw raw = new Raw().send("GET /stream/2 HTTP/1.0\r\n\r\n");

    assertThat(raw.text()).contains("Connection: close").doesNotContain("chunked").endsWith("}\n");
    assertThat(raw.peerClosed).isTrue();
  }

  @Test
  void sends100ContinueAndReadsChunkedRequests() throws Exception {
    httpbin();
    Raw raw =
        new Raw()
            .send(
                "POST /post HTTP/1.1\r\n"
                    + "Host: a\r\n"
                    + "Expect: 100-continue\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n");
    assertThat(raw.text()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
    for (String piece : "5\r\nhe|llo\r\n|0\r|\n\r\n".split("\\|", -1)) {
      raw.send(piece);
    }

    assertThat(raw.text()).contains("HTTP/1.1 200 OK").contains("\"data\": \"hello\"");
  }

  @Test
  void refusesWhatIsNotHttpAndStaysUp() throws Exception {
    httpbin();
    Random random = new Random(7);
    assertThat(new Raw().send("GARBAGE\r\n\r\n").text()).startsWith("HTTP/1.1 400 BAD REQUEST\r\n");
    assertThat(new Raw().send("GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n").text())
        .startsWith("HTTP/1.1 413 ");
    for (int i = 0; i < 200; i++) {
      StringBuilder noise = new StringBuilder("POST /post HTTP/1.1\r\n");
      for (int n = random.nextInt(200); n > 0; n--) {
        noise.append((char) random.nextInt(256));
      }
      new Raw().send(noise.toString());
    }

    assertThat(get("http://10.0.0.2/ip")).as("seed 7").contains("10.0.0.1");
  }

  @Test
  void nginxWelcomesAndLogsAccess() {
    Run nginx = network.host("nginx", 2, "nginx:1.25").serve();

    assertThat(get("http://10.0.0.2/")).hasSize(615).contains("<h1>Welcome to nginx!</h1>");
    assertThat(get("-i http://10.0.0.2/x"))
        .startsWith("HTTP/1.1 404 Not Found\r\nServer: nginx/1.25.3");
    assertThat(nginx.out())
        .matches(
            "10\\.0\\.0\\.1 - - \\[09/Jan/2023:19:29:5\\d \\+0000\\] \"GET / HTTP/1.1\" 200 615"
                + " \"-\" \"curl/8.5.0\" \"-\"\n"
                + "10\\.0\\.0\\.1 - - \\[09/Jan/2023:19:29:5\\d \\+0000\\] \"GET /x HTTP/1.1\" 404"
                + " 153 \"-\" \"curl/8.5.0\" \"-\"\n");
  }

  private VirtualNetwork.Host agnhost(String... arguments) {
    VirtualNetwork.Host host =
        network.host("agn", 2, "registry.k8s.io/e2e-test-images/agnhost:2.40");
    String[] argv = new String[arguments.length + 1];
    argv[0] = "/agnhost";
    System.arraycopy(arguments, 0, argv, 1, arguments.length);
    host.start(argv);
    network.pass(10);
    return host;
  }

  @Test
  void netexecAnswersOverHttpAndUdp() {
    agnhost("netexec", "--http-port=80", "--udp-port=81");

    assertThat(get("http://10.0.0.2/hostname")).isEqualTo("agn");
    assertThat(get("http://10.0.0.2/clientip")).matches("10\\.0\\.0\\.1:\\d+");
    assertThat(get("-w %{http_code} http://10.0.0.2/echo?msg=hi&code=418")).isEqualTo("hi418");
    assertThat(get("http://10.0.0.2/shell?cmd=echo%20a;exit%203"))
        .isEqualTo("{\"error\": \"exit status 3\", \"output\": \"a\\n\"}");
    assertThat(
            get("http://10.0.0.2/dial?host=10.0.0.2&port=81&protocol=udp&request=hostname&tries=2"))
        .isEqualTo("{\"responses\":[\"agn\",\"agn\"]}");
    assertThat(get("http://10.0.0.2/dial?host=10.0.0.2&port=80&request=echo?msg=x"))
        .isEqualTo("{\"responses\":[\"x\"]}");
  }

  @ParameterizedTest(name = "agnhost connect {0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          10.0.0.2:80 --timeout=1s                 | 0 | ''
          10.0.0.2:82 --timeout=1s                 | 1 | REFUSED
          10.0.0.9:80 --timeout=1s                 | 1 | TIMEOUT
          nowhere:80 --timeout 1s                  | 1 | DNS: lookup nowhere: no such host
          10.0.0.2 --timeout 1s                    | 1 | UNKNOWN: address 10.0.0.2: missing port in address
          10.0.0.2:81 --protocol=udp --timeout=1s  | 0 | ''
          192.168.7.7:80 --timeout=1s              | 1 | OTHER: dial tcp 192.168.7.7:80: connect: network is unreachable
          """)
  void connectTellsHowItWent(String arguments, int code, String message) {
    agnhost("netexec", "--http-port=80", "--udp-port=81");
    VirtualNetwork.Host prober = network.host("prober", 3, "agnhost");

    Run run = prober.run(("/agnhost connect " + arguments).split(" "));

    assertThat(run.exitCode()).isEqualTo(code);
    assertThat(run.err().strip()).isEqualTo(message.equals("''") ? "" : message);
  }

  @Test
  void serveHostnameServesTcpAndHttp() {
    agnhost("serve-hostname", "--port=80");
    assertThat(get("http://10.0.0.2/")).isEqualTo("agn");

    agnhostOn(3, "serve-hostname", "--tcp", "--http=false", "--port", "90");
    assertThat(client.run("sh", "-c", "nc 10.0.0.3 90").out()).isEqualTo("agn3");
  }

  private void agnhostOn(int number, String... arguments) {
    VirtualNetwork.Host host = network.host("agn" + number, number, "agnhost");
    String[] argv = new String[arguments.length + 1];
    argv[0] = "/agnhost";
    System.arraycopy(arguments, 0, argv, 1, arguments.length);
    host.start(argv);
    network.pass(10);
  }

  @Test
  void theStandInNamesThePodAndEchoesDatagrams() {
    network
        .host(
            "shop",
            2,
            "example.org/shop",
            List.of(
                new ContainerSpec.Port("http", 80, "TCP"),
                new ContainerSpec.Port("dns", 53, "UDP")))
        .serve();

    assertThat(get("http://10.0.0.2/any")).isEqualTo("default/shop\n");
    assertThat(client.run("sh", "-c", "printf ping | nc -u -w 1 10.0.0.2 53").out())
        .isEqualTo("ping");
  }

  @Test
  void theEchoServerSendsEverythingBackUntilTheClientEnds() {
    network.host("tcp", 2, "paramecium/echo").start("echo-server", "7/tcp");
    network.host("udp", 3, "paramecium/echo").start("echo-server", "7/udp");
    network.pass(10);

    // More than the buffers of both ends hold: the server must wait for its client.
    assertThat(client.run("sh", "-c", "seq 1 100000 | nc -N -w 5 10.0.0.2 7 | tail -n 1").out())
        .isEqualTo("100000\n");
    assertThat(client.run("sh", "-c", "printf ping | nc -u -w 1 10.0.0.3 7").out())
        .isEqualTo("ping");
  }

  @Test
  void theEchoServerSaysHowItIsUsed() {
    VirtualNetwork.Host host = network.host("echo", 2, "paramecium/echo");
    assertThat(host.run("echo-server", "7").err()).startsWith("usage: echo-server PORT/tcp");
    assertThat(host.run("echo-server", "70000/tcp").err()).contains("70000", "1 to 65535");
  }
}
