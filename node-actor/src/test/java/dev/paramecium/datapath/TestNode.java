package dev.paramecium.datapath;

import dev.paramecium.benchmark.ReferenceNode;
import dev.paramecium.bpf.Clock;
import dev.paramecium.lib.TraceRecorder;

/** The reference node with a clock that tests move, for tests of the shape packet, maps, check. */
public final class TestNode extends ReferenceNode {

  /** Seconds since boot; tests move it. */
  public static final class TestClock implements Clock {
    public int seconds = 1000;

    @Override
    public long nanos() {
      return seconds * 1_000_000_000L;
    }

    @Override
    public long epochMs() {
      return seconds * 1000L;
    }
  }

  public final TestClock clock;

  public TestNode() {
    this(3, TraceRecorder.NONE);
  }

  public TestNode(int monitorAggregation, TraceRecorder recorder) {
    this(monitorAggregation, recorder, new TestClock());
  }

  private TestNode(int monitorAggregation, TraceRecorder recorder, TestClock clock) {
    super(monitorAggregation, recorder, clock);
    this.clock = clock;
  }
}
