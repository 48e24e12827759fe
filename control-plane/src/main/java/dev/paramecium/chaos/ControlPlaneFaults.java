package dev.paramecium.chaos;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * ControlPlaneChaos: the control plane's own process is killed, or stopped, by somebody outside it,
 * and is back when the experiment's duration is over. Or the disk of its journal is slow or full
 * for that time. It says so just before.
 */
final class ControlPlaneFaults implements Action {

  private static final String DELAY = "500ms";

  /** How long a disk that is to be full still takes that it will be. */
  private static final Duration WARNING = Duration.ofMillis(500);

  private final Machine machine;
  private final JournalDisk disk;
  private final InstantSource clock;

  ControlPlaneFaults(Machine machine, JournalDisk disk, InstantSource clock) {
    this.machine = machine;
    this.disk = disk;
    this.clock = clock;
  }

  @Override
  public ResourceType type() {
    return ResourceType.CONTROL_PLANE_CHAOS;
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
    Instant end = new Experiment(chaos).end();
    Duration rest = end == null ? Duration.ZERO : Duration.between(clock.instant(), end);
    if (!rest.isPositive()) {
      throw new IllegalStateException("its duration is over: apply it again");
    }
    Instant from = clock.instant().plus(WARNING);
    switch (chaos.text("/spec/action")) {
      case "pause" -> machine.pauseSelf(rest);
      case "full-disk" -> disk.fill(from, from.plus(rest).minus(WARNING));
      case "slow-journal" ->
          disk.slow(
              Duration.ofNanos(Quantities.nanos(chaos.at("/spec/delay").asText(DELAY))),
              from,
              from.plus(rest).minus(WARNING));
      default -> machine.crashSelf(rest);
    }
    return CompletableFuture.completedFuture(Done.done());
  }

  @Override
  public CompletionStage<Done> recover(KubeObject chaos, String id) {
    if (!List.of("crash", "pause").contains(chaos.text("/spec/action"))) {
      disk.mend();
    }
    return CompletableFuture.completedFuture(Done.done()); // who says so runs
  }
}
