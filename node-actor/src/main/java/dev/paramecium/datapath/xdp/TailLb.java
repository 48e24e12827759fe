package dev.paramecium.datapath.xdp;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.NodePort;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.PerCpu;
import dev.paramecium.lib.TraceRecorder;

/** {@code tail_lb_ipv4}, slot 7 of {@code cilium_calls_xdp}: NodePort acceleration. */
final class TailLb implements Program {

  private static final int LINE_LB = 134;

  private final BpfLib lib;
  private final NodePort nodePort;
  private final TraceRecorder recorder;

  TailLb(BpfLib lib, NodePort nodePort) {
    this.lib = lib;
    this.nodePort = nodePort;
    this.recorder = lib.context().recorder();
  }

  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_lb_ipv4");
    }
    int result = Verdict.OK;
    if ((packet.tcIndex & Identity.SKIP_NODEPORT) == 0) {
      result =
          Ipv4Header.isThere(packet)
              ? nodePort.loadBalance(packet, 0, PerCpu.current())
              : -DropReason.INVALID;
      if (Outcome.isError(result)) {
        result = lib.events().drop(packet, 0, result, MetricsKey.INGRESS, LINE_LB);
      }
    }
    return XdpExit.action(packet, result);
  }
}
