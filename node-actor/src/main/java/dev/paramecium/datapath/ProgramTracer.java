package dev.paramecium.datapath;

import dev.paramecium.abi.DropReason;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.TailCalls;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.datapath.trace.Sight;
import dev.paramecium.datapath.trace.Step;
import java.util.List;

/** Runs a program on a traced packet and tells what it did. */
final class ProgramTracer {

  private final PacketTrace trace;

  ProgramTracer(PacketTrace trace) {
    this.trace = trace;
  }

  int run(LoadedProgram loaded, SkBuff packet, DevicePort port) {
    Sight before = trace.look(packet);
    int verdict = TailCalls.run(loaded.program(), packet);
    trace.observe(
        before,
        new Step(
            loaded.hook().step(),
            port.link().name(),
            port.ifindex(),
            loaded.hook().place(),
            loaded.name(),
            loaded.id(),
            List.of(loaded.hook().function()),
            List.of(),
            verdictText(verdict, packet),
            "",
            ""));
    return verdict;
  }

  static String verdictText(int verdict, SkBuff packet) {
    return switch (verdict) {
      case Verdict.OK -> "TC_ACT_OK";
      case Verdict.SHOT -> "TC_ACT_SHOT";
      case Verdict.REDIRECT -> "TC_ACT_REDIRECT ifindex " + packet.redirectIfindex;
      default -> verdict < 0 ? DropReason.text(-verdict) : "TC_ACT_" + verdict;
    };
  }
}
