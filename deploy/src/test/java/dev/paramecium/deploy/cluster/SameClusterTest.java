package dev.paramecium.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Real members, each with an address of its own. */
class SameClusterTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Ipv4Address block = LocalCluster.freeLoopbackBlock(2);
  private final List<ActorSystem<Void>> systems = new ArrayList<>();

  @AfterEach
  void endTheMembers() {
    systems.forEach(ActorSystem::terminate);
    systems.forEach(system -> system.getWhenTerminated().toCompletableFuture().join());
  }

  private static String link(Ipv4Address address) {
    return address + ":" + LocalCluster.CLUSTER_PORT;
  }

  private ActorSystem<Void> controlPlane(String cluster, String version) {
    Config config =
        ClusterMember.config(
            ClusterMember.CONTROL_PLANE,
            List.of(),
            cluster,
            version,
            block.toString(),
            LocalCluster.CLUSTER_PORT,
            List.of(link(block), link(block.plus(1))));
    ActorSystem<Void> system = ClusterMember.start(Behaviors.empty(), config);
    systems.add(system);
    return system;
  }

  private ActorSystem<Void> node(String cluster, String version, String... join) {
    Config config =
        ClusterMember.config(
            ClusterMember.NODE,
            List.of(),
            cluster,
            version,
            block.plus(1).toString(),
            LocalCluster.CLUSTER_PORT,
            List.of());
    ActorSystem<Void> system = ClusterMember.start(Behaviors.empty(), config, List.of(join));
    systems.add(system);
    return system;
  }

  @Test
  void aNodeThatCameFirstJoinsWhenTheControlPlaneIsThereWhicheverAddressItHas() {
    ActorSystem<Void> node =
        node("lab", "1.0", "no-such-host.invalid:25520", link(block.plus(2)), link(block));
    controlPlane("lab", "1.0");

    await()
        .atMost(LIMIT)
        .until(() -> Cluster.get(node).selfMember().status().equals(MemberStatus.up()));
  }

  @Test
  void aNodeOfAnotherClusterIsToldBothNames() {
    controlPlane("lab", "1.0");
    ActorSystem<Void> node = node("shop", "1.0", link(block));

    assertThatThrownBy(() -> ClusterMember.awaitEnd(node))
        .isInstanceOf(UserError.class)
        .hasMessage(
            "cannot join the control plane: it is of the cluster \"lab\", this is of \"shop\";"
                + " give both the same --cluster-name.");
  }

  @Test
  void aNodeOfAnotherVersionIsToldBoth() {
    ActorSystem<Void> controlPlane = controlPlane("lab", "1.0");
    ActorSystem<Void> node = node("lab", "1.1", link(block));

    assertThatThrownBy(() -> ClusterMember.awaitEnd(node))
        .isInstanceOf(UserError.class)
        .hasMessageContaining("it is paramecium 1.0, this is 1.1; run the same version");
    assertThat(Cluster.get(controlPlane).state().getMembers()).hasSize(1);
  }

  @Test
  void aControlPlaneOfAnotherNameIsRefusedByTheNodesThatItComesBackTo() {
    ActorSystem<Void> first = controlPlane("lab", "1.0");
    ActorSystem<Void> node = node("lab", "1.0", link(block));
    await()
        .atMost(LIMIT)
        .until(() -> Cluster.get(node).selfMember().status().equals(MemberStatus.up()));
    first.terminate();
    first.getWhenTerminated().toCompletableFuture().join();

    assertThatThrownBy(() -> ClusterMember.awaitEnd(controlPlane("shop", "1.0")))
        .isInstanceOf(UserError.class)
        .hasMessageContaining("of another cluster or version than its own (cluster \"shop\"");
  }

  @Test
  void namesAreLookedUpToAllTheirAddresses() {
    assertThat(Joining.lookUp(List.of("localhost:1", "10.0.0.9:2", "no-such-host.invalid:3")))
        .isEqualTo(
            new Joining.Found(
                List.of("10.0.0.9:2", "127.0.0.1:1"), List.of("no-such-host.invalid")));
  }
}
