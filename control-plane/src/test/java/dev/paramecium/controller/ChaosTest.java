package dev.paramecium.controller;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.chaos.ChaosControllers;
import dev.paramecium.chaos.PodNetworkChaoses;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Experiments as their controllers see them; the nodes' daemons are played by the test. */
final class ChaosTest {

  private final World world = new World(new Random(1), ChaosControllers.all());

  @BeforeEach
  void threeClientsAndAServerOnTwoNodes() {
    for (int i = 1; i <= 3; i++) {
      pod("client-" + i, "client", "10.0.1." + i);
    }
    pod("server", "server", "10.0.2.1");
    node("node-1", "192.168.0.1");
    node("node-2", "192.168.0.2");
    node("node-3", "192.168.0.3");
  }

  private void pod(String name, String app, String ip) {
    world.put(
        World.object(
            """
            {apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: default, labels: {app: %s}},
             spec: {nodeName: node-1}, status: {phase: Running, podIP: %s}}
            """
                .formatted(name, app, ip)));
  }

  private void node(String name, String ip) {
    world.put(
        World.object(
            """
            {apiVersion: v1, kind: Node, metadata: {name: %s},
             status: {addresses: [{type: Hostname, address: %s}, {type: InternalIP, address: %s}]}}
            """
                .formatted(name, name, ip)));
  }

  private void networkChaos(String spec) {
    networkChaos("all", spec);
  }

  private void networkChaos(String mode, String spec) {
    world.put(
        World.object(
            """
            {apiVersion: chaos-mesh.org/v1alpha1, kind: NetworkChaos,
             metadata: {name: fault, namespace: default},
             spec: {selector: {labelSelectors: {app: client}}, mode: %s, direction: to, %s}}
            """
                .formatted(mode, spec)));
  }

  /** Every link's daemon does what it is told. */
  private void settle() {
    boolean moved = true;
    for (int round = 0; moved && round < 1000; round++) {
      moved = world.step();
      for (ResourceType type :
          List.of(ResourceType.POD_NETWORK_CHAOS, ResourceType.NODE_NETWORK_CHAOS)) {
        for (KubeObject link : List.copyOf(world.cache.all(type))) {
          long generation = link.at("/metadata/generation").asLong();
          if (link.at("/status/observedGeneration").asLong(-1) != generation) {
            KubeObject told = link.copy();
            told.json().withObject("/status").put("observedGeneration", generation);
            world.put(told);
            moved = true;
          }
        }
      }
    }
    assertThat(moved).isFalse();
  }

  private KubeObject fault() {
    return world.cache.get(ResourceType.NETWORK_CHAOS, "default", "fault");
  }

  private static String condition(KubeObject chaos, String type) {
    for (JsonNode condition : chaos.at("/status/conditions")) {
      if (condition.path("type").asText().equals(type)) {
        return condition.path("status").asText();
      }
    }
    return "";
  }

  private JsonNode link(String pod) {
    KubeObject link = world.cache.get(ResourceType.POD_NETWORK_CHAOS, "default", pod);
    assertThat(link).as("the link of %s", pod).isNotNull();
    return link.at("/spec");
  }

  private List<String> linksOf(ResourceType type) {
    return world.cache.all(type).stream().map(KubeObject::name).toList();
  }

  private static final String TO_SERVER =
      "target: {mode: all, selector: {labelSelectors: {app: server}}}";

  @Test
  void aDelayTowardsATargetLiesOnTheSourcesLinksAlone() {
    networkChaos("action: delay, delay: {latency: 90ms}, " + TO_SERVER);
    settle();
    assertThat(linksOf(ResourceType.POD_NETWORK_CHAOS))
        .containsExactly("client-1", "client-2", "client-3");
    JsonNode tc = link("client-2").at("/tcs/0");
    assertThat(tc.at("/delay/latency").asText()).isEqualTo("90ms");
    assertThat(tc.at("/ipset").asText()).isEqualTo("default_fault_tgt");
    assertThat(link("client-2").at("/ipsets/0/cidrs").toString()).isEqualTo("[\"10.0.2.1/32\"]");
    assertThat(condition(fault(), "AllInjected")).isEqualTo("True");
  }

