package dev.paramecium.datapath;

import dev.paramecium.abi.DropReason;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.TailCalls;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.bpf.XdpAction;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.datapath.trace.Recording;
import dev.paramecium.datapath.trace.Sight;
import dev.paramecium.datapath.trace.Step;
import dev.paramecium.lib.ProgramSection;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs a program on a traced packet and tells what it did: one step for the program at the hook,
 * one more for each program of another object that it tail-called.
 */
final class ProgramTracer {

  private final PacketTrace trace;
  private final ProgramTable programs;
  private final DeviceTable devices;

  ProgramTracer(NodeDatapath node) {
    this.trace = node.trace();
    this.programs = node.programs();
    this.devices = node.devices();
  }

  int run(Hook hook, LoadedProgram loaded, SkBuff packet, DevicePort port) {
    Recording recording = trace.begin(packet);
    int verdict;
    try {
      verdict = TailCalls.run(loaded.program(), packet);
    } finally {
      recording.end();
    }
    List<Recording.Part> parts = recording.parts();
    for (int i = 0; i < parts.size(); i++) {
      Recording.Part part = parts.get(i);
      boolean last = i == parts.size() - 1;
      String outcome =
          last
              ? hook == Hook.XDP ? XdpAction.text(verdict) : verdictText(verdict, packet)
              : "tail call " + name(parts.get(i + 1).section(), loaded);
      Sight sight =
          last && verdict == Verdict.REDIRECT && packet.hasTunnelKey
              ? part.before().withVni(packet.tunnelId)
              : part.before();
      ProgramSection section = part.section();
      if (section == null) {
        trace.observe(sight, step(hook, loaded, port, part, outcome));
      } else {
        LoadedProgram called = programs.of(section);
        trace.observe(
            sight,
            step(
                Hook.POLICY_CALL,
                called == null ? loaded : called,
                deviceOf(verdict, packet, port),
                part,
                outcome));
      }
    }
    return verdict;
  }

  private static String name(@Nullable ProgramSection section, LoadedProgram caller) {
    return section == null ? caller.name() : section.name();
  }

  /** The endpoint's lxc device, which its policy program redirects to. */
  private DevicePort deviceOf(int verdict, SkBuff packet, DevicePort port) {
    int ifindex = verdict == Verdict.REDIRECT ? packet.redirectIfindex : packet.cb1;
    DevicePort target = devices.get(ifindex);
    return target == null ? port : target;
  }

  private static Step step(
      Hook hook, LoadedProgram loaded, DevicePort port, Recording.Part part, String verdict) {
    List<String> functions = new ArrayList<>(part.functions());
    if (functions.isEmpty() || !functions.getFirst().equals(loaded.section().function())) {
      functions.addFirst(loaded.section().function());
    }
    return new Step(
        hook.step(),
        port.link().name(),
        port.ifindex(),
        hook.place(),
        loaded.name(),
        loaded.id(),
        functions,
        List.copyOf(part.lookups()),
        verdict,
        part.reason(),
        part.rule());
  }

  private static String verdictText(int verdict, SkBuff packet) {
    return switch (verdict) {
      case Verdict.OK -> "TC_ACT_OK";
      case Verdict.SHOT -> "TC_ACT_SHOT";
      case Verdict.REDIRECT -> "TC_ACT_REDIRECT ifindex " + packet.redirectIfindex;
      default -> verdict < 0 ? DropReason.text(-verdict) : "TC_ACT " + verdict;
    };
  }
}
