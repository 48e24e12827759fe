package dev.paramecium.bpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.syscall.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class TailCallsTest {

  private static final int MISSED_TAIL_CALL = -140;

  private final SkBuff packet = new SkBuffPool(256, 1).take();
  private final Map<Integer, Program> loaded = Map.of(7, _ -> 77);
  private final ProgramArray calls =
      new ProgramArray(1, "cilium_calls_01180", 33, id -> loaded.get(id));

  private Program calling(int index) {
    return p -> calls.tailCall(p, index) ? Verdict.TAIL_CALL : MISSED_TAIL_CALL;
  }

  @Test
  void theLastProgramsVerdictCounts() {
    calls.set(7, 101, calling(29));
    calls.set(29, 102, _ -> Verdict.REDIRECT);
    assertThat(TailCalls.run(calling(7), packet)).isEqualTo(Verdict.REDIRECT);
  }

  @Test
  void anEmptySlotIsAMissForTheCaller() {
    assertThat(TailCalls.run(calling(7), packet)).isEqualTo(MISSED_TAIL_CALL);
    assertThat(TailCalls.run(calling(33), packet)).isEqualTo(MISSED_TAIL_CALL);
    assertThat(TailCalls.run(calling(-1), packet)).isEqualTo(MISSED_TAIL_CALL);
  }

  @Test
  void aProgramThatCallsItselfMissesAfter33Calls() {
    int[] runs = new int[1];
    Program itself =
        p -> {
          runs[0]++;
          return calls.tailCall(p, 0) ? Verdict.TAIL_CALL : MISSED_TAIL_CALL;
        };
    calls.set(0, 1, itself);
    assertThat(TailCalls.run(itself, packet)).isEqualTo(MISSED_TAIL_CALL);
    assertThat(runs[0]).as("the program itself and 33 calls").isEqualTo(34);
    assertThat(TailCalls.run(itself, packet))
        .as("each run counts anew")
        .isEqualTo(MISSED_TAIL_CALL);
    assertThat(runs[0]).isEqualTo(68);
  }

  @Test
  void aReplacedProgramRunsFromTheNextPacketOn() {
    calls.set(7, 1, _ -> 1);
    assertThat(TailCalls.run(calling(7), packet)).isEqualTo(1);
    calls.set(7, 2, _ -> 2);
    assertThat(TailCalls.run(calling(7), packet)).isEqualTo(2);
    assertThat(calls.programId(7)).isEqualTo(2);
    assertThat(calls.size()).isEqualTo(1);
    assertThat(calls.clear(7)).isTrue();
    assertThat(calls.clear(7)).isFalse();
    assertThat(TailCalls.run(calling(7), packet)).isEqualTo(MISSED_TAIL_CALL);
  }

  @Test
  void sayingTailCallWithoutOneIsOurFault() {
    assertThatThrownBy(() -> TailCalls.run(_ -> Verdict.TAIL_CALL, packet))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void userlandSeesProgramIdsAndSetsThemByIds() {
    ProgramArray policies = new ProgramArray(2, "cilium_call_policy", 65535, id -> loaded.get(id));
    assertThat(policies.update(Words.bytes(2826), Words.bytes(7))).isNull();
    assertThat(policies.update(Words.bytes(2826), Words.bytes(8))).isEqualTo(Errno.EINVAL);
    assertThat(policies.update(Words.bytes(65535), Words.bytes(7))).isEqualTo(Errno.E2BIG);
    assertThat(policies.lookup(Words.bytes(2826))).isEqualTo(Words.bytes(7));
    assertThat(policies.lookup(Words.bytes(2827))).isNull();
    assertThat(policies.get(2826).run(packet)).isEqualTo(77);
    List<Integer> keys = new ArrayList<>();
    policies.forEach((key, _) -> keys.add(Words.i32(key)));
    assertThat(keys).containsExactly(2826);
    assertThat(policies.delete(Words.bytes(2826))).isTrue();
    assertThat(policies.size()).isZero();
  }
}
