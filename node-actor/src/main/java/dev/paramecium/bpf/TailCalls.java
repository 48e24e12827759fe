package dev.paramecium.bpf;

import org.jspecify.annotations.Nullable;

/**
 * Runs a program and the programs that it tail-calls.
 *
 * <pre>
 *   run(entry) --> entry.run --> TAIL_CALL --> next.run --> TAIL_CALL --> … --> verdict
 * </pre>
 *
 * A program asks {@code if (array.tailCall(packet, index)) return Verdict.TAIL_CALL;} and what
 * follows is what happens on a miss, as after {@code bpf_tail_call}: an empty slot, or the {@value
 * #LIMIT} calls that the kernel allows are used up.
 */
public final class TailCalls {

  /** {@code MAX_TAIL_CALL_CNT}. */
  public static final int LIMIT = 33;

  private TailCalls() {}

  /** The verdict of the last program; never {@link Verdict#TAIL_CALL}. */
  public static int run(Program entry, SkBuff packet) {
    packet.tailCalls = 0;
    int verdict = entry.run(packet);
    while (verdict == Verdict.TAIL_CALL) {
      @Nullable Program target = packet.tailCallTarget;
      if (target == null) {
        throw new IllegalStateException(
            "a program returned TAIL_CALL without a successful ProgramArray.tailCall");
      }
      packet.tailCallTarget = null;
      verdict = target.run(packet);
    }
    return verdict;
  }
}
