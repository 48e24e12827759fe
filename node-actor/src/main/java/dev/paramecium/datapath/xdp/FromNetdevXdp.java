package dev.paramecium.datapath.xdp;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.XdpAction;
import dev.paramecium.lib.BpfLib;
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
 *                                                            → XDP_PASS
 * </pre>
 *
 * What the prefilter drops is told to nobody: no event, no metric of Cilium's. The device counts
 * it.
 */
final class FromNetdevXdp implements Program {

  private static final String LISTED = "denied by cilium prefilter";

  private final @Nullable PrefilterMaps prefilter;
  private final TraceRecorder recorder;

  FromNetdevXdp(BpfLib lib, @Nullable PrefilterMaps prefilter) {
    this.prefilter = prefilter;
    this.recorder = lib.context().recorder();
  }

  /** {@code check_filters}. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, BpfXdp.FUNCTION);
      recorder.function(packet, "check_filters");
    }
    return Ipv4Header.etherType(packet) == EtherType.IPV4 ? checkV4(packet) : XdpAction.PASS;
  }

  private int checkV4(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "check_v4");
    }
    if (prefilter == null) {
      return XdpAction.PASS;
    }
    return !Ipv4Header.isThere(packet) || isListed(packet, prefilter)
        ? XdpAction.DROP
        : XdpAction.PASS;
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
