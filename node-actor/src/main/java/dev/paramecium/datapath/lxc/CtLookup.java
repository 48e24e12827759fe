package dev.paramecium.datapath.lxc;

import dev.paramecium.abi.DropReason;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.lib.Conntrack;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.PerCpu;

/** TAIL_CT_LOOKUP4: the lookup whose result the next program finds in {@link PerCpu}. */
final class CtLookup {

  private CtLookup() {}

  /** A state of {@link Conntrack}, or a raw negative drop reason. */
  static int forPolicy(Conntrack conntrack, SkBuff packet, int direction, PerCpu cpu) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    Conntrack.fill(cpu.tuple, packet);
    cpu.ctState.clear();
    int l4Offset = Ipv4Header.l4Offset(packet);
    cpu.ctStatus = conntrack.lookup4(packet, cpu.tuple, l4Offset, direction, cpu.ctState, cpu);
    return cpu.ctStatus;
  }
}
