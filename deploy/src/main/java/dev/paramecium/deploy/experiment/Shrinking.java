package dev.paramecium.deploy.experiment;

import dev.paramecium.deploy.experiment.ExperimentFile.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Looks for a shorter history that fails in the same way: fewer faults first (Zeller's delta
 * debugging: without each half, each quarter, each one), then a shorter workload. As much as so
 * many runs allow; a run that passes once is taken to pass.
 */
public final class Shrinking {

  /** Whether an experiment fails as the first one did. */
  public interface Trial {
    boolean fails(ExperimentFile file) throws InterruptedException;
  }

  private final Trial trial;
  private int left;
  private ExperimentFile smallest;

  private Shrinking(ExperimentFile file, Trial trial, int runs) {
    this.smallest = file;
    this.trial = trial;
    this.left = runs;
  }

  /**
   * The smallest experiment found that still fails; the given one if none is smaller.
   *
   * @param runs how often it may be tried
   */
  public static ExperimentFile shrink(ExperimentFile file, Trial trial, int runs)
      throws InterruptedException {
    Shrinking shrinking = new Shrinking(file, trial, runs);
    shrinking.dropFaults();
    shrinking.shorten();
    return shrinking.smallest;
  }

  private void dropFaults() throws InterruptedException {
    int chunk = (smallest.faults().size() + 1) / 2;
    while (chunk > 0 && !smallest.faults().isEmpty()) {
      boolean dropped = false;
      for (int from = 0; from < smallest.faults().size() && !dropped; from += chunk) {
        List<Fault> rest = new ArrayList<>(smallest.faults());
        rest.subList(from, Math.min(from + chunk, rest.size())).clear();
        dropped = tried(smallest.with(rest, smallest.duration()));
      }
      if (!dropped) {
        chunk = chunk == 1 ? 0 : (chunk + 1) / 2;
      }
      chunk = Math.min(chunk, smallest.faults().size());
    }
  }

  private void shorten() throws InterruptedException {
    Duration needed = Duration.ofSeconds(1);
    for (Fault fault : smallest.faults()) {
      Duration end = fault.at().plus(fault.lasts());
      needed = end.compareTo(needed) > 0 ? end : needed;
    }
    if (needed.compareTo(smallest.duration()) < 0) {
      tried(smallest.with(smallest.faults(), needed));
    }
  }

  private boolean tried(ExperimentFile candidate) throws InterruptedException {
    if (left == 0) {
      return false;
    }
    left--;
    boolean fails = trial.fails(candidate);
    if (fails) {
      smallest = candidate;
    }
    return fails;
  }
}
