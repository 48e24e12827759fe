package dev.paramecium.datapath.overlay;

import dev.paramecium.abi.SourceFile;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.NodePort;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_overlay.o}, once a node.
 *
 * @param fromOverlay for {@code cilium_vxlan}'s tc ingress
 * @param toOverlay for its tc egress
 * @param tailCalls for {@code cilium_calls_overlay_2}, each in its slot
 */
public record BpfOverlay(
    ProgramSection fromOverlay, ProgramSection toOverlay, List<ProgramSection> tailCalls) {

  public static final String OBJECT = "bpf_overlay.o";

  /**
   * @param calls {@code cilium_calls_overlay_2}, which the caller fills with {@link #tailCalls}
   */
  public static BpfOverlay compile(ProgramContext context, ProgramArray calls) {
    BpfLib lib = BpfLib.compile(context, 0, SourceFile.BPF_OVERLAY, false);
    @Nullable NodePort nodePort =
        NodePort.compile(OBJECT, lib, calls, TracePoint.TO_OVERLAY, Identity.WORLD);
    FromOverlay from = new FromOverlay(lib, calls, nodePort);
    List<ProgramSection> tailCalls = new ArrayList<>();
    tailCalls.add(
        ProgramSection.tailCall(
            OBJECT, Calls.IPV4_FROM_OVERLAY, "tail_handle_ipv4", from::tailHandleIpv4));
    if (nodePort != null) {
      tailCalls.addAll(nodePort.tailCalls());
    }
    return new BpfOverlay(
        ProgramSection.attached(OBJECT, "from-overlay", "from_overlay", from),
        ProgramSection.attached(OBJECT, "to-overlay", "to_overlay", new ToOverlay(lib, nodePort)),
        List.copyOf(tailCalls));
  }
}
