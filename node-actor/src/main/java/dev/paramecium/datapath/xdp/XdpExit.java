package dev.paramecium.datapath.xdp;

import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.bpf.XdpAction;

/**
 * What CTX_ACT_… means at this hook ({@code bpf/include/bpf/ctx/xdp.h}), and {@code bpf_xdp_exit}:
 * shared steps answer a {@link Verdict}.
 */
final class XdpExit {

  private XdpExit() {}

  static int action(SkBuff packet, int verdict) {
    return switch (verdict) {
      case Verdict.TAIL_CALL -> Verdict.TAIL_CALL;
      case Verdict.OK -> pass(packet);
      case Verdict.SHOT -> XdpAction.DROP;
      case Verdict.REDIRECT ->
          packet.redirectIfindex == packet.ingressIfindex ? XdpAction.TX : XdpAction.REDIRECT;
      default -> XdpAction.ABORTED;
    };
  }

  /** Of all that is written beside a frame here, an skb made of it has {@link SkBuff#xfer} only. */
  private static int pass(SkBuff packet) {
    packet.mark = 0;
    packet.tcIndex = 0;
    packet.clearCb();
    return XdpAction.PASS;
  }
}
