package dev.paramecium.datapath.overlay;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.L3;
import dev.paramecium.lib.Lookups;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.NodePort;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.PerCpu;
import dev.paramecium.lib.Redirect;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.map.EndpointMap;
import dev.paramecium.map.Ipcache;
import dev.paramecium.packet.EtherType;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_overlay.o:[from-overlay]}, tc ingress of {@code cilium_vxlan}: what other nodes sent
 * through the tunnel, unwrapped. Who sent it is believed to be what the tunnel key says.
 *
 * <pre>
 *   from_overlay --7--> tail_handle_ipv4 → handle_ipv4 → ipv4_local_delivery | cilium_net, the node's stack
 * </pre>
 */
public final class FromOverlay implements Program {

  private static final int LINE_OVERLAY = 555;
  private static final int LINE_IPV4 = 339;

  private final BpfLib lib;
  private final NodeConfig config;
  private final ProgramArray calls;
  private final @Nullable NodePort nodePort;
  private final Ipcache ipcache;
  private final EndpointMap lxc;
  private final TraceRecorder recorder;

  FromOverlay(BpfLib lib, ProgramArray calls, @Nullable NodePort nodePort) {
    this.lib = lib;
    this.config = lib.context().config();
    this.calls = calls;
    this.nodePort = nodePort;
    this.ipcache = lib.context().maps().ipcache();
    this.lxc = lib.context().maps().lxc();
    this.recorder = lib.context().recorder();
  }

  /** {@code from_overlay}: what is no IP goes to the stack. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "from_overlay");
    }
    packet.clearCb();
    packet.tcIndex &= ~Identity.SKIP_NODEPORT;
    int etherType = Ipv4Header.etherType(packet);
    if (etherType < 0) {
      return Verdict.OK;
    }
    traceArrival(packet);
    return switch (etherType) {
      case EtherType.IPV4 ->
          calls.tailCall(packet, Calls.IPV4_FROM_OVERLAY)
              ? Verdict.TAIL_CALL
              : drop(packet, 0, -DropReason.MISSED_TAIL_CALL, LINE_OVERLAY);
      case EtherType.IPV6 -> drop(packet, 0, -DropReason.UNKNOWN_L3, LINE_OVERLAY);
      default -> Verdict.OK;
    };
  }

  /** What the stack decrypted comes by a second time, with its identity in the mark. */
  private void traceArrival(SkBuff packet) {
    if (isDecrypted(packet)) {
      lib.events()
          .trace(
              packet, TracePoint.FROM_STACK, Identity.ofMark(packet.mark), packet.ingressIfindex);
    } else {
      lib.events().trace(packet, TracePoint.FROM_OVERLAY, 0, packet.ingressIfindex);
    }
  }

  private static boolean isDecrypted(SkBuff packet) {
    return (packet.mark & Identity.MARK_MAGIC_HOST_MASK) == Identity.MARK_MAGIC_DECRYPT;
  }

  private int drop(SkBuff packet, int sourceIdentity, int error, int line) {
    return lib.events().drop(packet, sourceIdentity, error, MetricsKey.INGRESS, line);
  }

  // ---- slot 7

  /** {@code tail_handle_ipv4}. */
  int tailHandleIpv4(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_handle_ipv4");
      recorder.function(packet, "handle_ipv4");
    }
    PerCpu cpu = PerCpu.current();
    cpu.sourceIdentity = 0;
    int result = handleIpv4(packet, cpu);
    return Outcome.isError(result) ? drop(packet, cpu.sourceIdentity, result, LINE_IPV4) : result;
  }

  private int handleIpv4(SkBuff packet, PerCpu cpu) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    if (nodePort != null && (packet.tcIndex & Identity.SKIP_NODEPORT) == 0) {
      int result = nodePort.loadBalance(packet, cpu.sourceIdentity, cpu);
      if (result < 0) {
        return result;
      }
    }
    int error = identify(packet, cpu);
    if (error < 0) {
      return error;
    }
    int destination = Ipv4Header.daddr(packet);
    int local = lxc.find(destination);
    if (packet.traced) {
      recorder.function(packet, "lookup_ip4_endpoint");
      Lookups.endpoint(packet, recorder, lxc, destination, local);
    }
    if (local >= 0 && !lxc.isHost(local)) {
      return lib.delivery().deliver(packet, cpu.sourceIdentity, local, MetricsKey.INGRESS, false);
    }
    return toHost(packet);
  }

  /** Who sent: what the tunnel key says, with two exceptions. */
  private int identify(SkBuff packet, PerCpu cpu) {
    if (isDecrypted(packet)) {
      cpu.sourceIdentity = Identity.ofMark(packet.mark);
      return 0;
    }
    if (!packet.hasTunnelKey) {
      return -DropReason.NO_TUNNEL_KEY;
    }
    cpu.sourceIdentity = packet.tunnelId;
    if (packet.traced) {
      recorder.decision(packet, "source identity " + packet.tunnelId + " from the tunnel key");
    }
    if (cpu.sourceIdentity == Identity.HOST) {
      // A node presents itself to others as a remote node: nobody else is this host.
      return -DropReason.INVALID_IDENTITY;
    }
    if (ReservedIdentity.isRemoteNode(cpu.sourceIdentity)) {
      // Nodes of older releases do not know which of them serves the API.
      int source = Ipv4Header.saddr(packet);
      LpmTrie.Entry entry = ipcache.lookup(source);
      if (packet.traced) {
        Lookups.ipcache(packet, recorder, source, entry);
      }
      if (entry != null) {
        cpu.sourceIdentity = Ipcache.securityIdentity(entry);
      }
    }
    return 0;
  }

  /** What came through the tunnel and is for no endpoint here is for the node itself. */
  private int toHost(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "ipv4_l3");
    }
    int error = L3.forward(packet, config.overlayMac(), config.hostIfindexMac());
    return error < 0 ? error : Redirect.to(packet, config.hostIfindex(), 0);
  }
}
