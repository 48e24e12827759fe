package dev.paramecium.deploy.verify;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.verify.Report.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Runs connectivity tests against a cluster. */
public final class Verification {

  private static final Duration SETUP_LIMIT = Duration.ofSeconds(90);
  private static final Duration STEP_LIMIT = Duration.ofSeconds(60);

  /** Hears how a test goes on. */
  public interface Progress {

    /** Nobody listens. */
    Progress NONE =
        new Progress() {
          @Override
          public void doing(String what) {}

          @Override
          public void done(Report.Step step) {}
        };

    /** What is being done now, for a person who waits. */
    void doing(String what);

    void done(Report.Step step);
  }

  private final ApiHttp api;
  private final Progress progress;

  public Verification(ApiHttp api, Progress progress) {
    this.api = api;
    this.progress = progress;
  }

  /**
   * Sets up, goes through the steps, cleans up. After a step that cannot be carried out there are
   * no others, because they would start from another world.
   *
   * @throws UserError only if there is no cluster to talk to
   */
  public Report run(ConnectivityTest test) {
    World world = new World(api);
    List<Report.Step> steps = new ArrayList<>();
    try {
      boolean ready = setUp(world, test, steps);
      for (ConnectivityTest.Step step : test.steps()) {
        if (!ready) {
          break;
        }
        Report.Step done = step(world, step);
        add(steps, done);
        ready = done.error().isEmpty();
      }
    } finally {
      if (test.cleanup()) {
        cleanUp(world, steps);
      }
    }
    return new Report(test.name(), test.source(), List.copyOf(steps));
  }

  private void add(List<Report.Step> steps, Report.Step step) {
    steps.add(step);
    progress.done(step);
  }

  private boolean setUp(World world, ConnectivityTest test, List<Report.Step> steps) {
    long start = System.nanoTime();
    try {
      progress.doing("setting up");
      for (PodName pod : pods(test)) {
        world.touch(pod.namespace());
      }
      test.setup().forEach(world::apply);
      world.settle(SETUP_LIMIT);
    } catch (UserError e) {
      add(steps, failed("setup", world.takeNotes(), e, start));
      return false;
    }
    List<String> notes = world.takeNotes();
    if (!notes.isEmpty()) {
      add(steps, new Report.Step("setup", notes, "", List.of(), seconds(start), 0));
    }
    return true;
  }

  /** Every pod that a step asks of: what it needs must be complete. */
  private static List<PodName> pods(ConnectivityTest test) {
    List<PodName> pods = new ArrayList<>();
    for (ConnectivityTest.Step step : test.steps()) {
      for (Check check : step.checks()) {
        pods.add(check.pair().from());
        if (check.pair().to() instanceof Destination.OfPod(PodName pod)) {
          pods.add(pod);
        }
      }
    }
    return pods;
  }

  private Report.Step step(World world, ConnectivityTest.Step step) {
    long start = System.nanoTime();
    List<String> notes = new ArrayList<>();
    try {
      progress.doing(step.name() + ": changing");
      step.apply().forEach(world::apply);
      step.label().forEach(world::label);
      step.delete().forEach(world::delete);
      world.settle(STEP_LIMIT);
      notes.addAll(new TreeSet<>(world.takeNotes()));
      double changeSeconds = seconds(start);
      progress.doing(step.name() + ": probing " + step.checks().size() + " pairs");
      long probing = System.nanoTime();
      List<Outcome> outcomes = new Prober(api).probe(step.checks());
      return new Report.Step(step.name(), notes, "", outcomes, changeSeconds, seconds(probing));
    } catch (UserError e) {
      notes.addAll(world.takeNotes());
      return failed(step.name(), notes, e, start);
    }
  }

  private void cleanUp(World world, List<Report.Step> steps) {
    long start = System.nanoTime();
    try {
      progress.doing("cleaning up");
      world.cleanUp();
    } catch (UserError e) {
      add(steps, failed("cleanup", List.of(), e, start));
    }
  }

  private static Report.Step failed(String step, List<String> notes, UserError error, long start) {
    if (error.exitCode() == UserError.NO_CLUSTER) {
      throw error;
    }
    return new Report.Step(
        step, notes, String.valueOf(error.getMessage()), List.of(), seconds(start), 0);
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
