package dev.paramecium.chaos;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.pekko.Done;

/**
 * NodeChaos: crash (SIGKILL, started again at the end), pause (SIGSTOP, SIGCONT at the end) and
 * restart (SIGTERM, started again at once) of the process that runs a node. It is over when the
 * node says that it is Ready.
 */
final class ProcessFaults implements Action {

  private static final Duration READY = Duration.ofSeconds(90);
  private static final long LOOK_MS = 300;

  private final Machine machine;
  private final ApiClient api;
  private final InstantSource clock;
  private final Executor blocking;

  /**
   * @param blocking runs what waits for processes
   */
  ProcessFaults(Machine machine, ApiClient api, InstantSource clock, Executor blocking) {
    this.machine = machine;
    this.api = api;
    this.clock = clock;
    this.blocking = blocking;
  }

  @Override
  public ResourceType type() {
    return ResourceType.NODE_CHAOS;
  }

  @Override
  public boolean isMine(Experiment.Record record) {
    return record.node().equals(Warden.CONTROL_PLANE);
  }

  @Override
  public boolean endsWithThisProcess() {
    return false;
  }

  @Override
  public CompletionStage<Done> inject(KubeObject chaos, String id) {
    requireWhole(chaos, id, machine);
    Instant now = clock.instant();
    return switch (chaos.text("/spec/action")) {
      case "pause" -> run(() -> machine.pause(id));
      case "restart" ->
          run(() -> {
                machine.terminate(id);
                machine.start(id);
              })
              .thenCompose(_ -> ready(id, now, now.plus(READY)));
      default -> run(() -> machine.kill(id));
    };
  }

  @Override
  public CompletionStage<Done> recover(KubeObject chaos, String id) {
    Instant now = clock.instant();
    return switch (chaos.text("/spec/action")) {
      case "pause" ->
          run(() -> machine.resume(id)).thenCompose(_ -> renewed(id, now, now.plus(READY)));
      case "restart" -> CompletableFuture.completedFuture(Done.done());
      default -> run(() -> machine.start(id)).thenCompose(_ -> ready(id, now, now.plus(READY)));
    };
  }

  /** A process is one: all its nodes go, or none. */
  static void requireWhole(KubeObject chaos, String id, Machine machine) {
    List<String> missing = new ArrayList<>(machine.sharing(id));
    chaos.at("/spec/nodes").forEach(named -> missing.remove(named.asText()));
    if (!missing.isEmpty()) {
      throw new IllegalStateException(
          id
              + " shares its process with "
              + String.join(", ", missing)
              + ": name them in spec.nodes, too, or give each node a process of its own in the"
              + " cluster file");
    }
  }

  private CompletionStage<Done> run(Runnable what) {
    return CompletableFuture.supplyAsync(
        () -> {
          what.run();
          return Done.done();
        },
        blocking);
  }

  /** Waits for a heartbeat that is not older than {@code since}, and says Ready. */
  private CompletionStage<Done> ready(String node, Instant since, Instant limit) {
    return await(
        () -> api.get(ResourceType.NODE, "", node),
        object -> isReady(object, since.truncatedTo(ChronoUnit.SECONDS)),
        limit,
        node + " was started, but is not Ready: its log says why");
  }

  /** Waits until a node that went on has renewed its lease, and is Ready in everybody's eyes. */
  private CompletionStage<Done> renewed(String node, Instant since, Instant limit) {
    return await(
            () -> api.get(ResourceType.LEASE, "kube-node-lease", node),
            lease ->
                !lease.text("/spec/renewTime").isEmpty()
                    && !Instant.parse(lease.text("/spec/renewTime")).isBefore(since),
            limit,
            node + " goes on, but does not renew its lease: its log says why")
        .thenCompose(_ -> ready(node, Instant.EPOCH, limit));
  }

  private CompletionStage<Done> await(
      Supplier<CompletionStage<ApiReply>> read,
      Predicate<KubeObject> condition,
      Instant limit,
      String otherwise) {
    return read.get()
        .thenCompose(
            reply -> {
              if (reply instanceof ApiReply.Stored(KubeObject object, boolean _)
                  && condition.test(object)) {
                return CompletableFuture.completedFuture(Done.done());
              }
              if (clock.instant().isAfter(limit)) {
                return CompletableFuture.failedFuture(new IllegalStateException(otherwise));
              }
              return CompletableFuture.supplyAsync(
                      () -> Done.done(),
                      CompletableFuture.delayedExecutor(LOOK_MS, TimeUnit.MILLISECONDS))
                  .thenCompose(_ -> await(read, condition, limit, otherwise));
            });
  }

  private static boolean isReady(KubeObject node, Instant since) {
    for (var condition : node.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText().equals("True")
            && !Instant.parse(condition.path("lastHeartbeatTime").asText()).isBefore(since);
      }
    }
    return false;
  }
}
