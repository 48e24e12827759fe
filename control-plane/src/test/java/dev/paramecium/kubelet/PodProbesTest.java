package dev.paramecium.kubelet;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.agent.FakeKernel;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecResult;
import dev.paramecium.syscall.HttpReply;
import dev.paramecium.syscall.HttpRequest;
import dev.paramecium.syscall.Result;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Probes and hooks: what the kubelet asks, and what becomes of a pod by the answers. */
class PodProbesTest {

  private final TestCluster cluster = TestCluster.complete();
  private final FakeKernel kernel = new FakeKernel();
  private final NodeConfig config = TestCluster.node(1);
  private final AtomicInteger status = new AtomicInteger(200);
  private final AtomicInteger exitCode = new AtomicInteger();

  PodProbesTest() {
    kernel.answers =
        new FakeKernel.Answers() {
          @Override
          public Result<HttpReply> get(HttpRequest request) {
            return status.get() == 0
                ? Result.failed(Errno.EIO, "dial tcp X: connect: connection refused")
                : Result.ok(new HttpReply(status.get(), ""));
          }

          @Override
          public Result<ExecResult> exec(List<String> argv) {
            return Result.ok(new ExecResult(exitCode.get(), "cat: can't open\n"));
          }

          @Override
          public Result<Done> connect(int port) {
            return Result.failed(Errno.ETIMEDOUT, "dial tcp X:" + port + ": i/o timeout");
          }
        };
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private void create(String spec, String container) {
    cluster.start(config, kernel, 1);
    cluster.create(
        ResourceType.POD,
        ("{'kind':'Pod','metadata':{'name':'web','namespace':'default'},'spec':{'nodeName':'node-1',"
                + spec
                + "'containers':[{'name':'main','image':'nginx',"
                + "'ports':[{'name':'http','containerPort':8080}],"
                + container
                + "}]}}")
            .replace('\'', '"'));
    eventually(() -> kernel.calls.contains("StartContainer default/web main"));
  }

  private KubeObject pod() {
    return cluster.find(ResourceType.POD, "default", "web");
  }

  private String condition(String type) {
    for (JsonNode condition : pod().at("/status/conditions")) {
      if (condition.path("type").asText().equals(type)) {
        return condition.path("status").asText()
            + (condition.has("reason") ? " " + condition.path("reason").asText() : "");
      }
    }
    return "";
  }

  private JsonNode container() {
    return pod().at("/status/containerStatuses/0");
  }

  private boolean hasEvent(String event) {
    return cluster.eventsOf("web").contains(event);
  }

  @Test
  void aPodIsReadyWhenItsReadinessProbeSaysSo() {
    status.set(503);
    create(
        "",
        "'readinessProbe':{'httpGet':{'path':'/ready','port':'http'},'periodSeconds':1,"
            + "'failureThreshold':1}");
    eventually(
        () ->
            hasEvent(
                "Warning Unhealthy: Readiness probe failed: HTTP probe failed with statuscode:"
                    + " 503"));
    assertThat(pod().text("/status/phase")).isEqualTo("Running");
    assertThat(condition("Ready")).isEqualTo("False ContainersNotReady");
    assertThat(container().path("ready").asBoolean()).isFalse();
    assertThat(container().path("started").asBoolean()).isTrue();
    String ip = pod().text("/status/podIP");
    assertThat(kernel.calls).contains("HttpGet " + ip + ":8080/ready");

    status.set(200);
    eventually(() -> condition("Ready").equals("True"));
    status.set(0);
    eventually(() -> condition("Ready").equals("False ContainersNotReady"));
    assertThat(container().path("restartCount").asInt()).isZero();
    assertThat(
            hasEvent(
                "Warning Unhealthy: Readiness probe failed: Get \"http://"
                    + ip
                    + ":8080/ready\": dial tcp X: connect: connection refused"))
        .isTrue();
  }

  @Test
  void aContainerThatFailsItsLivenessProbeIsRestarted() {
    exitCode.set(1);
    create(
        "",
        "'livenessProbe':{'exec':{'command':['cat','/tmp/healthy']},'periodSeconds':1,"
            + "'failureThreshold':2,'terminationGracePeriodSeconds':7}");
    eventually(() -> container().path("restartCount").asInt() >= 1);
    assertThat(kernel.calls).contains("ExecSync cat /tmp/healthy", "StopContainer main 7000");
    eventually(
        () -> hasEvent("Normal Killing: Container main failed liveness probe, will be restarted"));
    assertThat(hasEvent("Warning Unhealthy: Liveness probe failed: cat: can't open\n")).isTrue();
    eventually(() -> kernel.podContainers().size() == 1);
  }

  @Test
  void nothingElseIsProbedBeforeTheStartupProbeHasSucceeded() {
    status.set(500);
    create(
        "",
        "'startupProbe':{'httpGet':{'path':'/up','port':8080},'periodSeconds':1,"
            + "'failureThreshold':30},"
            + "'readinessProbe':{'exec':{'command':['ready']},'periodSeconds':1}");
    eventually(
        () ->
            hasEvent(
                "Warning Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 500"));
    assertThat(container().path("started").asBoolean()).isFalse();
    assertThat(kernel.calls).doesNotContain("ExecSync ready");
    status.set(204);
    eventually(() -> condition("Ready").equals("True"));
    assertThat(kernel.calls).contains("ExecSync ready");
    assertThat(container().path("started").asBoolean()).isTrue();
  }

  @Test
  void aProbeOfAPortIsAConnection() {
    create("", "'readinessProbe':{'tcpSocket':{'port':9},'timeoutSeconds':1}");
    eventually(
        () -> hasEvent("Warning Unhealthy: Readiness probe failed: dial tcp X:9: i/o timeout"));
  }

  @Test
  void aReadinessGateHoldsAPodBack() {
    create("'readinessGates':[{'conditionType':'example.com/lit'}],", "'tty':false");
    eventually(() -> condition("Ready").equals("False ReadinessGatesNotReady"));
    assertThat(condition("ContainersReady")).isEqualTo("True");
    KubeObject now = pod();
    cluster
        .api
        .mergePatch(
            ResourceType.POD,
            "default",
            "web",
            "status",
            "{\"status\":{\"conditions\":"
                + now.at("/status/conditions")
                    .toString()
                    .replaceFirst("\\[", "[{\"type\":\"example.com/lit\",\"status\":\"True\"},")
                + "}}")
        .toCompletableFuture()
        .join();
    eventually(() -> condition("Ready").equals("True"));
  }

  @Test
  void hooksRunAfterTheStartAndBeforeTheEnd() {
    create(
        "'terminationGracePeriodSeconds':9,",
        "'lifecycle':{'postStart':{'exec':{'command':['hello']}},"
            + "'preStop':{'httpGet':{'path':'/bye','port':'http'}}}");
    cluster.awaitPod("web", "Running");
    assertThat(kernel.calls).contains("ExecSync hello");
    String ip = pod().text("/status/podIP");
    cluster.api.delete(ResourceType.POD, "default", "web", 9).toCompletableFuture().join();
    eventually(() -> pod() == null);
    assertThat(kernel.calls).contains("HttpGet " + ip + ":8080/bye");
    assertThat(kernel.calls.indexOf("HttpGet " + ip + ":8080/bye"))
        .isLessThan(
            kernel.calls.indexOf(
                kernel.calls.stream()
                    .filter(call -> call.startsWith("StopContainer main "))
                    .findFirst()
                    .orElseThrow()));
  }

  @Test
  void aContainerWhoseFirstHookFailsIsKilled() {
    exitCode.set(1);
    create("", "'lifecycle':{'postStart':{'exec':{'command':['hello']}}}");
    eventually(() -> hasEvent("Warning FailedPostStartHook: PostStartHook failed"));
    eventually(() -> hasEvent("Normal Killing: FailedPostStartHook"));
    eventually(() -> container().path("restartCount").asInt() >= 1);
  }
}
