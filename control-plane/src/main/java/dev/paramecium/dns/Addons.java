package dev.paramecium.dns;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.BundledObjects;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Gives a new cluster its coredns, as kubeadm does: once. Where the ConfigMap {@code
 * kube-system/coredns} exists the cluster has been given it, and what its owner has changed or
 * deleted since stays so. It waits until no more nodes become ready, so that the replicas spread
 * over them.
 */
public final class Addons {

  /** How long no node must have become ready. */
  private static final Duration SETTLED = Duration.ofSeconds(2);

  /** What the actor tells itself. */
  public sealed interface Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Ended(String error) implements Command {}

  private enum Tick implements Command {
    BEGIN
  }

  private static final List<ResourceType> TYPES =
      List.of(
          ResourceType.SERVICE_ACCOUNT,
          ResourceType.SERVICE,
          ResourceType.DEPLOYMENT,
          ResourceType.CONFIG_MAP);

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final ApiClient api;
  private final Backoff backoff = Backoff.forApi();
  private final Set<String> ready = new HashSet<>();
  private boolean installing;

  private Addons(ActorContext<Command> context, TimerScheduler<Command> timers, ApiClient api) {
    this.context = context;
    this.timers = timers;
    this.api = api;
    api.inform(
        ResourceType.NODE, "", "", "", context.messageAdapter(InformerEvent.class, FromApi::new));
  }

  /** Ends when it is done. */
  public static Behavior<Command> create(ApiClient api) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> {
                  Addons addons = new Addons(context, timers, api);
                  return Behaviors.receiveMessage(addons::onCommand);
                }));
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case FromApi(InformerEvent.Upserted upserted) -> {
        KubeObject node = upserted.current();
        if (isReady(node) && ready.add(node.name()) && !installing) {
          timers.startSingleTimer(Tick.BEGIN, SETTLED);
        }
      }
      case FromApi _ -> {}
      case Tick.BEGIN -> {
        installing = true;
        context.pipeToSelf(
            install(api),
            (_, failure) -> new Ended(failure == null ? "" : KernelCalls.message(failure)));
      }
      case Ended(String error) when error.isEmpty() -> {
        return Behaviors.stopped();
      }
      case Ended(String error) -> {
        context.getLog().info("no coredns yet: {}", error);
        timers.startSingleTimer(Tick.BEGIN, backoff.next());
      }
    }
    return Behaviors.same();
  }

  private static boolean isReady(KubeObject node) {
    for (JsonNode condition : node.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText().equals("True");
      }
    }
    return false;
  }

  private static CompletionStage<Done> install(ApiClient api) {
    return api.get(ResourceType.CONFIG_MAP, "kube-system", "coredns")
        .thenCompose(
            reply -> {
              if (!(reply instanceof ApiReply.Failed failed)) {
                return CompletableFuture.completedFuture(Done.getInstance());
              }
              if (failed.code() != 404) {
                return CompletableFuture.failedFuture(new IllegalStateException(failed.message()));
              }
              CompletionStage<Done> all = CompletableFuture.completedFuture(Done.getInstance());
              List<KubeObject> manifests = BundledObjects.read(Addons.class, "coredns.yaml");
              // The ConfigMap last: a cluster that has it has all.
              for (ResourceType type : TYPES) {
                for (KubeObject object : manifests) {
                  if (object.kind().equals(type.kind())) {
                    all = all.thenCompose(_ -> api.ensure(type, object));
                  }
                }
              }
              return all;
            });
  }
}