  @Test
  void aPartitionCutsBothSides() {
    networkChaos("action: partition, " + TO_SERVER);
    settle();
    assertThat(link("client-1").at("/iptables/0/direction").asText()).isEqualTo("OUTPUT");
    assertThat(link("server").at("/iptables/0/direction").asText()).isEqualTo("INPUT");
    assertThat(link("server").at("/ipsets/0/cidrs"))
        .extracting(JsonNode::asText)
        .containsExactly("10.0.1.1/32", "10.0.1.2/32", "10.0.1.3/32");
  }

  @Test
  void itIsInjectedWhenTheNodesHaveDoneItAndNotBefore() {
    networkChaos("action: loss, loss: {loss: \"10\"}");
    while (world.step()) {
      // The daemons do nothing.
    }
    assertThat(linksOf(ResourceType.POD_NETWORK_CHAOS)).hasSize(3);
    assertThat(condition(fault(), "Selected")).isEqualTo("True");
    assertThat(condition(fault(), "AllInjected")).isEqualTo("False");
    settle();
    assertThat(condition(fault(), "AllInjected")).isEqualTo("True");
  }

  @Test
  void deletionWaitsUntilTheLinksAreAsBefore() {
    networkChaos("action: loss, loss: {loss: \"10\"}");
    settle();
    KubeObject deleted = fault().copy();
    deleted.json().withObject("/metadata").put("deletionTimestamp", World.NOW.toString());
    world.put(deleted);
    while (world.step()) {
      // The daemons do nothing.
    }
    assertThat(fault().at("/metadata/finalizers").toString()).contains("chaos-mesh/records");
    settle();
    assertThat(fault().at("/metadata/finalizers")).isEmpty();
    assertThat(linksOf(ResourceType.POD_NETWORK_CHAOS)).isEmpty();
  }

  @Test
  void aPausedOneRecoversAndComesBack() {
    networkChaos("action: loss, loss: {loss: \"10\"}");
    settle();
    pause("true");
    assertThat(condition(fault(), "Paused")).isEqualTo("True");
    assertThat(condition(fault(), "AllRecovered")).isEqualTo("True");
    assertThat(linksOf(ResourceType.POD_NETWORK_CHAOS)).isEmpty();
    pause("false");
    assertThat(condition(fault(), "AllInjected")).isEqualTo("True");
  }

  private void pause(String value) {
    KubeObject paused = fault().copy();
    paused
        .json()
        .withObject("/metadata")
        .withObject("/annotations")
        .put("experiment.chaos-mesh.org/pause", value);
    world.put(paused);
    settle();
  }

  @Test
  void whatIsOverDoesNothing() {
    networkChaos("action: loss, loss: {loss: \"10\"}, duration: 1ns");
    KubeObject old = fault().copy();
    old.json().withObject("/metadata").put("creationTimestamp", "2025-01-01T00:00:00Z");
    world.put(old);
    settle();
    assertThat(linksOf(ResourceType.POD_NETWORK_CHAOS)).isEmpty();
    assertThat(fault().text("/status/experiment/desiredPhase")).isEqualTo("Stop");
  }

  @Test
  void twoExperimentsShareALinkAndOneOfThemEnds() {
    networkChaos("action: loss, loss: {loss: \"10\"}");
    ObjectNode other = fault().copy().json();
    other.withObject("/metadata").put("name", "other").put("uid", "other");
    other.withObject("/spec").put("mode", "one").put("action", "partition");
    world.put(new KubeObject(other));
    settle();
    List<String> both = new ArrayList<>();
    for (KubeObject link : world.cache.all(ResourceType.POD_NETWORK_CHAOS)) {
      assertThat(link.at("/spec/tcs")).hasSize(1);
      if (!link.at("/spec/iptables").isEmpty()) {
        both.add(link.name());
      }
    }
    assertThat(both).hasSize(1);
    world.cache.remove(world.cache.get(ResourceType.NETWORK_CHAOS, "default", "other"));
    settle();
    assertThat(link(both.getFirst()).at("/iptables")).isEmpty();
    assertThat(link(both.getFirst()).at("/tcs")).hasSize(1);
  }

  @Test
  void modesChooseSoManyAndTheUidDecidesWhich() {
    for (String mode : List.of("one", "fixed, value: \"1\"")) {
      networkChaos(mode, "action: loss, loss: {loss: \"10\"}");
      settle();
      assertThat(linksOf(ResourceType.POD_NETWORK_CHAOS)).hasSize(1);
    }
    networkChaos("fixed-percent, value: \"67\"", "action: loss, loss: {loss: \"10\"}");
    KubeObject again = fault().copy();
    again.json().remove("status");
    world.put(again);
    settle();
    assertThat(linksOf(ResourceType.POD_NETWORK_CHAOS)).hasSize(2);
  }

