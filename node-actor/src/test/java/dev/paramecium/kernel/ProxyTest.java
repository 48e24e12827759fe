package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.syscall.DnsAnswer;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.ProxyConfig;
import dev.paramecium.syscall.ProxyConfig.EndpointRules;
import dev.paramecium.syscall.ProxyConfig.HttpMatch;
import dev.paramecium.syscall.ProxyConfig.Listener;
import dev.paramecium.syscall.ProxyConfig.Parser;
import dev.paramecium.syscall.ProxyConfig.PeerRules;
import dev.paramecium.syscall.ProxyConfig.PortRules;
import dev.paramecium.syscall.Syscall;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests that a policy map's entry sends around through the node's proxy. */
final class ProxyTest {

  private static final int PORT = 15_001;
  private static final String URL = "http://10.42.0.51";

  private TwoNodes nodes;
  private TestProbe<DnsAnswer> agent;

  @BeforeEach
  void start() {
    nodes = new TwoNodes(config -> config);
    agent = nodes.kit.createTestProbe();
  }

  @AfterEach
  void stop() {
    nodes.close();
  }

  /** On the server's node: curl may GET /get and /headers. */
  private void protectServer() {
    redirect(nodes.httpbin, false);
    configure(
        nodes.two,
        true,
        nodes.httpbin,
        rules(true, TwoNodes.CURL_IDENTITY, "/get|/headers", "GET"));
  }

  /** On the client's node: curl may ask httpbin for /get, /post and /bytes. */
  private void confineClient() {
    redirect(nodes.curl, true);
    configure(
        nodes.one,
        false,
        nodes.curl,
        rules(false, TwoNodes.HTTPBIN_IDENTITY, "/(get|post|bytes/[0-9]+)", ""));
  }

  private static PortRules rules(boolean ingress, int peer, String path, String method) {
    HttpMatch match = new HttpMatch(path, method, "", List.of());
    return new PortRules(
        ingress, 80, IpProtocol.TCP, List.of(new PeerRules(Set.of(peer), List.of(match), null)));
  }

  private static void redirect(TestNode.Pod pod, boolean egress) {
    pod.node()
        .update(
            MapNames.policyMapName(pod.endpointId()),
            new PolicyKey(0, 80, IpProtocol.TCP, egress).encode(),
            new PolicyEntry(PORT, false, 0, 0).encode());
  }

  private void configure(TestNode node, boolean ingress, TestNode.Pod pod, PortRules rules) {
    String name = ingress ? "cilium-http-ingress" : "cilium-http-egress";
    ProxyConfig config =
        new ProxyConfig(
            List.of(new Listener(name, PORT, Parser.HTTP, ingress)),
            List.of(new EndpointRules(pod.endpointId(), pod.ip(), true, true, List.of(rules))));
    node.perform(replyTo -> new Syscall.ConfigureProxy(config, agent.getRef(), replyTo));
  }

  private TestNode.Outcome curl(String... arguments) {
    List<String> argv = new ArrayList<>(List.of("curl", "-s", "-m", "5"));
    argv.addAll(List.of(arguments));
    return nodes.one.exec(nodes.curl.containerId(), argv.toArray(String[]::new));
  }

  @Test
  void anIngressRuleLetsItsRequestsPassAndAnswersTheOthersItself() {
    protectServer();

    TestNode.Outcome allowed = curl("-i", URL + "/get");
    TestNode.Outcome denied = curl("-i", URL + "/get?a=1"); // the path's rule is for all of it
    TestNode.Outcome wrongMethod = curl("-i", "-X", "POST", "-d", "x", URL + "/get");

    assertThat(allowed.stdout())
        .startsWith("HTTP/1.1 200 OK")
        .contains("server: envoy")
        .containsPattern("x-envoy-upstream-service-time: \\d+")
        .contains("\"url\": \"http://10.42.0.51/get\"")
        // The server sees the client, not the proxy.
        .contains("\"origin\": \"10.42.1.80\"");
    for (TestNode.Outcome refused : List.of(denied, wrongMethod)) {
      assertThat(refused.stdout())
          .startsWith("HTTP/1.1 403 Forbidden")
          .contains("content-length: 15", "content-type: text/plain", "server: envoy")
          .endsWith("\r\n\r\nAccess denied\r\n");
    }
  }

  @Test
  void theServerGetsWhatEnvoyAdds() {
    protectServer();

    // httpbin keeps X-Forwarded-Proto and X-Request-Id to itself.
    assertThat(curl(URL + "/headers").stdout())
        .contains("\"X-Envoy-Expected-Rq-Timeout-Ms\": \"3600000\"")
        .contains("\"X-Envoy-Internal\": \"true\"")
        .contains("\"Host\": \"10.42.0.51\"");
  }

