package dev.paramecium.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.paramecium.abi.Ipv4Address;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Real members, each with an address of its own, of which some end without a word. */
class SuccessionTest {

  private static final Duration LIMIT = Duration.ofSeconds(40);

  private final Ipv4Address block = LocalCluster.freeLoopbackBlock(3);
  private final List<ActorSystem<Void>> systems = new ArrayList<>();

  @AfterEach
  void endTheMembers() {
    systems.forEach(ActorSystem::terminate);
    systems.forEach(system -> system.getWhenTerminated().toCompletableFuture().join());
  }

  private String link(int index) {
    return block.plus(index) + ":" + LocalCluster.CLUSTER_PORT;
  }

  private ActorSystem<Void> member(String role, int index, String name, String... join) {
    Behavior<Void> guardian =
        Behaviors.setup(
            context -> {
              if (role.equals(ClusterMember.CONTROL_PLANE)) {
                context.spawn(Succession.create(), "succession");
              }
              return Behaviors.empty();
            });
    var config =
        ConfigFactory.parseString("pekko.coordinated-shutdown.run-by-actor-system-terminate = off")
            .withFallback(
                ClusterMember.config(
                    role,
                    List.of(name),
                    "lab",
                    "1.0",
                    block.plus(index).toString(),
                    LocalCluster.CLUSTER_PORT,
                    join.length == 0 ? List.of(link(index)) : List.of()));
    ActorSystem<Void> system =
        join.length == 0
            ? ClusterMember.start(guardian, config)
            : ClusterMember.start(guardian, config, List.of(join));
    systems.add(system);
    return system;
  }

  /** Ends it as a kill would: nobody is told. */
  private static void kill(ActorSystem<Void> system) throws Exception {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private static List<String> members(ActorSystem<Void> system, MemberStatus status) {
    return StreamSupport.stream(Cluster.get(system).state().getMembers().spliterator(), false)
        .filter(member -> member.status().equals(status))
        .map(member -> member.address().host().get())
        .sorted()
        .toList();
  }

  private String host(int index) {
    return block.plus(index).toString();
  }

  @Test
  void aNodeThatWasKilledAndReturnsOnAnotherAddressTakesItsOldPlace() throws Exception {
    ActorSystem<Void> controlPlane = member(ClusterMember.CONTROL_PLANE, 0, "control-plane");
    ActorSystem<Void> first = member(ClusterMember.NODE, 1, "node-1", link(0));
    await()
        .atMost(LIMIT)
        .until(() -> members(controlPlane, MemberStatus.up()).equals(List.of(host(0), host(1))));

    kill(first);
    member(ClusterMember.NODE, 2, "node-1", link(0));

    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(members(controlPlane, MemberStatus.up()))
                    .containsExactly(host(0), host(2)));
  }

  @Test
  void aNodeThatIsSilentStaysAMemberWhoeverElseJoins() throws Exception {
    ActorSystem<Void> controlPlane = member(ClusterMember.CONTROL_PLANE, 0, "control-plane");
    ActorSystem<Void> first = member(ClusterMember.NODE, 1, "node-1", link(0));
    await()
        .atMost(LIMIT)
        .until(() -> members(controlPlane, MemberStatus.up()).equals(List.of(host(0), host(1))));

    kill(first);
    await()
        .atMost(LIMIT)
        .until(() -> !Cluster.get(controlPlane).state().getUnreachable().isEmpty());
    member(ClusterMember.NODE, 2, "node-2", link(0));

    await()
        .atMost(LIMIT)
        .until(() -> members(controlPlane, MemberStatus.weaklyUp()).equals(List.of(host(2))));
    assertThat(members(controlPlane, MemberStatus.up())).containsExactly(host(0), host(1));
  }

  @Test
  void aMemberWhoseNamesIncludeItsOwnAddressAsksTheOthersAndFormsNoClusterAlone() {
    ActorSystem<Void> node = member(ClusterMember.NODE, 1, "node-1", link(0), link(1));
    ActorSystem<Void> controlPlane = member(ClusterMember.CONTROL_PLANE, 0, "control-plane");

    await()
        .atMost(LIMIT)
        .until(() -> members(node, MemberStatus.up()).equals(List.of(host(0), host(1))));
    assertThat(members(controlPlane, MemberStatus.up())).containsExactly(host(0), host(1));
  }
}
