package dev.paramecium.dns;

import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Keeps the zone of one coredns container as the cluster's objects say: what coredns' kubernetes
 * plugin does with a watch of its own. Changes that come together are written together.
 */
public final class NameFeed extends AbstractBehavior<NameFeed.Command> {

  /** How long more changes are waited for. */
  private static final Duration TOGETHER = Duration.ofMillis(50);

  private static final Set<ResourceType> WATCHED =
      Set.of(ResourceType.SERVICE, ResourceType.ENDPOINT_SLICE);

  /** What the feed tells itself. */
  public sealed interface Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Written(String error) implements Command {}

  private enum Tick implements Command {
    WRITE
  }

  private final String containerId;
  private final KernelCalls kernel;
  private final InstantSource clock;
  private final TimerScheduler<Command> timers;
  private final Backoff backoff = Backoff.forApi();
  private final Map<String, KubeObject> services = new HashMap<>();
  private final Map<String, KubeObject> slices = new HashMap<>();
  private final Set<ResourceType> synced = new HashSet<>();
  private boolean writing;
  private boolean changed;

  /** A feed; stop it when the container has ended. */
  public static Behavior<Command> create(
      String containerId, KernelCalls kernel, ApiClient api, InstantSource clock) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> new NameFeed(context, timers, containerId, kernel, api, clock)));
  }

  private NameFeed(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String containerId,
      KernelCalls kernel,
      ApiClient api,
      InstantSource clock) {
    super(context);
    this.timers = timers;
    this.containerId = containerId;
    this.kernel = kernel;
    this.clock = clock;
    for (ResourceType type : WATCHED) {
      api.inform(type, "", "", "", context.messageAdapter(InformerEvent.class, FromApi::new));
    }
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case FromApi(InformerEvent.Synced(ResourceType type)) -> {
        synced.add(type);
        soon(Duration.ZERO);
      }
      case FromApi(InformerEvent.Upserted upserted) -> {
        objects(upserted.current()).put(key(upserted.current()), upserted.current());
        soon(TOGETHER);
      }
      case FromApi(InformerEvent.Removed(KubeObject last)) -> {
        objects(last).remove(key(last));
        soon(TOGETHER);
      }
      case Tick.WRITE -> write();
      case Written written -> onWritten(written);
    }
    return this;
  }

  private Map<String, KubeObject> objects(KubeObject object) {
    return object.kind().equals("Service") ? services : slices;
  }

  private static String key(KubeObject object) {
    return object.namespace() + "/" + object.name();
  }

  private void soon(Duration delay) {
    changed = true;
    if (synced.containsAll(WATCHED) && !writing && !timers.isTimerActive(Tick.WRITE)) {
      timers.startSingleTimer(Tick.WRITE, delay);
    }
  }

  private void write() {
    writing = true;
    changed = false;
    int serial = (int) clock.instant().getEpochSecond();
    String text = ClusterZone.text(services.values(), slices.values(), serial);
    getContext()
        .pipeToSelf(
            kernel.writeFile(containerId, ZoneText.PATH, text.getBytes(StandardCharsets.UTF_8)),
            (_, failure) -> new Written(failure == null ? "" : KernelCalls.message(failure)));
  }

  private void onWritten(Written written) {
    writing = false;
    if (!written.error().isEmpty()) {
      getContext().getLog().info("coredns has not the latest names yet: {}", written.error());
      soon(backoff.next());
      return;
    }
    backoff.reset();
    if (changed) {
      soon(TOGETHER);
    }
  }
}
