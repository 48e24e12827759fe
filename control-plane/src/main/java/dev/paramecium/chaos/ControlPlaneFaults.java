package dev.paramecium.chaos;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * ControlPlaneChaos: the control plane's own process is killed, or stopped, by somebody outside it,
 * and is back when the experiment's duration is over. It says so just before.
 */
final class ControlPlaneFaults implements Action {

  private final Machine machine;
  private final InstantSource clock;

  ControlPlaneFaults(Machine machine, InstantSource clock) {
    this.machine = machine;
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
    if (chaos.text("/spec/action").equals("pause")) {
      machine.pauseSelf(rest);
    } else {
      machine.crashSelf(rest);
    }
    return CompletableFuture.completedFuture(Done.done());
  }

  @Override
  public CompletionStage<Done> recover(KubeObject chaos, String id) {
    return CompletableFuture.completedFuture(Done.done()); // who says so runs
  }
}
