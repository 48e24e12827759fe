package dev.paramecium.kubelet;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.agent.FakeKernel;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.userland.NodeUserland;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of pods while their node's userland starts anew over the same kernel. */
class SandboxesTest {

  private final TestCluster cluster = TestCluster.complete();
  private final FakeKernel kernel = new FakeKernel();
  private final NodeConfig config = TestCluster.node(1);
  private ActorRef<NodeUserland.Command> userland;

  @BeforeEach
  void start() {
    userland = cluster.start(config, kernel, 1);
    cluster.createPod("curl", "curl", config.nodeName());
    cluster.awaitPod("curl", "Running");
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private void restart(Runnable meanwhile) {
    cluster.kit.stop(userland);
    meanwhile.run();
    userland = cluster.start(config, kernel, 2);
  }

  private KubeObject curl() {
    return cluster.find(ResourceType.POD, "default", "curl");
  }

  private int restarts() {
    return curl().at("/status/containerStatuses/0/restartCount").asInt();
  }

  private long starts(String container) {
    return kernel.calls.stream().filter(("StartContainer default/" + container)::equals).count();
  }

  @Test
  void aContainerRunsOnWhileTheKubeletStartsAnew() {
    Set<String> ids = kernel.podContainers().keySet();
    Set<String> namespaces = Set.copyOf(kernel.namespaces.keySet());
    KubeObject before = curl();

    restart(() -> {});
    String id = ids.iterator().next();
    eventually(() -> kernel.calls.contains("WatchContainer " + id));
    cluster.createPod("late", "curl", config.nodeName());
    cluster.awaitPod("late", "Running");

    assertThat(starts("curl main")).isEqualTo(1);
    assertThat(kernel.podContainers()).containsKey(id);
    assertThat(kernel.namespaces.keySet()).containsAll(namespaces);
    assertThat(curl().at("/status/podIP")).isEqualTo(before.at("/status/podIP"));
    assertThat(curl().at("/status/containerStatuses"))
        .isEqualTo(before.at("/status/containerStatuses"));
    assertThat(restarts()).isZero();
  }

  @Test
  void itIsTheNewKubeletsToRestart() {
    restart(() -> {});
    String id = kernel.podContainers().keySet().iterator().next();
    eventually(() -> kernel.calls.contains("WatchContainer " + id));
    kernel.exit("main", 3);
    eventually(() -> restarts() == 1 && starts("curl main") == 2);
    cluster.awaitPod("curl", "Running");
  }

  @Test
  void whatIsDeletedMeanwhileIsCleanedUp() {
    KubeObject pod = curl();
    restart(
        () ->
            TestCluster.stored(
                cluster.api.delete(ResourceType.POD, "default", "curl", 0, pod.uid())));
    eventually(() -> kernel.podContainers().isEmpty());
    eventually(() -> kernel.namespaces.keySet().equals(Set.of("cilium-health")));
    eventually(() -> cluster.list(ResourceType.CILIUM_ENDPOINT).isEmpty());
  }

  @Test
  void whatIsBeingDeletedIsEndedByTheNewKubelet() {
    restart(() -> TestCluster.stored(cluster.api.delete(ResourceType.POD, "default", "curl", 7)));
    eventually(() -> curl() == null);
    assertThat(kernel.calls).contains("StopContainer main 7000");
    assertThat(kernel.namespaces.keySet()).containsOnly("cilium-health");
  }
}
