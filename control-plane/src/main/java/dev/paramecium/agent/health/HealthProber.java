package dev.paramecium.agent.health;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.health.HealthReport.Path;
import dev.paramecium.agent.health.HealthReport.Probe;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.syscall.HttpReply;
import dev.paramecium.syscall.HttpRequest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Probes every node of the cluster, this one too, once a minute: an echo request and {@code GET
 * /hello} to the node's address and to its health endpoint's, sent from the node's own namespace as
 * real packets ({@code pkg/health/server/prober.go}).
 *
 * <p>v1.12.3 takes up new nodes with the next round; here an address that is new is probed as soon
 * as its node has had the time to start, so that a cluster that has just come up says so. And where
 * v1.12.3 lets every node of a large cluster probe all others at once, here a round of more than
 * {@link #AT_ONCE} addresses takes two seconds for each: the probes of a cluster then grow with its
 * nodes and not with their square.
 */
public final class HealthProber extends AbstractBehavior<HealthProber.Command> {

  /** Where {@code /hello} is served ({@code cluster-health-port}). */
  public static final int PORT = 4240;

  /** {@code serverProbeInterval} and {@code serverProbeDeadline} of the launcher. */
  private static final Duration INTERVAL = Duration.ofSeconds(60);

  private static final Duration PING_DEADLINE = Duration.ofSeconds(1);

  /** {@code HttpTimeout} of {@code pkg/health/probe}. */
  private static final Duration HTTP_TIMEOUT = Duration.ofSeconds(30);

  private static final Duration FIRST = Duration.ofSeconds(5);

  /** How many addresses are probed in one go: those of 16 nodes. */
  private static final int AT_ONCE = 32;

  private static final Duration PACE = Duration.ofSeconds(2);

  /** What the prober can be told. */
  public sealed interface Command {}

  /** The node of that name, {@code cluster/node}, is there no more. */
  public record Forget(String name) implements Command {}

  /** Asks for what is known. */
  public record Read(ActorRef<HealthReport> replyTo) implements Command {}

  /** Asks for a round of probes, and for its result when the last one has ended. */
  public record ProbeNow(ActorRef<HealthReport> replyTo) implements Command {}

  private enum Tick implements Command {
    ROUND,
    NEW,
    NEXT
  }

  private record Ended(Ipv4Address address, boolean icmp, Probe probe) implements Command {}

  /**
   * A node to probe from now on.
   *
   * @param name {@code cluster/node}
   * @param healthIp null while the node has no health endpoint
   */
  public record Target(String name, Ipv4Address nodeIp, @Nullable Ipv4Address healthIp)
      implements Command {

    List<Ipv4Address> addresses() {
      return healthIp == null ? List.of(nodeIp) : List.of(nodeIp, healthIp);
    }
  }

  private final String self;
  private final KernelCalls kernel;
  private final InstantSource clock;
  private final TimerScheduler<Command> timers;
  private final Map<String, Target> targets = new TreeMap<>();
  private final Map<Ipv4Address, Path> paths = new HashMap<>();
  private final Set<Ipv4Address> fresh = new TreeSet<>();
  private final Set<Ipv4Address> due = new LinkedHashSet<>();
  private final List<ActorRef<HealthReport>> waiting = new ArrayList<>();
  private Instant startedAt;
  private int running;

  /** Probes until it is stopped; nothing before the first targets are known. */
  public static Behavior<Command> create(String self, KernelCalls kernel, InstantSource clock) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(context -> new HealthProber(context, timers, self, kernel, clock)));
  }

  private HealthProber(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String self,
      KernelCalls kernel,
      InstantSource clock) {
    super(context);
    this.self = self;
    this.kernel = kernel;
    this.clock = clock;
    this.timers = timers;
    this.startedAt = clock.instant();
    timers.startTimerWithFixedDelay(Tick.ROUND, INTERVAL);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Target target -> onTarget(target);
      case Forget(String name) -> forget(targets.remove(name));
      case Read read -> read.replyTo().tell(report());
      case ProbeNow now -> {
        waiting.add(now.replyTo());
        probe(List.copyOf(paths.keySet()));
        answerWhenDone();
      }
      case Tick.ROUND -> {
        if (due.isEmpty()) {
          begin(paths.keySet());
        }
      }
      case Tick.NEW -> {
        begin(fresh);
        fresh.clear();
      }
      case Tick.NEXT -> probeNext();
      case Ended ended -> onEnded(ended);
    }
    return this;
  }

  private void onTarget(Target target) {
    Target before = targets.put(target.name(), target);
    if (target.equals(before)) {
      return;
    }
    forget(before);
    for (Ipv4Address address : target.addresses()) {
      if (paths.putIfAbsent(address, new Path(address, null, null)) == null) {
        fresh.add(address);
      }
    }
    if (!fresh.isEmpty() && !timers.isTimerActive(Tick.NEW)) {
      timers.startSingleTimer(Tick.NEW, FIRST);
    }
  }

  /** What only this target had is probed no more. */
  private void forget(@Nullable Target gone) {
    if (gone == null) {
      return;
    }
    Target now = targets.get(gone.name());
    for (Ipv4Address address : gone.addresses()) {
      if (now == null || !now.addresses().contains(address)) {
        paths.remove(address);
        fresh.remove(address);
        due.remove(address);
      }
    }
  }

  // ---- probes

  /** Many are taken one after the other, and by each node in another order. */
  private void begin(Collection<Ipv4Address> addresses) {
    if (addresses.size() <= AT_ONCE && due.isEmpty()) {
      probe(List.copyOf(addresses));
      return;
    }
    List<Ipv4Address> order = new ArrayList<>(new TreeSet<>(addresses));
    Collections.rotate(order, self.hashCode() % order.size());
    boolean idle = due.isEmpty();
    due.addAll(order);
    startedAt = clock.instant();
    if (idle) {
      probeNext();
    }
  }

  private void probeNext() {
    Iterator<Ipv4Address> next = due.iterator();
    if (next.hasNext()) {
      Ipv4Address address = next.next();
      next.remove();
      send(List.of(address));
      timers.startSingleTimer(Tick.NEXT, PACE);
    }
  }

  private void probe(Collection<Ipv4Address> addresses) {
    startedAt = clock.instant();
    send(addresses);
  }

  private void send(Collection<Ipv4Address> addresses) {
    for (Ipv4Address address : addresses) {
      running += 2;
      getContext()
          .pipeToSelf(
              kernel.ping(address, PING_DEADLINE),
              (latencyNs, failure) ->
                  new Ended(
                      address,
                      true,
                      failure == null
                          ? new Probe("", latencyNs)
                          : new Probe(KernelCalls.message(failure), 0)));
      Instant sent = clock.instant();
      getContext()
          .pipeToSelf(
              kernel.httpGet(
                  new HttpRequest(
                      "http", address, PORT, "/hello", List.of(), HTTP_TIMEOUT.toMillis())),
              (reply, failure) ->
                  new Ended(address, false, greeted(address, sent, reply, failure)));
    }
  }

  private Probe greeted(
      Ipv4Address address, Instant sent, @Nullable HttpReply reply, @Nullable Throwable failure) {
    String url = "http://" + address + ":" + PORT + "/hello";
    if (failure != null) {
      return new Probe("Get \"" + url + "\": " + KernelCalls.message(failure), 0);
    }
    if (reply == null || reply.status() != 200) {
      return new Probe(
          "error response from " + url + ": " + (reply == null ? 0 : reply.status()), 0);
    }
    return new Probe("", Duration.between(sent, clock.instant()).toNanos());
  }

  private void onEnded(Ended ended) {
    running--;
    paths.computeIfPresent(
        ended.address(),
        (address, path) ->
            ended.icmp()
                ? new Path(address, ended.probe(), path.http())
                : new Path(address, path.icmp(), ended.probe()));
    answerWhenDone();
  }

  private void answerWhenDone() {
    if (running == 0 && !waiting.isEmpty()) {
      HealthReport report = report();
      waiting.forEach(replyTo -> replyTo.tell(report));
      waiting.clear();
    }
  }

  // ---- what is known

  private HealthReport report() {
    List<HealthReport.Node> nodes = new ArrayList<>();
    targets
        .values()
        .forEach(
            target -> {
              HealthReport.Node node =
                  new HealthReport.Node(
                      target.name(),
                      path(target.nodeIp()),
                      target.healthIp() == null ? null : path(target.healthIp()));
              nodes.add(target.name().equals(self) ? 0 : nodes.size(), node);
            });
    return new HealthReport(startedAt, self, nodes);
  }

  private Path path(Ipv4Address address) {
    return paths.getOrDefault(address, new Path(address, null, null));
  }
}
