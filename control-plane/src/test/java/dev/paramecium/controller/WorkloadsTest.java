package dev.paramecium.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class WorkloadsTest {

  private static KubeObject deployment(
      int replicas, String surge, String unavailable, String image) {
    return World.object(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: default}
        spec:
          replicas: %d
          selector: {matchLabels: {app: web}}
          strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: %s, maxUnavailable: %s}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: c, image: "%s"}]}
        """
            .formatted(replicas, surge, unavailable, image));
  }

  private static void change(World world, String image, int replicas) {
    KubeObject changed = world.cache.get(ResourceType.DEPLOYMENT, "default", "web").copy();
    changed
        .json()
        .withObject("/spec")
        .put("replicas", replicas)
        .withObject("/template/spec")
        .putArray("containers")
        .addObject()
        .put("name", "c")
        .put("image", image);
    world.put(changed);
  }

  /** Whatever the order of events, a rollout keeps its two promises and ends. */
  @Property(tries = 150)
  void aRolloutKeepsWithinSurgeAndUnavailability(
      @ForAll Random random,
      @ForAll @IntRange(min = 1, max = 8) int replicas,
      @ForAll @IntRange(min = 0, max = 3) int surge,
      @ForAll @IntRange(min = 0, max = 3) int unavailable) {
    World world = new World(random);
    world.put(deployment(replicas, Integer.toString(surge), Integer.toString(unavailable), "one"));
    world.settle();
    change(world, "two", replicas);
    int mayMiss = surge == 0 && unavailable == 0 ? 1 : unavailable;
    boolean moved = true;
    for (int i = 0; moved; i++) {
      assertThat(i).as("steps").isLessThan(5_000);
      moved = world.step();
      // As in Kubernetes, the promise is about what the ReplicaSets ask for.
      int asked =
          world.cache.all(ResourceType.REPLICA_SET).stream()
              .mapToInt(set -> set.at("/spec/replicas").asInt())
              .sum();
      assertThat(asked).isLessThanOrEqualTo(replicas + surge);
      assertThat(world.pods().stream().filter(WorkloadsTest::isReady))
          .hasSizeGreaterThanOrEqualTo(replicas - mayMiss);
      List<KubeObject> waiting =
          world.pods().stream().filter(pod -> pod.text("/status/phase").isEmpty()).toList();
      if (!waiting.isEmpty() && (!moved || random.nextBoolean())) {
        world.setPod(waiting.get(random.nextInt(waiting.size())), "Running", true);
        moved = true;
      }
    }
    assertThat(images(world)).hasSize(replicas).containsOnly("two");
    KubeObject status = world.cache.get(ResourceType.DEPLOYMENT, "default", "web");
    assertThat(status.at("/status/availableReplicas").asInt()).isEqualTo(replicas);
    assertThat(status.at("/status/conditions").findValuesAsText("reason"))
        .contains("NewReplicaSetAvailable");
  }

  private static boolean isReady(KubeObject pod) {
    return pod.at("/status/conditions/0/status").asText().equals("True");
  }

  private static List<String> images(World world) {
    return world.pods().stream().map(pod -> pod.text("/spec/containers/0/image")).toList();
  }

  @Test
  void saysWhichReplicaSetsAreScaledAndWhichPodsMadeAndDeleted() {
    World world = new World(new Random(1));
    world.put(deployment(2, "1", "0", "one"));
    world.settle();
    String one = world.cache.all(ResourceType.REPLICA_SET).iterator().next().name();
    String[] pods = world.pods().stream().map(KubeObject::name).toArray(String[]::new);
    assertThat(world.events)
        .containsExactlyInAnyOrder(
            "ScalingReplicaSet: Scaled up replica set " + one + " to 2",
            "SuccessfulCreate: Created pod: " + pods[0],
            "SuccessfulCreate: Created pod: " + pods[1]);
    world.events.clear();
    change(world, "two", 2);
    world.settle();
    String two =
        world.cache.all(ResourceType.REPLICA_SET).stream()
            .map(KubeObject::name)
            .filter(name -> !name.equals(one))
            .findFirst()
            .orElseThrow();
    assertThat(world.events)
        .filteredOn(event -> event.startsWith("Scaling"))
        .containsExactly(
            "ScalingReplicaSet: Scaled up replica set " + two + " to 1",
            "ScalingReplicaSet: Scaled down replica set " + one + " to 1",
            "ScalingReplicaSet: Scaled up replica set " + two + " to 2",
            "ScalingReplicaSet: Scaled down replica set " + one + " to 0");
    assertThat(world.events)
        .contains(
            "SuccessfulDelete: Deleted pod: " + pods[0],
            "SuccessfulDelete: Deleted pod: " + pods[1]);
  }

  @Test
  void theTemplateOfBeforeIsTheReplicaSetOfBefore() {
    World world = new World(new Random(1));
    world.put(deployment(2, "1", "0", "one"));
    world.settle();
    change(world, "two", 2);
    world.settle();
    change(world, "one", 2);
    world.settle();
    assertThat(images(world)).containsExactly("one", "one");
    assertThat(world.cache.all(ResourceType.REPLICA_SET))
        .extracting(
            set -> set.at("/metadata/annotations/deployment.kubernetes.io~1revision").asText())
        .containsExactlyInAnyOrder("3", "2");
  }

  @Test
  void recreateStopsTheOldPodsFirst() {
    World world = new World(new Random(2));
    KubeObject deployment = deployment(3, "1", "0", "one");
    deployment.json().withObject("/spec/strategy").removeAll().put("type", "Recreate");
    world.put(deployment);
    world.settle();
    change(world, "two", 3);
    for (boolean moved = true; moved; ) {
      moved = world.step();
      assertThat(images(world).stream().distinct()).hasSizeLessThanOrEqualTo(1);
      for (KubeObject pod : world.pods()) {
        if (pod.text("/status/phase").isEmpty()) {
          world.setPod(pod, "Running", true);
          moved = true;
        }
      }
    }
    assertThat(images(world)).containsExactly("two", "two", "two");
  }

  @Test
  void aReplicaSetAdoptsWhatItSelectsAndGivesUpTheLeastWorthy() {
    World world = new World(new Random(3));
    world.put(
        World.object(
            "{apiVersion: v1, kind: Pod, metadata: {name: orphan, namespace: default,"
                + " labels: {app: web}}, spec: {nodeName: n1}}"));
    world.setPod(world.pods().getFirst(), "Running", true);
    world.put(
        World.object(
            """
            apiVersion: apps/v1
            kind: ReplicaSet
            metadata: {name: web, namespace: default}
            spec:
              replicas: 2
              selector: {matchLabels: {app: web}}
              template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}
            """));
    while (world.step()) {}
    assertThat(world.pods()).hasSize(2);
    KubeObject set = world.cache.get(ResourceType.REPLICA_SET, "default", "web").copy();
    set.json().withObject("/spec").put("replicas", 1);
    world.put(set);
    while (world.step()) {}
    assertThat(world.pods()).extracting(KubeObject::name).containsExactly("orphan");
  }

  @Test
  void aDaemonSetHasOnePodOnEachNodeThatItTolerates() {
    World world = new World(new Random(4));
    for (String node : List.of("n1", "n2", "tainted")) {
      world.put(
          World.object(
              "{apiVersion: v1, kind: Node, metadata: {name: %s}, spec: {taints: %s}}"
                  .formatted(
                      node, node.equals("tainted") ? "[{key: gpu, effect: NoSchedule}]" : "[]")));
    }
    world.put(
        World.object(
            """
            apiVersion: apps/v1
            kind: DaemonSet
            metadata: {name: agent, namespace: kube-system}
            spec:
              selector: {matchLabels: {app: agent}}
              template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: c}]}}
            """));
    world.settle();
    assertThat(world.pods())
        .extracting(pod -> pod.text("/spec/nodeName"))
        .containsExactlyInAnyOrder("n1", "n2");
    world.delete(ResourceType.NODE, world.cache.get(ResourceType.NODE, "", "n2"));
    world.settle();
    assertThat(world.pods()).hasSize(1);
  }

  @Test
  void aStatefulSetGrowsInOrderAndShrinksFromTheEnd() {
    World world = new World(new Random(5));
    KubeObject set =
        world.put(
            World.object(
                """
                apiVersion: apps/v1
                kind: StatefulSet
                metadata: {name: db, namespace: default}
                spec:
                  replicas: 3
                  serviceName: db
                  selector: {matchLabels: {app: db}}
                  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c}]}}
                """));
    while (world.step()) {}
    assertThat(world.pods()).extracting(KubeObject::name).containsExactly("db-0");
    world.settle();
    assertThat(world.pods()).extracting(KubeObject::name).containsExactly("db-0", "db-1", "db-2");
    KubeObject smaller = world.cache.get(ResourceType.STATEFUL_SET, "default", "db").copy();
    smaller.json().withObject("/spec").put("replicas", 1);
    world.put(smaller);
    world.settle();
    assertThat(world.pods()).extracting(KubeObject::name).containsExactly("db-0");
    assertThat(set.name()).isEqualTo("db");
    assertThat(world.events)
        .containsExactly(
            "SuccessfulCreate: create Pod db-0 in StatefulSet db successful",
            "SuccessfulCreate: create Pod db-1 in StatefulSet db successful",
            "SuccessfulCreate: create Pod db-2 in StatefulSet db successful",
            "SuccessfulDelete: delete Pod db-2 in StatefulSet db successful",
            "SuccessfulDelete: delete Pod db-1 in StatefulSet db successful");
  }

  @Test
  void aJobRunsUntilEnoughHaveSucceeded() {
    World world = new World(new Random(6));
    world.put(
        World.object(
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: sum, namespace: default}
            spec:
              completions: 3
              parallelism: 2
              template: {spec: {restartPolicy: Never, containers: [{name: c}]}}
            """));
    while (world.step()) {}
    assertThat(world.pods()).hasSize(2);
    world.pods().forEach(pod -> world.setPod(pod, "Succeeded", false));
    while (world.step()) {}
    assertThat(world.pods()).hasSize(3);
    world.pods().forEach(pod -> world.setPod(pod, "Succeeded", false));
    while (world.step()) {}
    KubeObject job = world.cache.get(ResourceType.JOB, "default", "sum");
    assertThat(job.at("/status/succeeded").asInt()).isEqualTo(3);
    assertThat(job.at("/status/conditions/0/type").asText()).isEqualTo("Complete");
    assertThat(world.events).hasSize(4).last().isEqualTo("Completed: Job completed");
    assertThat(world.events.getFirst()).startsWith("SuccessfulCreate: Created pod: sum-");
  }

  @Test
  void aJobGivesUpAfterItsBackoffLimit() {
    World world = new World(new Random(7));
    world.put(
        World.object(
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: sum, namespace: default}
            spec:
              backoffLimit: 0
              template: {spec: {restartPolicy: Never, containers: [{name: c}]}}
            """));
    while (world.step()) {}
    world.pods().forEach(pod -> world.setPod(pod, "Failed", false));
    while (world.step()) {}
    assertThat(
            world
                .cache
                .get(ResourceType.JOB, "default", "sum")
                .at("/status/conditions/0/reason")
                .asText())
        .isEqualTo("BackoffLimitExceeded");
    assertThat(world.pods()).hasSize(1);
    assertThat(world.events)
        .last()
        .isEqualTo("BackoffLimitExceeded: Job has reached the specified backoff limit");
  }

  @Test
  void aServiceLeadsToItsReadyPods() {
    World world = new World(new Random(8));
    world.put(deployment(2, "1", "0", "one"));
    world.put(
        World.object(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: web, namespace: default}
            spec:
              selector: {app: web}
              ports: [{port: 80, targetPort: 8080, protocol: TCP}]
            """));
    world.settle();
    KubeObject endpoints = world.cache.get(ResourceType.ENDPOINTS, "default", "web");
    assertThat(endpoints.at("/subsets/0/addresses")).hasSize(2);
    assertThat(endpoints.at("/subsets/0/ports/0/port").asInt()).isEqualTo(8080);
    world.setPod(world.pods().getFirst(), "Running", false);
    while (world.step()) {}
    endpoints = world.cache.get(ResourceType.ENDPOINTS, "default", "web");
    assertThat(endpoints.at("/subsets/0/addresses")).hasSize(1);
    assertThat(endpoints.at("/subsets/0/notReadyAddresses")).hasSize(1);
    KubeObject slice = world.cache.all(ResourceType.ENDPOINT_SLICE).iterator().next();
    assertThat(slice.at("/endpoints").findValuesAsText("ready"))
        .containsExactlyInAnyOrder("true", "false");
    world.delete(ResourceType.SERVICE, world.cache.get(ResourceType.SERVICE, "default", "web"));
    assertThat(
            new ServiceEndpoints()
                .plan(new Reconciler.Key("default", "web"), world.cache, World.NOW)
                .writes())
        .hasSize(2);
  }
}
