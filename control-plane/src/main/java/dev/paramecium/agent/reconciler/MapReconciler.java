package dev.paramecium.agent.reconciler;

import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.reconciler.DesiredMap.Batch;
import dev.paramecium.defect.Defect;
import dev.paramecium.syscall.MapEntry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Makes the kernel's maps (and the host's routes to pod CIDRs) what the agent wants them to be.
 * Every write is idempotent, so that a call whose outcome is unknown is simply made again.
 */
public final class MapReconciler extends AbstractBehavior<MapReconciler.Command> {

  /**
   * Not a BPF map: the host's routes, kept by the same rules. The key is an ipcache key, the value
   * the gateway's four bytes in network order, then the device's name.
   */
  public static final String ROUTES = "ip route";

  /** How often the kernel's maps are compared with what they should be. */
  private static final Duration REFRESH = Duration.ofMinutes(5);

  private static final Duration DUMP_RETRY = Duration.ofSeconds(1);

  /** What the reconciler can be told. */
  public sealed interface Command {}

  /**
   * The map exists from now on: its entries are read, then wishes for it are fulfilled.
   *
   * @param prune whether entries that nobody wants are deleted; false while not all wishes are
   *     known
   */
  public record Manage(String map, boolean prune) implements Command {}

  /** All wishes of all managed maps are known: from now on what nobody wants is deleted. */
  public record Prune() implements Command {}

  /**
   * What the map holds may not be what was written: it is read, and what is missing is written
   * again, at once.
   *
   * @param replyTo hears when the map is as it is wanted, or is not managed (any more)
   */
  public record Repair(String map, ActorRef<Done> replyTo) implements Command {}

  /** The map is gone or going; its wishes go with it. */
  public record Forget(String map) implements Command {}

  /**
   * Wishes, in order.
   *
   * @param revision the API server's revision that they follow from
   * @param replyTo hears once when all are fulfilled (or overtaken), or when the first has failed;
   *     a failed one is tried again all the same
   */
  public record Apply(List<Change> changes, long revision, @Nullable ActorRef<Applied> replyTo)
      implements Command {}

  /** Asks for the entries of one map; answered with an empty state for an unknown one. */
  public record ReadMap(String map, ActorRef<MapState> replyTo) implements Command {}

  public record ReadProgress(ActorRef<Progress> replyTo) implements Command {}

  private record Dumped(String map, @Nullable List<MapEntry> entries, String error)
      implements Command {}

  private record Written(String map, Batch batch, String error) implements Command {}

  private record Retry(String map) implements Command {}

  private record Refresh() implements Command {}

  /** The answer to {@link Apply}: an empty error means all is in the kernel. */
  public record Applied(String error) {}

  /**
   * A map's user-space cache, as {@code cilium map get} shows it.
   *
   * @param cached false for a map that the reconciler does not keep
   */
  public record MapState(boolean cached, List<CacheEntry> entries) {}

  /**
   * @param value null for an entry that is to be deleted
   * @param state {@code sync}, {@code to-be-inserted} or {@code to-be-deleted}
   */
  public record CacheEntry(Bytes key, @Nullable Bytes value, String state, String error) {}

  /**
   * How far the kernel is.
   *
   * @param appliedRevision everything up to this revision is in the maps
   * @param pending wishes not yet fulfilled
   * @param failed those of them that failed at least once
   * @param entries per map: how many are wanted
   * @param errors per map: how many have failed
   */
  public record Progress(
      long appliedRevision,
      int pending,
      int failed,
      Map<String, Integer> entries,
      Map<String, Integer> errors) {

    /** In the place of an answer that did not come. */
    public static final Progress UNKNOWN = new Progress(0, 0, 0, Map.of(), Map.of());
  }

  private record Wish(String map, Bytes key, long generation) {}

  private record Waiter(Set<Wish> open, ActorRef<Applied> replyTo) {}

  private static final class Managed {
    final DesiredMap desired;
    boolean exists;
    boolean prune;
    boolean loaded;
    boolean busy;
    boolean refresh;
    final List<ActorRef<Done>> repairs = new ArrayList<>();

    Managed(DesiredMap desired) {
      this.desired = desired;
    }
  }

  private final KernelCalls kernel;
  private final InstantSource clock;
  private final TimerScheduler<Command> timers;
  private final Map<String, Managed> maps = new TreeMap<>();
  private final List<Waiter> waiters = new ArrayList<>();
  private long latestRevision;
  private boolean pruneAll;

  /** A reconciler that manages nothing yet but the host's routes. */
  public static Behavior<Command> create(KernelCalls kernel, InstantSource clock) {
    return Behaviors.withTimers(
        timers -> Behaviors.setup(context -> new MapReconciler(context, timers, kernel, clock)));
  }

