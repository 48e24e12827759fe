package dev.paramecium.agent;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.addons.Addons;
import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.ApiServer;
import dev.paramecium.apiserver.Journal;
import dev.paramecium.controller.Controller;
import dev.paramecium.controller.workload.DaemonSets;
import dev.paramecium.operator.Operator;
import dev.paramecium.operator.OperatorConfig;
import dev.paramecium.proto.StoredObject;
import dev.paramecium.scheduler.Scheduler;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.userland.NodeUserland;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A control plane in this JVM, and nodes whose kernels forward nothing. */
public final class TestCluster implements AutoCloseable {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  public final ActorTestKit kit = ActorTestKit.create();
  private final Journal journal = new MemoryJournal();
  private volatile ActorRef<ApiRequest> incarnation = newApiServer();

  /** What clients speak to, as to a cluster singleton: whichever API server runs now. */
  public final ActorRef<ApiRequest> server =
      kit.spawn(
          Behaviors.receiveMessage(
              request -> {
                incarnation.tell(request);
                return Behaviors.same();
              }));

  public final ApiClient api = new ActorApiClient(kit.system(), server);

  private ActorRef<ApiRequest> newApiServer() {
    return kit.spawn(ApiServer.create(journal, InstantSource.system()));
  }

  /** {@code kill -9} of the API server: requests are heard by nobody. */
  public void killApiServer() {
    kit.stop(incarnation);
  }

  /** Another one over the same journal. */
  public void startApiServer() {
    incarnation = newApiServer();
  }

  /** The API server alone. */
  public TestCluster() {}

  /** With operator and scheduler. */
  public static TestCluster complete() {
    TestCluster cluster = new TestCluster();
    cluster.kit.spawn(
        Operator.create(
            cluster.api,
            OperatorConfig.of("default", Ipv4Prefix.parse("10.42.0.0/16"), 24),
            InstantSource.system()));
    cluster.kit.spawn(Scheduler.create(cluster.api, InstantSource.system()));
    return cluster;
  }

  /** Also with Cilium's pods, as a new cluster is given them. */
  public TestCluster withAgentPods() {
    kit.spawn(Addons.create(api, Map.of("tunnel", "vxlan")));
    kit.spawn(Controller.create(new DaemonSets(), api, InstantSource.system()));
    return this;
  }

  /** Starts a node's userland over {@code kernel}. */
  public ActorRef<NodeUserland.Command> start(NodeConfig config, FakeKernel kernel, long seed) {
    ActorRef<Syscall> ref = kit.spawn(kernel.behavior());
    return kit.spawn(
        NodeUserland.create(config, ref, api, InstantSource.system(), new SplittableRandom(seed)));
  }

  public static NodeConfig node(int number) {
    return NodeConfig.of("node-" + number, new Ipv4Address(0xc0a80100 + 10 + number));
  }

  /** The answer to a request, which must not fail. */
  public static KubeObject stored(CompletionStage<ApiReply> call) {
    ApiReply reply = call.toCompletableFuture().join();
    return switch (reply) {
      case ApiReply.Stored stored -> stored.object();
      case ApiReply.Deleted deleted -> deleted.object();
      case ApiReply.Listed _, ApiReply.Failed _ -> throw new AssertionError(reply.toString());
    };
  }

  public List<KubeObject> list(ResourceType type) {
    ApiReply reply = api.list(type, "", "", "").toCompletableFuture().join();
    return reply instanceof ApiReply.Listed listed ? listed.objects() : List.of();
  }

  /** The object, or null. */
  public KubeObject find(ResourceType type, String namespace, String name) {
    ApiReply reply = api.get(type, namespace, name).toCompletableFuture().join();
    return reply instanceof ApiReply.Stored stored ? stored.object() : null;
  }

  public KubeObject create(ResourceType type, String json) {
    return stored(api.create(type, object(json)));
  }

  public static KubeObject object(String json) {
    try {
      return new KubeObject((ObjectNode) MAPPER.readTree(json));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(json, e);
    }
  }

  /** {@code type reason: message} of each event about an object of this name, oldest first. */
  public List<String> eventsOf(String name) {
    return list(ResourceType.EVENT).stream()
        .filter(event -> event.text("/involvedObject/name").equals(name))
        .sorted(Comparator.comparing(KubeObject::name))
        .map(
            event ->
                event.text("/type") + " " + event.text("/reason") + ": " + event.text("/message"))
        .toList();
  }

  /** A pod with one container; {@code nodeName} may be empty. */
  public KubeObject createPod(String name, String app, String nodeName) {
    return create(
        ResourceType.POD,
        """
        {"apiVersion":"v1","kind":"Pod",
         "metadata":{"name":"%s","namespace":"default","labels":{"app":"%s"}},
         "spec":{%s"containers":[{"name":"main","image":"curlimages/curl","command":["sleep","365d"]}]}}
        """
            .formatted(name, app, nodeName.isEmpty() ? "" : "\"nodeName\":\"" + nodeName + "\","));
  }

  public void awaitPod(String name, String phase) {
    eventually(
        () -> {
          KubeObject pod = find(ResourceType.POD, "default", name);
          return pod != null && pod.text("/status/phase").equals(phase);
        });
  }

  public static void eventually(Callable<Boolean> condition) {
    await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(10))
        .pollDelay(Duration.ZERO)
        .until(condition);
  }

  @Override
  public void close() {
    kit.shutdownTestKit();
  }

  /** A journal that survives nothing. */
  private static final class MemoryJournal implements Journal {

    private final List<StoredObject> records = new CopyOnWriteArrayList<>(new ArrayList<>());

    @Override
    public void replay(Consumer<StoredObject> record) {
      records.forEach(record);
    }

    @Override
    public void append(List<StoredObject> added) {
      records.addAll(added);
    }

    @Override
    public boolean wantsCompaction() {
      return false;
    }

    @Override
    public void compact(Collection<StoredObject> live, long resourceVersion) {}

    @Override
    public void close() {}
  }
}
