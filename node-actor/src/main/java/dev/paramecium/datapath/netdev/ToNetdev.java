package dev.paramecium.datapath.netdev;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.abi.TraceReason;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.NodePort;
import dev.paramecium.lib.NodePortConfig;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.PerCpu;
import dev.paramecium.lib.TraceRecorder;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_netdev_eth0.o:[to-netdev]}, tc egress of the native device: VLAN filter and, with
 * NodePort, source NAT of what was not translated yet, unless all services are returned directly.
 */
public final class ToNetdev implements Program {

  private static final int LINE_TO_NETDEV = 1176;

  private final BpfLib lib;
  private final VlanFilter vlans;
  private final @Nullable NodePort nodePort;
  private final TraceRecorder recorder;

  ToNetdev(BpfLib lib, VlanFilter vlans, @Nullable NodePort nodePort) {
    this.lib = lib;
    this.vlans = vlans;
    NodePortConfig settings = lib.context().config().nodePort();
    this.nodePort = settings != null && settings.translatesWhatLeaves() ? nodePort : null;
    this.recorder = lib.context().recorder();
  }

  /** {@code to_netdev}. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "to_netdev");
    }
    int vlan = packet.vlanTci & VlanFilter.ID_MASK;
    if (packet.vlanPresent && vlan != 0) {
      return vlans.allows(packet.ifindex, vlan)
          ? Verdict.OK
          : drop(packet, -DropReason.VLAN_FILTERED);
    }
    if (nodePort != null && !Identity.isSnatDone(packet.mark)) {
      int result = nodePort.natForward(packet, PerCpu.current());
      return Outcome.isError(result) ? drop(packet, result) : result;
    }
    lib.events().trace(packet, TracePoint.TO_NETWORK, 0, 0, 0, 0, TraceReason.UNKNOWN.code(), 0, 0);
    return Verdict.OK;
  }

  private int drop(SkBuff packet, int error) {
    return lib.events().drop(packet, 0, error, MetricsKey.EGRESS, LINE_TO_NETDEV);
  }
}