  @Test
  void anEgressRuleChecksRequestsWhereTheyBegin() {
    confineClient();

    assertThat(curl(URL + "/get").stdout()).contains("\"origin\": \"10.42.1.80\"");
    assertThat(curl("-o", "/dev/null", "-w", "%{http_code}", URL + "/ip").stdout())
        .isEqualTo("403");
    // Bodies of both directions, larger than any buffer on the way.
    assertThat(curl("-o", "/dev/null", "-w", "%{size_download}", URL + "/bytes/100000").stdout())
        .isEqualTo("100000");
  }

  @Test
  void bothSidesMayCheck() {
    protectServer();
    confineClient();

    assertThat(curl(URL + "/get").stdout()).contains("\"origin\": \"10.42.1.80\"");
    assertThat(curl("-o", "/dev/null", "-w", "%{http_code}", URL + "/headers").stdout())
        .isEqualTo("403");
    assertThat(curl("-o", "/dev/null", "-w", "%{http_code}", URL + "/post", "-d", "x").stdout())
        .isEqualTo("403");
  }

  @Test
  void oneConnectionCarriesManyRequestsAndEachIsChecked() {
    protectServer();

    TestNode.Outcome many =
        curl(
            "-w",
            "%{http_code} %{num_connects}\n",
            "-o",
            "/dev/null",
            URL + "/get",
            "-o",
            "/dev/null",
            URL + "/ip",
            "-o",
            "/dev/null",
            URL + "/get");

    assertThat(many.stdout()).isEqualTo("200 1\n403 0\n200 0\n");
  }

  /** Its requests go around through cilium_net, from one of its own addresses to itself. */
  @Test
  void theNodesOwnRequestsAreCheckedToo() {
    redirect(nodes.httpbin, false);
    configure(nodes.two, true, nodes.httpbin, rules(true, 1, "/get", "GET"));

    assertThat(nodes.two.exec("", "curl", "-s", "-m", "5", URL + "/get").stdout())
        .contains("\"url\": \"http://10.42.0.51/get\"");
    assertThat(nodes.two.exec("", "curl", "-si", "-m", "5", URL + "/ip").stdout())
        .startsWith("HTTP/1.1 403 Forbidden");
  }

  @Test
  void aPathIsCheckedAsTheServerWillReadIt() {
    protectServer();

    assertThat(curl(URL + "//get").stdout()).contains("\"url\": \"http://10.42.0.51/get\"");
    assertThat(curl("-i", URL + "/x%2F..%2Fget").stdout())
        .startsWith("HTTP/1.1 307 Temporary Redirect")
        .contains("location: /get");
  }

  @Test
  void theMonitorShowsTheProxysPartAndItsLog() {
    protectServer();
    Monitor monitor = new Monitor(nodes.two);
    curl(URL + "/get");
    curl(URL + "/ip");

    assertThat(monitor.until("verdict Denied"))
        .contains("-> proxy port " + PORT + " flow ", "<- proxy flow ")
        .containsPattern(
            "<- Request http from 0 \\(\\[]\\) to 2826 \\(\\[]\\), identity 31028->15773, verdict"
                + " Forwarded GET http://10\\.42\\.0\\.51/get => 0\n")
        .containsPattern(
            "<- Response http to 2826 \\(\\[]\\) from 0 \\(\\[]\\), identity 31028->15773, verdict"
                + " Forwarded GET http://10\\.42\\.0\\.51/get => 200\n")
        .containsPattern("verdict Denied GET http://10\\.42\\.0\\.51/ip => 403\n");
  }

  /** {@code cilium monitor}, listening. */
  private final class Monitor {

    private final TestProbe<ExecOutput> output = nodes.kit.createTestProbe();
    private final StringBuilder text = new StringBuilder();
    private ActorRef<ExecInput> input;

    Monitor(TestNode node) {
      node.kernel.tell(
          new Syscall.Exec(
              new ExecRequest("", List.of("cilium", "monitor"), false, false), output.getRef()));
      until("Listening for events");
    }

    String until(String expected) {
      while (text.indexOf(expected) < 0) {
        switch (output.receiveMessage(TestNode.TIMEOUT)) {
          case ExecOutput.Started(var started) -> input = started;
          case ExecOutput.Data(int _, byte[] bytes) -> {
            text.append(new String(bytes, StandardCharsets.UTF_8));
            input.tell(new ExecInput.Ack(1));
          }
          default -> {}
        }
      }
      return text.toString();
    }
  }

  @Test
  void whenTheAgentGoesItsProxyGoesWithIt() {
    protectServer();
    assertThat(curl(URL + "/get").exitCode()).isZero();

    agent.stop();

    agent.awaitAssert(
        () -> {
          assertThat(nodes.two.exec("", "ss", "-tln").stdout()).doesNotContain(":" + PORT);
          return true;
        });
    assertThat(curl("--connect-timeout", "1", URL + "/get").exitCode()).isEqualTo(28);
  }
}