  @Test
  void nodesAreCutOffFromAllOthersOrFromTheirPeers() {
    world.put(
        World.object(
            """
            {apiVersion: paramecium.dev/v1alpha1, kind: PartitionChaos, metadata: {name: cut},
             spec: {nodes: [node-2], direction: from}}
            """));
    settle();
    KubeObject one = world.cache.get(ResourceType.NODE_NETWORK_CHAOS, "", "node-1");
    KubeObject two = world.cache.get(ResourceType.NODE_NETWORK_CHAOS, "", "node-2");
    assertThat(one.at("/spec/iptables/0/direction").asText()).isEqualTo("OUTPUT");
    assertThat(one.at("/spec/ipsets/0/cidrs").toString()).isEqualTo("[\"192.168.0.2/32\"]");
    assertThat(two.at("/spec/iptables/0/direction").asText()).isEqualTo("INPUT");
    assertThat(two.at("/spec/ipsets/0/cidrs").toString())
        .isEqualTo("[\"192.168.0.1/32\",\"192.168.0.3/32\"]");
    assertThat(condition(world.cache.get(ResourceType.PARTITION_CHAOS, "", "cut"), "AllInjected"))
        .isEqualTo("True");
  }

  @Test
  void aKilledPodIsDeletedOnceAndItsSuccessorLives() {
    world.put(
        World.object(
            """
            {apiVersion: chaos-mesh.org/v1alpha1, kind: PodChaos,
             metadata: {name: kill, namespace: default},
             spec: {action: pod-kill, mode: all, selector: {labelSelectors: {app: server}}}}
            """));
    settle();
    assertThat(world.cache.get(ResourceType.POD, "default", "server")).isNull();
    assertThat(world.events).containsExactly("Applied: Successfully apply chaos for server");
    pod("server", "server", "10.0.2.2");
    settle();
    assertThat(world.cache.get(ResourceType.POD, "default", "server")).isNotNull();
  }

  @Test
  void aKillThatIsTriedAgainHitsNobodyElse() {
    world.put(
        World.object(
            """
            {apiVersion: chaos-mesh.org/v1alpha1, kind: PodChaos,
             metadata: {name: kill, namespace: default},
             spec: {action: pod-kill, mode: one, selector: {labelSelectors: {app: client}}}}
            """));
    settle();
    assertThat(world.pods()).hasSize(3);
    KubeObject kill = world.cache.get(ResourceType.POD_CHAOS, "default", "kill");
    assertThat(condition(kill, "AllInjected")).isEqualTo("True");
    KubeObject unwritten = kill.copy();
    ((ObjectNode) unwritten.at("/status/experiment/containerRecords/0"))
        .put("phase", "Not Injected");
    world.put(unwritten);
    String victim = kill.at("/status/experiment/containerRecords/0/id").asText().substring(8);
    pod(victim, "client", "10.0.1.77");
    settle();
    assertThat(world.pods()).hasSize(4);
  }

  @Test
  void podsThatFailSleepAndThenHaveTheirImagesBack() {
    for (int i = 1; i <= 2; i++) {
      KubeObject pod = world.cache.get(ResourceType.POD, "default", "client-" + i).copy();
      pod.json()
          .withObject("/spec")
          .putArray("containers")
          .addObject()
          .put("name", "c")
          .put("image", "image-" + i);
      world.put(pod);
    }
    world.put(
        World.object(
            """
            {apiVersion: chaos-mesh.org/v1alpha1, kind: PodChaos,
             metadata: {name: fail, namespace: default},
             spec: {action: pod-failure, mode: all, selector: {pods: {default: [client-1, client-2]}}}}
            """));
    settle();
    assertThat(images()).containsOnly("gcr.io/google-containers/pause:latest");
    assertThat(condition(failure(), "AllInjected")).isEqualTo("False");
    kubelets();
    settle();
    assertThat(condition(failure(), "AllInjected")).isEqualTo("True");
    KubeObject deleted = failure().copy();
    deleted.json().withObject("/metadata").put("deletionTimestamp", World.NOW.toString());
    world.put(deleted);
    settle();
    assertThat(images()).containsExactly("image-1", "image-2");
    assertThat(failure().at("/metadata/finalizers")).isNotEmpty();
    kubelets();
    settle();
    assertThat(failure().at("/metadata/finalizers")).isEmpty();
    assertThat(
            world
                .cache
                .get(ResourceType.POD, "default", "client-1")
                .at("/metadata")
                .has("annotations"))
        .isFalse();
  }

