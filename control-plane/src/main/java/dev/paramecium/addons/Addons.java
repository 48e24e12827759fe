package dev.paramecium.addons;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.BundledObjects;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Gives a new cluster what is installed into one first, as kubeadm and Cilium's chart do: once.
 * Cilium's agents and operator come at once; coredns and hubble-relay wait until no more nodes
 * become ready, so that they spread over the nodes.
 */
public final class Addons {

  /** How long no node must have become ready. */
  private static final Duration SETTLED = Duration.ofSeconds(2);

  /** What the actor tells itself. */
  public sealed interface Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Ended(String error) implements Command {}

  private enum Tick implements Command {
    SETTLED,
    AGAIN
  }

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final ApiClient api;
  private final List<Bundle> waiting = new ArrayList<>();
  private final Backoff backoff = Backoff.forApi();
  private final Set<String> ready = new HashSet<>();
  private boolean settled;
  private boolean installing;

  private Addons(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ApiClient api,
      Map<String, String> options) {
    this.context = context;
    this.timers = timers;
    this.api = api;
    waiting.add(cilium(options));
    api.inform(
        ResourceType.NODE, "", "", "", context.messageAdapter(InformerEvent.class, FromApi::new));
    install();
  }

  /**
   * Ends when it is done.
   *
   * @param options Cilium's, in force at the cluster's first start, for its ConfigMap
   */
  public static Behavior<Command> create(ApiClient api, Map<String, String> options) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> {
                  Addons addons = new Addons(context, timers, api, options);
                  return Behaviors.receiveMessage(addons::onCommand);
                }));
  }

  private static Bundle cilium(Map<String, String> options) {
    List<KubeObject> objects = new ArrayList<>(BundledObjects.read(Addons.class, "cilium.yaml"));
    objects.add(configMap(options));
    return Bundle.of(objects);
  }

  private static KubeObject configMap(Map<String, String> options) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("apiVersion", "v1").put("kind", ResourceType.CONFIG_MAP.kind());
    json.putObject("metadata").put("name", "cilium-config").put("namespace", "kube-system");
    new TreeMap<>(options).forEach(json.putObject("data")::put);
    return new KubeObject(json);
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case FromApi(InformerEvent.Upserted upserted) -> {
        KubeObject node = upserted.current();
        if (isReady(node) && ready.add(node.name()) && !settled) {
          timers.startSingleTimer(Tick.SETTLED, SETTLED);
        }
      }
      case FromApi _ -> {}
      case Tick.SETTLED -> {
        settled = true;
        waiting.add(Bundle.of(BundledObjects.read(Addons.class, "coredns.yaml")));
        waiting.add(Bundle.of(BundledObjects.read(Addons.class, "hubble-relay.yaml")));
        install();
      }
      case Tick.AGAIN -> install();
      case Ended(String error) -> onEnded(error);
    }
    return settled && waiting.isEmpty() ? Behaviors.stopped() : Behaviors.same();
  }

  private void onEnded(String error) {
    installing = false;
    if (error.isEmpty()) {
      waiting.removeFirst();
      backoff.reset();
      install();
    } else {
      context.getLog().info("not all of kube-system is there yet: {}", error);
      timers.startSingleTimer(Tick.AGAIN, backoff.next());
    }
  }

  private void install() {
    if (installing || waiting.isEmpty()) {
      return;
    }
    installing = true;
    context.pipeToSelf(
        waiting.getFirst().install(api),
        (_, failure) -> new Ended(failure == null ? "" : KernelCalls.message(failure)));
  }

  private static boolean isReady(KubeObject node) {
    for (JsonNode condition : node.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText().equals("True");
      }
    }
    return false;
  }
}
