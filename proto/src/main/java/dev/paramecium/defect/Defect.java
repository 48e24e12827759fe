package dev.paramecium.defect;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Deliberate mistakes, off unless a failure experiment asks for one, which make this a broken
 * build: so that one sees whether the experiments' invariants notice. Each strikes as often as it
 * was armed for, in whatever cluster of this JVM comes first.
 */
public enum Defect {
  /** An agent says that it has repaired a map, and has not looked at it. */
  SKIP_RESYNC("skip-resync"),

  /** A write of a ConfigMap is acknowledged, and nothing is stored. */
  LOSE_WRITE("lose-write"),

  /** A packet that policy denies is let through. */
  PASS_DENIED("pass-denied");

  private final String word;
  private final AtomicInteger left = new AtomicInteger();

  Defect(String word) {
    this.word = word;
  }

  /** For people. */
  public String word() {
    return word;
  }

  /** It is to happen so many times from now on. */
  public void arm(int times) {
    left.set(times);
  }

  /** Whether it has happened as often as it was to. */
  public boolean isSpent() {
    return left.get() == 0;
  }

  /** Whether it happens now. Costs a read of a field while it is off. */
  public boolean strikes() {
    return left.get() > 0 && left.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
  }
}
