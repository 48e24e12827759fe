package dev.paramecium.metrics;

import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.kubelet.KubeletRequest.ContainerUsage;
import dev.paramecium.kubelet.KubeletRequest.NodeUsage;
import dev.paramecium.kubelet.KubeletSurvey;
import dev.paramecium.metrics.Metrics.ContainerMetrics;
import dev.paramecium.metrics.Metrics.NodeMetrics;
import dev.paramecium.metrics.Metrics.Usage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Knows what nodes and containers use, when somebody asks: it reads all kubelets' counters then,
 * and again a second later if it has not read them lately, since processor time is a difference of
 * two readings. What is younger than {@link #RESOLUTION} is answered again. Nobody asks: it does
 * nothing.
 */
public final class MetricsServer extends AbstractBehavior<MetricsServer.Command> {

  /** {@code --metric-resolution}. */
  static final Duration RESOLUTION = Duration.ofSeconds(15);

  /** Two readings that are nearer to each other say little. */
  private static final Duration LEAST_WINDOW = Duration.ofSeconds(1);

  private static final long NANOS = 1_000_000_000;

  /** What the server is told. */
  public sealed interface Command {}

  /** Asks for what is used; answered within three seconds. */
  public record Read(ActorRef<Metrics> replyTo) implements Command {}

  private record Told(List<NodeUsage> usages) implements Command {}

  private enum Tick implements Command {
    AGAIN
  }

  private final TimerScheduler<Command> timers;
  private final InstantSource clock;
  private final List<ActorRef<Metrics>> waiting = new ArrayList<>();
  private Map<String, NodeUsage> latest = Map.of();
  private boolean busy;
  private Instant readAt = Instant.MIN;
  private @Nullable Metrics known;

  public static Behavior<Command> create(InstantSource clock) {
    return Behaviors.setup(
        context -> Behaviors.withTimers(timers -> new MetricsServer(context, timers, clock)));
  }

  private MetricsServer(
      ActorContext<Command> context, TimerScheduler<Command> timers, InstantSource clock) {
    super(context);
    this.timers = timers;
    this.clock = clock;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Read(ActorRef<Metrics> replyTo) -> {
        Metrics now = known;
        if (now != null && clock.instant().isBefore(readAt.plus(RESOLUTION))) {
          replyTo.tell(now);
        } else {
          waiting.add(replyTo);
          begin();
        }
      }
      case Told(List<NodeUsage> usages) -> end(usages);
      case Tick.AGAIN -> {
        busy = false;
        begin();
      }
    }
    return this;
  }

  private void begin() {
    if (busy) {
      return;
    }
    busy = true;
    ActorRef<Command> self = getContext().getSelf();
    getContext()
        .spawnAnonymous(
            KubeletSurvey.create(
                NodeUsage.class,
                KubeletRequest.ReadUsage::new,
                usages -> self.tell(new Told(usages))));
  }

  private void end(List<NodeUsage> usages) {
    Instant now = clock.instant();
    boolean fresh = now.isBefore(readAt.plus(RESOLUTION.multipliedBy(4)));
    Map<String, NodeUsage> before = fresh ? latest : Map.of();
    latest =
        usages.stream().collect(Collectors.toUnmodifiableMap(NodeUsage::nodeName, usage -> usage));
    readAt = now;
    if (before.isEmpty() && !latest.isEmpty()) {
      timers.startSingleTimer(Tick.AGAIN, LEAST_WINDOW);
      return;
    }
    busy = false;
    Metrics metrics = rates(now, before, latest);
    known = metrics;
    waiting.forEach(client -> client.tell(metrics));
    waiting.clear();
  }

  /** What was used between two readings; what is in one alone has no rate yet. */
  static Metrics rates(Instant at, Map<String, NodeUsage> before, Map<String, NodeUsage> latest) {
    List<NodeMetrics> nodes = new ArrayList<>();
    List<ContainerMetrics> containers = new ArrayList<>();
    latest.values().stream()
        .sorted(Comparator.comparing(NodeUsage::nodeName))
        .forEach(
            now -> {
              NodeUsage then = before.get(now.nodeName());
              long millis = then == null ? 0 : now.atEpochMs() - then.atEpochMs();
              if (then == null || millis <= 0 || now.cpuNs() < then.cpuNs()) {
                return; // it is new, or another process
              }
              Duration window = Duration.ofMillis(millis);
              nodes.add(
                  new NodeMetrics(
                      now.nodeName(),
                      usage(now.cpuNs() - then.cpuNs(), now.memoryBytes(), window)));
              Map<String, ContainerUsage> old = new HashMap<>();
              then.containers().forEach(container -> old.put(container.id(), container));
              for (ContainerUsage container : now.containers()) {
                ContainerUsage was = old.get(container.id());
                if (was != null && container.atNs() > was.atNs()) {
                  containers.add(
                      new ContainerMetrics(
                          container.pod(),
                          container.container(),
                          usage(
                              container.cpuNs() - was.cpuNs(),
                              container.memoryBytes(),
                              Duration.ofNanos(container.atNs() - was.atNs()))));
                }
              }
            });
    return new Metrics(at, List.copyOf(nodes), List.copyOf(containers));
  }

  private static Usage usage(long cpuNs, long memoryBytes, Duration window) {
    return new Usage(Math.round((double) cpuNs * NANOS / window.toNanos()), memoryBytes, window);
  }
}
