package dev.paramecium.datapath.xdp;

import dev.paramecium.abi.SourceFile;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.NodePort;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.map.PrefilterMaps;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_xdp.o}.
 *
 * @param fromNetdev for the native device's XDP hook
 * @param tailCalls for {@code cilium_calls_xdp}, each in its slot
 */
public record BpfXdp(ProgramSection fromNetdev, List<ProgramSection> tailCalls) {

  public static final String OBJECT = "bpf_xdp.o";

  /** Of the attached section. */
  static final String FUNCTION = "bpf_xdp_entry";

  /**
   * @param calls {@code cilium_calls_xdp}, which the caller fills with {@link #tailCalls}
   * @param prefilter ENABLE_PREFILTER's maps; null if sources are not filtered
   * @param acceleration ENABLE_NODEPORT_ACCELERATION
   */
  public static BpfXdp compile(
      ProgramContext context,
      ProgramArray calls,
      @Nullable PrefilterMaps prefilter,
      boolean acceleration) {
    BpfLib lib = BpfLib.compile(context, 0, SourceFile.BPF_XDP, false);
    NodePort nodePort = acceleration ? NodePort.compileForXdp(OBJECT, lib, calls) : null;
    FromNetdevXdp from = new FromNetdevXdp(lib, calls, prefilter, nodePort != null);
    List<ProgramSection> tailCalls = new ArrayList<>();
    if (nodePort != null) {
      TailLb tailLb = new TailLb(lib, nodePort);
      tailCalls.add(
          ProgramSection.tailCall(OBJECT, Calls.IPV4_FROM_NETDEV, "tail_lb_ipv4", tailLb));
      for (ProgramSection section : nodePort.tailCalls()) {
        tailCalls.add(
            ProgramSection.tailCall(
                OBJECT,
                section.slot(),
                section.function(),
                packet -> XdpExit.action(packet, section.program().run(packet))));
      }
    }
    return new BpfXdp(
        ProgramSection.attached(OBJECT, "from-netdev", FUNCTION, from), List.copyOf(tailCalls));
  }
}
