package dev.paramecium.datapath.netdev;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.abi.TraceReason;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.NodePort;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.PerCpu;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.packet.EtherType;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_netdev_eth0.o:[from-netdev]}, tc ingress of the native device.
 *
 * <pre>
 *   from_netdev → handle_netdev → do_netdev --7--> tail_handle_ipv4_from_netdev → handle_ipv4: NodePort
 * </pre>
 *
 * On kernels without {@code bpf_redirect_neigh} (NO_REDIRECT) nothing is delivered to pods from
 * here: that would bypass the stack's own connection tracking. The stack routes it to {@code
 * cilium_host}.
 */
public final class FromNetdev implements Program {

  private static final int LINE_NETDEV = 1022;
  private static final int LINE_IPV4 = 748;

  private final BpfLib lib;
  private final ProgramArray calls;
  private final VlanFilter vlans;
  private final @Nullable NodePort nodePort;
  private final TraceRecorder recorder;

  FromNetdev(BpfLib lib, ProgramArray calls, VlanFilter vlans, @Nullable NodePort nodePort) {
    this.lib = lib;
    this.calls = calls;
    this.vlans = vlans;
    this.nodePort = nodePort;
    this.recorder = lib.context().recorder();
  }

  /** {@code from_netdev}. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "from_netdev");
    }
    int vlan = packet.vlanTci & VlanFilter.ID_MASK;
    if (packet.vlanPresent && vlan != 0) {
      return vlans.allows(packet.ifindex, vlan)
          ? Verdict.OK
          : drop(packet, 0, -DropReason.VLAN_FILTERED, LINE_NETDEV);
    }
    return handleNetdev(packet);
  }

  private int drop(SkBuff packet, int sourceIdentity, int error, int line) {
    return lib.events().drop(packet, sourceIdentity, error, MetricsKey.INGRESS, line);
  }

  /** What is no Ethernet II goes to the stack. */
  private int handleNetdev(SkBuff packet) {
    int etherType = Ipv4Header.etherType(packet);
    if (etherType < 0) {
      lib.events()
          .trace(
              packet,
              TracePoint.TO_STACK,
              Identity.HOST,
              0,
              0,
              0,
              TraceReason.UNKNOWN.code(),
              0,
              0);
      return Verdict.OK;
    }
    packet.tcIndex &= ~Identity.SKIP_NODEPORT;
    lib.events().trace(packet, TracePoint.FROM_NETWORK, 0, packet.ingressIfindex);
    packet.clearCb();
    if (etherType != EtherType.IPV4) {
      return Verdict.OK;
    }
    int identity = Ipv4Header.isThere(packet) ? sourceOf(packet) : -DropReason.INVALID;
    packet.cb0 = identity; // CB_SRC_IDENTITY
    if (calls.tailCall(packet, Calls.IPV4_FROM_NETDEV)) {
      return Verdict.TAIL_CALL;
    }
    // Without its maps the node stays reachable: counted, told, and let through.
    drop(packet, identity, -DropReason.MISSED_TAIL_CALL, LINE_NETDEV);
    return Verdict.OK;
  }

  /** In tunnel mode the ipcache does not tell who sent what comes from the network. */
  private int sourceOf(SkBuff packet) {
    if (lib.context().config().tunnel()) {
      return Identity.WORLD;
    }
    int known =
        Identity.resolveSource(packet, Identity.WORLD, lib.context().maps().ipcache(), recorder);
    return ReservedIdentity.isReplaceable(known) ? Identity.WORLD : known;
  }

  /** Slot 7, {@code tail_handle_ipv4_from_netdev}. */
  int tailHandleIpv4(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_handle_ipv4_from_netdev");
      recorder.function(packet, "handle_ipv4");
    }
    int identity = packet.cb0;
    packet.cb0 = 0;
    int result = handleIpv4(packet, identity);
    return Outcome.isError(result) ? drop(packet, identity, result, LINE_IPV4) : result;
  }

  private int handleIpv4(SkBuff packet, int sourceIdentity) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    if (nodePort != null
        && packet.xfer != NodePort.XFER_NO_SERVICE
        && (packet.tcIndex & Identity.SKIP_NODEPORT) == 0) {
      int result = nodePort.loadBalance(packet, sourceIdentity, PerCpu.current());
      if (result != 0) {
        return result;
      }
    }
    return Verdict.OK;
  }
}
