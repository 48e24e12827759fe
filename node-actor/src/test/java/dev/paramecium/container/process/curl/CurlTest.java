package dev.paramecium.container.process.curl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.process.VirtualNetwork.Run;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CurlTest {

  private VirtualNetwork network;
  private VirtualNetwork.Host client;
  private VirtualNetwork.Host server;

  @BeforeEach
  void twoHosts() {
    network = new VirtualNetwork();
    client = network.host("curl", 1, "curlimages/curl");
    server = network.host("httpbin", 2, "kennethreitz/httpbin");
    server.serve();
  }

  /** A server that answers anything with {@code answer} and closes, or only closes. */
  private void answerOnPort(int port, String answer) throws Exception {
    server.stack.listen(
        Ipv4Address.ANY,
        port,
        16,
        accepted ->
            new TcpHandler() {
              @Override
              public void data(TcpConnection from, byte[] bytes, int offset, int count) {
                byte[] text = answer.getBytes(StandardCharsets.ISO_8859_1);
                from.write(text, 0, text.length);
                from.close();
              }

              @Override
              public void peerClosed(TcpConnection from) {}

              @Override
              public void failed(TcpConnection from, SocketError error) {}
            });
  }

  @Test
  void printsWhatHttpbinAnswers() {
    Run run = client.run("curl", "-s", "http://10.0.0.2/get?a=1&a=2&b=x%20y");

    assertThat(run.exitCode()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .isEqualTo(
            """
            {
              "args": {
                "a": [
                  "1",\s
                  "2"
                ],\s
                "b": "x y"
              },\s
              "headers": {
                "Accept": "*/*",\s
                "Host": "10.0.0.2",\s
                "User-Agent": "curl/8.5.0"
              },\s
              "origin": "10.0.0.1",\s
              "url": "http://10.0.0.2/get?a=1&a=2&b=x%20y"
            }
            """);
  }

  @Test
  void saysOnStderrWhatItDoes() {
    Run run = client.run("curl", "-sv", "http://server/status/404");

    assertThat(run.exitCode()).isZero();
    assertThat(run.err().replaceAll("Date: .*", "Date: D"))
        .isEqualTo(
            """
            *   Trying 10.0.0.2:80...
            * Connected to server (10.0.0.2) port 80
            > GET /status/404 HTTP/1.1
            > Host: server
            > User-Agent: curl/8.5.0
            > Accept: */*
            >\s
            < HTTP/1.1 404 NOT FOUND
            < Server: gunicorn/19.9.0
            < Date: D
            < Connection: keep-alive
            < Content-Type: text/html; charset=utf-8
            < Content-Length: 0
            < Access-Control-Allow-Origin: *
            < Access-Control-Allow-Credentials: true
            <\s
            * Connection #0 to host server left intact
            """);
  }

  @Test
  void showsTheProgressMeterWhenOutputIsNotATerminal() {
    Run run = client.run("curl", "http://10.0.0.2/bytes/300");

    assertThat(run.err())
        .startsWith(
            "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
                + "                                 Dload  Upload   Total   Spent    Left  Speed\n"
                + "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
                + "\r100   300  100   300    0     0 ")
        .endsWith("\n");
  }

  @ParameterizedTest(name = "curl {0}: {1}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          -S http://10.0.0.2:81/           | 7  | curl: (7) Failed to connect to 10.0.0.2 port 81 after 0 ms: Couldn't connect to server
          -S -m 1 http://10.0.0.9/         | 28 | curl: (28) Connection timed out after 1000 milliseconds
          -S --connect-timeout 2 http://10.0.0.9/ | 28 | curl: (28) Connection timed out after 2000 milliseconds
          -S -m 1 http://10.0.0.2/delay/5  | 28 | curl: (28) Operation timed out after 1000 milliseconds with 0 bytes received
          -S http://nowhere.example/       | 6  | curl: (6) Could not resolve host: nowhere.example
          -S -f http://10.0.0.2/status/503 | 22 | curl: (22) The requested URL returned error: 503
          -S -L --max-redirs 2 http://10.0.0.2/redirect/5 | 47 | curl: (47) Maximum (2) redirects followed
          -S http://10.0.0.2:90/           | 52 | curl: (52) Empty reply from server
          -S http://10.0.0.2:91/           | 18 | curl: (18) transfer closed with 90 bytes remaining to read
          -S http://10.0.0.2:92/           | 1  | curl: (1) Received HTTP/0.9 when not allowed
          -S ftp://10.0.0.2/               | 1  | curl: (1) Protocol "ftp" not supported
          -S http://10.0.0.2:99999/        | 3  | curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535
          -S https://10.0.0.2:80/          | 35 | curl: (35) OpenSSL/3.1.4: error:0A00010B:SSL routines::wrong version number
          -S http://192.168.9.9/           | 7  | curl: (7) Failed to connect to 192.168.9.9 port 80 after 0 ms: Couldn't connect to server
          http://10.0.0.2:81/              | 7  | ''
          --nonsense                       | 2  | curl: option --nonsense: is unknown
          -o                               | 2  | curl: option -o: requires parameter
          """)
  void failsAsCurlDoes(String arguments, int code, String message) throws Exception {
    answerOnPort(90, "");
    answerOnPort(91, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
    answerOnPort(92, "SSH-2.0-OpenSSH\r\n");

    Run run = client.run(("curl -s " + arguments).split(" "));

    assertThat(run.exitCode()).isEqualTo(code);
    String first = run.err().lines().findFirst().orElse("");
    assertThat(first).isEqualTo(message.equals("''") ? "" : message);
  }

  @Test
  void reusesTheConnectionForTheNextUrl() {
    Run run =
        client.run(
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{num_connects} %{remote_ip}:%{remote_port} %{size_download}\\n",
            "http://10.0.0.2/bytes/10",
            "http://10.0.0.2/bytes/20");

    assertThat(run.out()).isEqualTo("200 1 10.0.0.2:80 10\n200 0 10.0.0.2:80 20\n");
  }

  @Test
  void measuresTimesOnTheNodesClock() {
    Run run =
        client.run(
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{time_total} %{time_connect}",
            "http://10.0.0.2/delay/2");

    String[] times = run.out().split(" ", -1);
    assertThat(Double.parseDouble(times[0])).isBetween(2.0, 2.01);
    assertThat(Double.parseDouble(times[1])).isBetween(0.0001, 0.01);
  }

  @Test
  void postsData() {
    Run run = client.run("curl", "-s", "-d", "a=1&b=2", "-d", "c=x y", "http://10.0.0.2/post");

    assertThat(run.out())
        .contains("\"a\": \"1\"", "\"c\": \"x y\"", "\"Content-Length\": \"13\"")
        .contains("\"Content-Type\": \"application/x-www-form-urlencoded\"");
  }

  @Test
  void postsJson() {
    Run run =
        client.run(
            "curl",
            "-s",
            "-X",
            "PUT",
            "-H",
            "Content-Type: application/json",
            "-d",
            "{\"k\": [1, true, null]}",
            "http://10.0.0.2/put");

    assertThat(run.out())
        .contains("\"data\": \"{\\\"k\\\": [1, true, null]}\"")
        .contains("\"json\": {\n    \"k\": [\n      1, \n      true, \n      null\n    ]\n  }");
  }

  @Test
  void followsRedirectsAndTurnsPostIntoGet() {
    Run run =
        client.run(
            "curl",
            "-s",
            "-L",
            "-d",
            "x=1",
            "-w",
            "%{num_redirects} %{method} %{url_effective}",
            "-o",
            "/dev/null",
            "http://10.0.0.2/redirect-to?url=/get");

    assertThat(run.out()).isEqualTo("1 GET http://10.0.0.2/get");
  }

  @Test
  void decodesChunks() {
    Run run = client.run("curl", "-s", "http://10.0.0.2/stream/3");

    assertThat(run.out().lines()).hasSize(3).allMatch(line -> line.startsWith("{\"url\": "));
  }

  @Test
  void headPrintsTheHeadOnly() {
    Run run = client.run("curl", "-sI", "http://10.0.0.2/get");

    assertThat(run.out()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\n");
  }

  @Test
  void retriesWithGrowingDelays() {
    long before = network.clock.nanos();

    Run run = client.run("curl", "-sS", "--retry", "3", "http://10.0.0.2/status/503");

    assertThat(run.exitCode()).isZero();
    assertThat((network.clock.nanos() - before) / 1_000_000_000).isEqualTo(7);
  }

  @Test
  void writesToAFileOfTheContainer() {
    client.run("curl", "-s", "-o", "/tmp/ip", "http://10.0.0.2/ip");

    assertThat(new String(client.processes.files().read("/tmp/ip"), StandardCharsets.UTF_8))
        .isEqualTo("{\n  \"origin\": \"10.0.0.1\"\n}\n");
  }

  @Test
  void aThousandConcurrentRequestsAreAnsweredAndLeaveNothingOpen() {
    Run[] runs = new Run[1000];
    for (int i = 0; i < runs.length; i++) {
      runs[i] = client.start("curl", "-s", "http://10.0.0.2/delay/1");
    }
    for (Run run : runs) {
      assertThat(run.await().exitCode()).isZero();
      assertThat(run.out()).contains("\"url\": \"http://10.0.0.2/delay/1\"");
    }
    network.pass(200_000);

    assertThat(client.processes.size()).isZero();
    assertThat(network.pool.inUse()).isZero();
  }
}
