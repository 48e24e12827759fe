package dev.paramecium.kernel;

import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.syscall.PerfRecord;
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Carries records of {@code cilium_events} to one subscriber until it stops. At most {@value
 * #BUDGET} records go every {@value #PACE_MS} ms; what the ring cannot hold meanwhile is lost and
 * told, so that a burst fills the ring and not the subscriber's mailbox.
 */
final class PerfRingReader {

  sealed interface Command {}

  /** The ring has records. */
  private enum Wake implements Command {
    RECORDS,
    PACED
  }

  private static final int BUDGET = 1024;
  private static final int PACE_MS = 10;

  private PerfRingReader() {}

  static Behavior<Command> create(PerfEventArray events, ActorRef<PerfRecord> subscriber) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  context.watch(subscriber);
                  ActorRef<Command> self = context.getSelf();
                  PerfEventArray.Reader ring =
                      events.open(PerfEventArray.MONITOR_PAGES, () -> self.tell(Wake.RECORDS));
                  return Behaviors.receive(Command.class)
                      .onMessage(
                          Wake.class,
                          wake -> {
                            if (wake == Wake.PACED || !timers.isTimerActive(Wake.PACED)) {
                              forward(ring, subscriber, timers);
                            }
                            return Behaviors.same();
                          })
                      .onSignal(Terminated.class, _ -> Behaviors.stopped())
                      .onSignal(
                          PostStop.class,
                          _ -> {
                            ring.close();
                            return Behaviors.same();
                          })
                      .build();
                }));
  }

  private static void forward(
      PerfEventArray.Reader ring, ActorRef<PerfRecord> subscriber, TimerScheduler<Command> timers) {
    for (int i = 0; i < BUDGET; i++) {
      PerfRecord record = ring.poll();
      if (record == null) {
        return;
      }
      subscriber.tell(record);
    }
    timers.startSingleTimer(Wake.PACED, Wake.PACED, Duration.ofMillis(PACE_MS));
  }
}
