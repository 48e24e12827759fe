package dev.paramecium.datapath.xdp;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.bpf.XdpAction;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.map.PrefilterMaps;
import dev.paramecium.packet.EtherType;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_xdp.o:[from-netdev]}, XDP of the native device ({@code bpf/bpf_xdp.c}).
 *
 * <pre>
 *   bpf_xdp_entry → check_filters → check_v4: CIDR prefilter → XDP_DROP
 *                                   check_v4_lb --7--&gt; tail_lb_ipv4, with NodePort acceleration
 *                                             → XDP_PASS, without
 * </pre>
 *
 * What the prefilter drops is told to nobody: no event, no metric of Cilium's. The device counts
 * it.
 */
final class FromNetdevXdp implements Program {

  private static final String LISTED = "denied by cilium prefilter";

  private static final int LINE_LB = 145;

  private final BpfLib lib;
  private final ProgramArray calls;
  private final @Nullable PrefilterMaps prefilter;
  private final boolean acceleration;
  private final TraceRecorder recorder;

  FromNetdevXdp(
      BpfLib lib, ProgramArray calls, @Nullable PrefilterMaps prefilter, boolean acceleration) {
    this.lib = lib;
    this.calls = calls;
    this.prefilter = prefilter;
    this.acceleration = acceleration;
    this.recorder = lib.context().recorder();
  }

  /** {@code check_filters}. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, BpfXdp.FUNCTION);
      recorder.function(packet, "check_filters");
    }
    packet.xfer = 0;
    packet.tcIndex &= ~Identity.SKIP_NODEPORT;
    return Ipv4Header.etherType(packet) == EtherType.IPV4 ? checkV4(packet) : XdpAction.PASS;
  }

  private int checkV4(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "check_v4");
    }
    return prefilter != null && (!Ipv4Header.isThere(packet) || isListed(packet, prefilter))
        ? XdpAction.DROP
        : checkV4Lb(packet);
  }

  private int checkV4Lb(SkBuff packet) {
    if (!acceleration) {
      return XdpAction.PASS;
    }
    return calls.tailCall(packet, Calls.IPV4_FROM_NETDEV)
        ? Verdict.TAIL_CALL
        : XdpExit.action(
            packet,
            lib.events()
                .drop(packet, 0, -DropReason.MISSED_TAIL_CALL, MetricsKey.INGRESS, LINE_LB));
  }

  private boolean isListed(SkBuff packet, PrefilterMaps maps) {
    int source = Ipv4Header.saddr(packet);
    LpmTrie.Entry prefix = maps.dynamic().find(source);
    boolean listed = prefix != null || maps.hasFixed(source);
    if (packet.traced) {
      tell(packet, source, prefix, listed);
    }
    return listed;
  }

  private void tell(SkBuff packet, int source, LpmTrie.@Nullable Entry prefix, boolean listed) {
    String address = new Ipv4Address(source) + "/32";
    String found =
        prefix == null ? address : new Ipv4Address(prefix.address()) + "/" + prefix.length();
    recorder.lookup(packet, MapNames.CIDR_V4_DYN, found, prefix == null ? "" : LISTED);
    if (prefix == null) {
      recorder.lookup(packet, MapNames.CIDR_V4_FIX, address, listed ? LISTED : "");
    }
    if (listed) {
      recorder.decision(packet, LISTED + " " + found);
    }
  }
}
