package dev.paramecium.datapath.overlay;

import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.NodePort;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.PerCpu;
import dev.paramecium.lib.TraceRecorder;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_overlay.o:[to-overlay]}, tc egress of {@code cilium_vxlan}: after somebody has set the
 * tunnel key, before the device wraps the packet. Only NodePort has something to do here.
 */
public final class ToOverlay implements Program {

  private static final int LINE_TO_OVERLAY = 628;

  private final BpfLib lib;
  private final @Nullable NodePort nodePort;
  private final TraceRecorder recorder;

  ToOverlay(BpfLib lib, @Nullable NodePort nodePort) {
    this.lib = lib;
    this.nodePort = nodePort;
    this.recorder = lib.context().recorder();
  }

  /** {@code to_overlay}. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "to_overlay");
    }
    if (nodePort == null || Identity.isSnatDone(packet.mark)) {
      return Verdict.OK;
    }
    int result = nodePort.natForward(packet, PerCpu.current());
    return Outcome.isError(result)
        ? lib.events().drop(packet, 0, result, MetricsKey.EGRESS, LINE_TO_OVERLAY)
        : result;
  }
}
