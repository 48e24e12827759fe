package dev.paramecium.deploy.verify;

import java.util.List;

/** What became of a test. */
public record Report(String test, String source, List<Step> steps) {

  /**
   * What became of a step.
   *
   * @param notes what a person should know, such as a policy that the agents refuse
   * @param error why the step could not be carried out; empty if it could
   * @param outcomes none if there is an error
   * @param changeSeconds until all maps had the step's changes
   * @param probeSeconds until all probes were answered or given up
   */
  public record Step(
      String name,
      List<String> notes,
      String error,
      List<Outcome> outcomes,
      double changeSeconds,
      double probeSeconds) {

    public List<Outcome> wrong() {
      return outcomes.stream().filter(outcome -> !outcome.isAsExpected()).toList();
    }

    public boolean passed() {
      return error.isEmpty() && wrong().isEmpty();
    }
  }

  /**
   * What became of a question.
   *
   * @param how {@code answered}, {@code refused} (nobody listens there) or why there was no answer
   * @param decisions what the policies say of it, by rule; asked for only where it matters
   */
  public record Outcome(Check check, boolean allowed, String how, List<String> decisions) {

    public boolean isAsExpected() {
      return check.allowed() == allowed;
    }

    /** {@code x/a to x/b TCP 80: allowed, expected denied}. */
    public String sentence() {
      return check.pair()
          + ": "
          + Check.word(allowed)
          + (allowed && how.equals(Prober.REFUSED) ? " (nobody listens there)" : "")
          + (isAsExpected() ? "" : ", expected " + Check.word(check.allowed()));
    }
  }

  public boolean passed() {
    return steps.stream().allMatch(Step::passed);
  }
}