  private MapReconciler(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      KernelCalls kernel,
      InstantSource clock) {
    super(context);
    this.kernel = kernel;
    this.clock = clock;
    this.timers = timers;
    Managed routes = managed(ROUTES);
    routes.exists = true;
    routes.loaded = true; // the kernel's own routes are not ours to prune
    timers.startTimerWithFixedDelay("refresh", new Refresh(), REFRESH);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Manage manage -> onManage(manage);
      case Prune _ -> onPrune();
      case Repair repair -> onRepair(repair);
      case Forget forget -> onForget(forget);
      case Apply apply -> onApply(apply);
      case ReadMap read -> read.replyTo().tell(state(read.map()));
      case ReadProgress read -> read.replyTo().tell(progress());
      case Dumped dumped -> onDumped(dumped);
      case Written written -> onWritten(written);
      case Retry retry -> advance(retry.map());
      case Refresh _ -> onRefresh();
    }
    return this;
  }

  private void onManage(Manage manage) {
    Managed managed = managed(manage.map());
    managed.exists = true;
    managed.prune |= manage.prune() || pruneAll;
    managed.refresh = true;
    advance(manage.map());
  }

  private void onPrune() {
    pruneAll = true;
    maps.values().forEach(managed -> managed.prune = true);
    onRefresh();
  }

  private void onRefresh() {
    for (Map.Entry<String, Managed> entry : maps.entrySet()) {
      if (entry.getValue().exists && !entry.getKey().equals(ROUTES)) {
        entry.getValue().refresh = true;
        advance(entry.getKey());
      }
    }
  }

  private void onRepair(Repair repair) {
    Managed managed = maps.get(repair.map());
    if (managed == null || !managed.exists || Defect.SKIP_RESYNC.strikes()) {
      repair.replyTo().tell(Done.getInstance());
      return;
    }
    managed.repairs.add(repair.replyTo());
    managed.desired.retryNow();
    managed.refresh = true;
    advance(repair.map());
  }

  private void onForget(Forget forget) {
    Managed forgotten = maps.remove(forget.map());
    if (forgotten != null) {
      forgotten.repairs.forEach(replyTo -> replyTo.tell(Done.getInstance()));
    }
    timers.cancel(forget.map());
    settle();
  }

  private void onApply(Apply apply) {
    latestRevision = Math.max(latestRevision, apply.revision());
    Set<Wish> open = new HashSet<>();
    // In the order of the wishes: what an entry names is written before it.
    Set<String> touched = new LinkedHashSet<>();
    for (Change change : apply.changes()) {
      long generation =
          managed(change.map()).desired.want(change.key(), change.value(), apply.revision());
      if (generation != 0) {
        open.add(new Wish(change.map(), change.key(), generation));
        touched.add(change.map());
      }
    }
    if (apply.replyTo() != null) {
      waiters.add(new Waiter(open, apply.replyTo()));
    }
    touched.forEach(this::advance);
    settle();
  }

  private Managed managed(String map) {
    return maps.computeIfAbsent(map, name -> new Managed(new DesiredMap(comparable(name))));
  }

  /** What of a value the agent decides: a policy entry's counters are the kernel's. */
  private static UnaryOperator<byte[]> comparable(String map) {
    if (MapNames.policyMapEndpoint(map) < 0) {
      return UnaryOperator.identity();
    }
    return value -> Arrays.copyOf(value, PolicyEntry.PACKETS);
  }

  /** Makes the next call for {@code map} if none is under way and there is something to do. */
  private void advance(String map) {
    Managed managed = maps.get(map);
    if (managed == null || managed.busy || !managed.exists) {
      return;
    }
    if (managed.refresh) {
      managed.refresh = false;
      managed.busy = true;
      getContext()
          .pipeToSelf(
              kernel.dumpMap(map),
              (entries, failure) ->
                  failure == null
                      ? new Dumped(map, entries, "")
                      : new Dumped(map, null, KernelCalls.message(failure)));
      return;
    }
    if (!managed.loaded) {
      return;
    }
    long nowMs = clock.millis();
    Batch batch = managed.desired.nextBatch(nowMs);
    if (batch.isEmpty()) {
      long retryMs = managed.desired.nextRetryMs();
      if (retryMs != Long.MAX_VALUE) {
        timers.startSingleTimer(
            map, new Retry(map), Duration.ofMillis(Math.max(1, retryMs - nowMs)));
      }
      return;
    }
    managed.busy = true;
    CompletionStage<Done> call =
        map.equals(ROUTES)
            ? writeRoutes(batch)
            : kernel.updateMap(map, batch.upserts(), batch.deletes());
    getContext()
        .pipeToSelf(
            call,
            (_, failure) ->
                new Written(map, batch, failure == null ? "" : KernelCalls.message(failure)));
  }

  private CompletionStage<Done> writeRoutes(Batch batch) {
    CompletionStage<Done> all = CompletableFuture.completedFuture(Done.done());
    for (MapEntry route : batch.upserts()) {
      IpcacheKey destination = IpcacheKey.decode(route.key());
      Route to = Route.decode(route.value());
      all =
          all.thenCompose(
              _ -> kernel.replaceRoute(destination.prefix(), to.gateway(), to.device()));
    }
    for (byte[] key : batch.deletes()) {
      all = all.thenCompose(_ -> kernel.deleteRoute(IpcacheKey.decode(key).prefix()));
    }
    return all;
  }

  private void onDumped(Dumped dumped) {
    Managed managed = maps.get(dumped.map());
    if (managed == null) {
      return; // forgotten meanwhile
    }
    managed.busy = false;
    if (dumped.entries() == null) {
      getContext()
          .getLog()
          .warn("cannot read map {}: {}; will try again", dumped.map(), dumped.error());
      managed.refresh = true;
      // Through a timer: a map that does not exist yet would otherwise be dumped in a loop.
      timers.startSingleTimer(dumped.map(), new Retry(dumped.map()), DUMP_RETRY);
      return;
    }
    managed.loaded = true;
    managed.desired.reconcile(dumped.entries(), managed.prune, latestRevision);
    settle();
    advance(dumped.map());
  }

  private void onWritten(Written written) {
    Managed managed = maps.get(written.map());
    if (managed == null) {
      return;
    }
    managed.busy = false;
    if (written.error().isEmpty()) {
      managed.desired.succeeded(written.batch());
    } else {
      Bytes culprit = managed.desired.failed(written.batch(), written.error(), clock.millis());
      if (culprit != null) {
        getContext()
            .getLog()
            .warn("cannot write {} to map {}: {}", culprit, written.map(), written.error());
        tellFailure(written.map(), culprit, written.error());
      }
    }
    settle();
    advance(written.map());
  }

  private void tellFailure(String map, Bytes key, String error) {
    for (Iterator<Waiter> i = waiters.iterator(); i.hasNext(); ) {
      Waiter waiter = i.next();
      if (waiter.open.stream().anyMatch(wish -> wish.map.equals(map) && wish.key.equals(key))) {
        waiter.replyTo.tell(new Applied("map " + map + ": " + error));
        i.remove();
      }
    }
  }

  /** Answers those who waited for wishes that are now settled. */
  private void settle() {
    for (Managed managed : maps.values()) {
      if (!managed.busy && !managed.refresh && managed.desired.pending() == 0) {
        managed.repairs.forEach(replyTo -> replyTo.tell(Done.getInstance()));
        managed.repairs.clear();
      }
    }
    for (Iterator<Waiter> i = waiters.iterator(); i.hasNext(); ) {
      Waiter waiter = i.next();
      waiter.open.removeIf(
          wish -> {
            Managed managed = maps.get(wish.map);
            return managed == null || managed.desired.isSettled(wish.key, wish.generation);
          });
      if (waiter.open.isEmpty()) {
        waiter.replyTo.tell(new Applied(""));
        i.remove();
      }
    }
  }

  private MapState state(String map) {
    Managed managed = maps.get(map);
    if (managed == null || MapNames.policyMapEndpoint(map) >= 0) {
      return new MapState(false, List.of());
    }
    List<CacheEntry> entries = new ArrayList<>();
    for (DesiredMap.View view : managed.desired.view()) {
      String state =
          switch (view.status()) {
            case DONE -> "sync";
            case PENDING, FAILED -> view.value() == null ? "to-be-deleted" : "to-be-inserted";
          };
      entries.add(new CacheEntry(view.key(), view.value(), state, view.error()));
    }
    return new MapState(true, entries);
  }

  private Progress progress() {
    int pending = 0;
    int failed = 0;
    long oldestOpen = Long.MAX_VALUE;
    Map<String, Integer> entries = new HashMap<>();
    Map<String, Integer> errors = new HashMap<>();
    for (Map.Entry<String, Managed> map : maps.entrySet()) {
      DesiredMap desired = map.getValue().desired;
      int mapErrors = desired.failed();
      pending += desired.pending();
      failed += mapErrors;
      oldestOpen = Math.min(oldestOpen, desired.oldestOpenRevision());
      entries.put(map.getKey(), desired.size());
      errors.put(map.getKey(), mapErrors);
    }
    return new Progress(
        Math.min(latestRevision, oldestOpen - 1),
        pending,
        failed,
        Map.copyOf(entries),
        Map.copyOf(errors));
  }

  /** Where a destination's packets go. */
  public record Route(Ipv4Address gateway, String device) {

    public byte[] encode() {
      byte[] name = device.getBytes(StandardCharsets.US_ASCII);
      return ByteBuffer.allocate(4 + name.length).putInt(gateway.value()).put(name).array();
    }

    static Route decode(byte[] bytes) {
      ByteBuffer in = ByteBuffer.wrap(bytes);
      Ipv4Address gateway = new Ipv4Address(in.getInt());
      return new Route(gateway, new String(bytes, 4, bytes.length - 4, StandardCharsets.US_ASCII));
    }
  }
}
