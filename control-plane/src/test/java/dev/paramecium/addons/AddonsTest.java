package dev.paramecium.addons;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a new cluster finds in kube-system. */
class AddonsTest {

  private static final String SYSTEM = "kube-system";

  private final TestCluster cluster = new TestCluster();

  @AfterEach
  void stop() {
    cluster.close();
  }

  private ActorRef<Addons.Command> install() {
    return cluster.kit.spawn(Addons.create(cluster.api, Map.of("tunnel", "geneve")));
  }

  private void readyNode(String name) {
    cluster.create(
        ResourceType.NODE,
        """
        {"kind":"Node","metadata":{"name":"%s"},
         "status":{"conditions":[{"type":"Ready","status":"True"}]}}
        """
            .formatted(name));
  }

  private List<String> names(ResourceType type) {
    return cluster.list(type).stream()
        .filter(object -> object.namespace().equals(SYSTEM))
        .map(KubeObject::name)
        .sorted()
        .toList();
  }

  @Test
  void ciliumComesAtOnceAndTheRestWhenTheNodesAreReady() {
    install();
    eventually(() -> names(ResourceType.CONFIG_MAP).equals(List.of("cilium-config")));
    assertThat(names(ResourceType.DAEMON_SET)).containsExactly("cilium");
    assertThat(names(ResourceType.DEPLOYMENT)).containsExactly("cilium-operator");
    assertThat(cluster.find(ResourceType.CONFIG_MAP, SYSTEM, "cilium-config").text("/data/tunnel"))
        .isEqualTo("geneve");

    readyNode("node-1");
    eventually(() -> names(ResourceType.CONFIG_MAP).contains("hubble-relay-config"));
    assertThat(names(ResourceType.DEPLOYMENT))
        .containsExactly("cilium-operator", "coredns", "hubble-relay");
    assertThat(names(ResourceType.SERVICE))
        .containsExactly("hubble-peer", "hubble-relay", "kube-dns");
    assertThat(names(ResourceType.SERVICE_ACCOUNT))
        .contains("cilium", "cilium-operator", "coredns", "hubble-relay");
  }

  @Test
  void whatTheOwnerHasDeletedStaysDeleted() {
    readyNode("node-1");
    ActorRef<Addons.Command> first = install();
    cluster.kit.createTestProbe().expectTerminated(first, Duration.ofSeconds(20));
    for (String name : List.of("cilium-operator", "coredns", "hubble-relay")) {
      TestCluster.stored(cluster.api.delete(ResourceType.DEPLOYMENT, SYSTEM, name, 0));
    }

    cluster.kit.createTestProbe().expectTerminated(install(), Duration.ofSeconds(20));
    assertThat(names(ResourceType.DEPLOYMENT)).isEmpty();
    assertThat(names(ResourceType.DAEMON_SET)).containsExactly("cilium");
  }
}
