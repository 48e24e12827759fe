package dev.paramecium.kernel;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.lib.ConntrackGc;
import dev.paramecium.map.CiliumMaps;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Collects conntrack and NAT entries as cilium-agent does ({@code pkg/maps/ctmap/gc}): at start,
 * then when {@link GcInterval} says, or at once when a program signals that it found no room. What
 * is signalled during a round is answered by that round. A round that was asked for also takes what
 * NAT has for connections that are gone.
 */
final class ConntrackCollector {

  enum Command {
    /** The interval is over. */
    TICK,
    /** A program found no room. */
    SIGNALLED
  }

  private static final int SIGNAL_PAGES = 1;

  private final CiliumMaps maps;
  private final Clock clock;
  private final AtomicLong collected;
  private final TimerScheduler<Command> timers;
  private final PerfEventArray.Reader signals;
  private final GcInterval interval = new GcInterval();

  private ConntrackCollector(
      CiliumMaps maps,
      Clock clock,
      AtomicLong collected,
      TimerScheduler<Command> timers,
      ActorRef<Command> self) {
    this.maps = maps;
    this.clock = clock;
    this.collected = collected;
    this.timers = timers;
    this.signals = maps.signals().open(SIGNAL_PAGES, () -> self.tell(Command.SIGNALLED));
  }

  /**
   * @param collected counts the entries that were taken away
   */
  static Behavior<Command> create(CiliumMaps maps, Clock clock, AtomicLong collected) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  ConntrackCollector collector =
                      new ConntrackCollector(maps, clock, collected, timers, context.getSelf());
                  collector.collect(Command.TICK);
                  return Behaviors.receive(Command.class)
                      .onAnyMessage(
                          command -> {
                            collector.collect(command);
                            return Behaviors.same();
                          })
                      .onSignal(
                          PostStop.class,
                          _ -> {
                            collector.signals.close();
                            return Behaviors.same();
                          })
                      .build();
                }));
  }

  private void collect(Command why) {
    ConntrackGc.Round round = ConntrackGc.collect(maps.conntrack(), maps.nat(), clock.seconds());
    if (why == Command.SIGNALLED) {
      ConntrackGc.purgeOrphans(maps.conntrack(), maps.nat());
    }
    collected.addAndGet(round.removed());
    while (signals.read((_, _, _, _, _, _) -> {})) {
      // Answered by this round.
    }
    timers.startSingleTimer(Command.TICK, interval.after(round.ratio()));
  }
}
