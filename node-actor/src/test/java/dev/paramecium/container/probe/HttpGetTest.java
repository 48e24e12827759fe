package dev.paramecium.container.probe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.HttpReply;
import dev.paramecium.syscall.HttpRequest;
import dev.paramecium.syscall.Result;
import java.util.List;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.junit.jupiter.api.Test;

/** The kubelet's own connections against servers on the same segment, in virtual time. */
class HttpGetTest {

  private static final Ipv4Address SERVER = Ipv4Address.parse("10.0.0.2");

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host node = network.host("node", 1, "busybox");
  private final VirtualNetwork.Host server = network.host("server", 2, "kennethreitz/httpbin");

  private Result<HttpReply> get(String scheme, int port, String target, long timeoutMs) {
    TestInbox<Result<HttpReply>> inbox = TestInbox.create();
    HttpGet.start(
        node.stack,
        RandomSource.seeded(1),
        new HttpRequest(
            scheme,
            SERVER,
            port,
            target,
            List.of(new HttpRequest.Header("User-Agent", "kube-probe/1.24")),
            timeoutMs),
        inbox.getRef());
    network.pass(timeoutMs + 100);
    assertThat(inbox.hasMessages()).as("an answer within %s ms", timeoutMs).isTrue();
    Result<HttpReply> result = inbox.receiveMessage();
    assertThat(inbox.hasMessages()).as("a second answer").isFalse();
    return result;
  }

  private static HttpReply ok(Result<HttpReply> result) {
    assertThat(result).isInstanceOf(Result.Ok.class);
    return ((Result.Ok<HttpReply>) result).value();
  }

  private static String failure(Result<?> result) {
    assertThat(result).isInstanceOf(Result.Failed.class);
    return ((Result.Failed<?>) result).message();
  }

  @Test
  void answersWhatTheServerSays() {
    server.serve();
    HttpReply reply = ok(get("http", 80, "/get?a=1", 1000));
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body())
        .contains(
            "\"Host\": \"10.0.0.2:80\"", "\"User-Agent\": \"kube-probe/1.24\"", "\"a\": \"1\"");
    assertThat(ok(get("http", 80, "/status/503", 1000)).status()).isEqualTo(503);
  }

  @Test
  void followsARedirectToTheSameHostOnly() {
    server.serve();
    assertThat(ok(get("http", 80, "/redirect/2", 1000)).status()).isEqualTo(200);
    assertThat(ok(get("http", 80, "/redirect-to?url=http://10.0.0.9/", 1000)).status())
        .isEqualTo(302);
    assertThat(failure(get("http", 80, "/redirect/12", 1000)))
        .isEqualTo("stopped after 10 redirects");
  }

  @Test
  void keepsTheFirstBytesOfALongBody() {
    server.serve();
    assertThat(ok(get("http", 80, "/bytes/30000", 1000)).status()).isEqualTo(200);
  }

  @Test
  void wordsFailuresAsGoDoes() {
    server.serve();
    assertThat(failure(get("http", 81, "/", 1000)))
        .isEqualTo("dial tcp 10.0.0.2:81: connect: connection refused");
    assertThat(failure(get("http", 80, "/delay/5", 1000)))
        .isEqualTo("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
    assertThat(failure(get("https", 80, "/", 1000)))
        .isEqualTo("http: server gave HTTP response to HTTPS client");
  }

  @Test
  void givesUpWhenNobodyAnswers() {
    TestInbox<Result<HttpReply>> inbox = TestInbox.create();
    HttpGet.start(
        node.stack,
        RandomSource.seeded(1),
        new HttpRequest("http", Ipv4Address.parse("10.0.0.9"), 80, "/", List.of(), 1000),
        inbox.getRef());
    network.pass(1100);
    Result<HttpReply> result = inbox.receiveMessage();
    assertThat(failure(result))
        .isEqualTo(
            "dial tcp 10.0.0.9:80: i/o timeout (Client.Timeout exceeded while awaiting headers)");
    assertThat(((Result.Failed<?>) result).errno()).isEqualTo(Errno.ETIMEDOUT);
  }

  @Test
  void leavesNoSocketBehind() {
    server.serve();
    ok(get("http", 80, "/get", 1000));
    failure(get("http", 80, "/delay/5", 500));
    network.pass(120_000);
    assertThat(node.stack.sockets()).isEmpty();
  }

  @Test
  void aDialIsDoneWhenTheConnectionIsMade() {
    server.serve();
    assertThat(dial(80)).isEqualTo(Result.ok(Done.getInstance()));
    assertThat(failure(dial(81))).isEqualTo("dial tcp 10.0.0.2:81: connect: connection refused");
  }

  private Result<Done> dial(int port) {
    TestInbox<Result<Done>> inbox = TestInbox.create();
    TcpDial.start(node.stack, new SocketAddress(SERVER, port), 1000, inbox.getRef());
    network.pass(1100);
    return inbox.receiveMessage();
  }
}