  private KubeObject failure() {
    return world.cache.get(ResourceType.POD_CHAOS, "default", "fail");
  }

  private List<String> images() {
    return List.of("client-1", "client-2").stream()
        .map(name -> world.cache.get(ResourceType.POD, "default", name))
        .map(pod -> pod.text("/spec/containers/0/image"))
        .toList();
  }

  /** Every container runs with its image. */
  private void kubelets() {
    for (String name : List.of("client-1", "client-2")) {
      KubeObject pod = world.cache.get(ResourceType.POD, "default", name).copy();
      pod.json()
          .withObject("/status")
          .putArray("containerStatuses")
          .addObject()
          .put("name", "c")
          .put("image", pod.text("/spec/containers/0/image"))
          .putObject("state")
          .putObject("running");
      world.put(pod);
    }
  }

  @Test
  void aContainerToKillIsRecordedWithItsNode() {
    KubeObject pod = world.cache.get(ResourceType.POD, "default", "server").copy();
    pod.json().withObject("/spec").putArray("containers").addObject().put("name", "c");
    world.put(pod);
    world.put(
        World.object(
            """
            {apiVersion: chaos-mesh.org/v1alpha1, kind: PodChaos,
             metadata: {name: kill, namespace: default},
             spec: {action: container-kill, mode: all, containerNames: [c, other],
                    selector: {labelSelectors: {app: server}}}}
            """));
    settle();
    JsonNode records =
        world
            .cache
            .get(ResourceType.POD_CHAOS, "default", "kill")
            .at("/status/experiment/containerRecords");
    assertThat(records).hasSize(1);
    assertThat(records.at("/0/id").asText()).isEqualTo("default/server/c");
    assertThat(records.at("/0/node").asText()).isEqualTo("node-1");
    assertThat(records.at("/0/phase").asText()).isEqualTo("Not Injected");
  }

  @Test
  void aFaultOfNodesWaitsForEachThatIsNamedAndGoesWhenAllHaveRecovered() {
    world.put(
        World.object(
            """
            {apiVersion: paramecium.dev/v1alpha1, kind: MapChaos, metadata: {name: old},
             spec: {action: stale, map: cilium_ipcache, nodes: [node-1, node-9]}}
            """));
    settle();
    assertThat(condition(mapChaos(), "Selected")).isEqualTo("False");
    node("node-9", "192.168.0.9");
    settle();
    JsonNode records = mapChaos().at("/status/experiment/containerRecords");
    assertThat(records)
        .extracting(r -> r.path("node").asText())
        .containsExactly("node-1", "node-9");
    executors("Injected");
    assertThat(condition(mapChaos(), "AllInjected")).isEqualTo("True");
    KubeObject deleted = mapChaos().copy();
    deleted.json().withObject("/metadata").put("deletionTimestamp", World.NOW.toString());
    world.put(deleted);
    settle();
    assertThat(mapChaos().at("/metadata/finalizers")).isNotEmpty();
    executors("Not Injected");
    assertThat(mapChaos().at("/metadata/finalizers")).isEmpty();
  }

  private KubeObject mapChaos() {
    return world.cache.get(ResourceType.MAP_CHAOS, "", "old");
  }

  private void executors(String phase) {
    KubeObject acted = mapChaos().copy();
    for (JsonNode record : acted.at("/status/experiment/containerRecords")) {
      ((ObjectNode) record).put("phase", phase);
    }
    world.put(acted);
    settle();
  }

  @Test
  void theOtherSidesAddressesFollowThePods() {
    networkChaos("action: delay, delay: {latency: 90ms}, " + TO_SERVER);
    settle();
    KubeObject moved = world.cache.get(ResourceType.POD, "default", "server").copy();
    moved.json().withObject("/status").put("podIP", "10.0.2.99");
    world.put(moved);
    assertThat(new PodNetworkChaoses().concerned(moved, world.cache))
        .contains(new Reconciler.Key("default", "client-1"));
    settle();
    assertThat(link("client-2").at("/ipsets/0/cidrs").toString()).isEqualTo("[\"10.0.2.99/32\"]");
  }
}
