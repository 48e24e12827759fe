package dev.paramecium.metrics;

import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.kubelet.KubeletRequest.ContainerUsage;
import dev.paramecium.kubelet.KubeletRequest.NodeUsage;
import dev.paramecium.metrics.Metrics.ContainerMetrics;
import dev.paramecium.metrics.Metrics.NodeMetrics;
import dev.paramecium.metrics.Metrics.Usage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
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

  /** A node that does not answer in this time is left out. */
  private static final Duration PATIENCE = Duration.ofMillis(1500);

  private static final long NANOS = 1_000_000_000;

  /** What the server is told. */
  public sealed interface Command {}

  /** Asks for what is used; answered within three seconds. */
  public record Read(ActorRef<Metrics> replyTo) implements Command {}

  private record Found(Set<ActorRef<KubeletRequest>> kubelets) implements Command {}

  private record Told(NodeUsage usage) implements Command {}

  private enum Tick implements Command {
    AGAIN,
    ENOUGH
  }

  private final TimerScheduler<Command> timers;
  private final InstantSource clock;
  private final ActorRef<NodeUsage> usages;
  private final List<ActorRef<Metrics>> waiting = new ArrayList<>();
  private Map<String, NodeUsage> before = Map.of();
  private Map<String, NodeUsage> latest = Map.of();
  private Map<String, NodeUsage> reading = new HashMap<>();
  private int expected;
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
    this.usages = context.messageAdapter(NodeUsage.class, Told::new);
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
      case Found(Set<ActorRef<KubeletRequest>> kubelets) -> {
        expected = kubelets.size();
        kubelets.forEach(kubelet -> kubelet.tell(new KubeletRequest.ReadUsage(usages)));
        timers.startSingleTimer(Tick.ENOUGH, PATIENCE);
        endIfComplete();
      }
      case Told(NodeUsage usage) -> {
        reading.put(usage.nodeName(), usage);
        endIfComplete();
      }
      case Tick.ENOUGH -> end();
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
    reading = new HashMap<>();
    expected = Integer.MAX_VALUE;
    ActorRef<Receptionist.Listing> listings =
        getContext()
            .messageAdapter(
                Receptionist.Listing.class,
                listing -> new Found(listing.getServiceInstances(KubeletRequest.ALL)));
    getContext().getSystem().receptionist().tell(Receptionist.find(KubeletRequest.ALL, listings));
  }

  private void endIfComplete() {
    if (busy && reading.size() >= expected) {
      end();
    }
  }

  private void end() {
    if (!busy || expected == Integer.MAX_VALUE) {
      return;
    }
    timers.cancel(Tick.ENOUGH);
    expected = Integer.MAX_VALUE;
    Instant now = clock.instant();
    boolean fresh = now.isBefore(readAt.plus(RESOLUTION.multipliedBy(4)));
    before = fresh ? latest : Map.of();
    latest = Map.copyOf(reading);
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
        .sorted(java.util.Comparator.comparing(NodeUsage::nodeName))
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
