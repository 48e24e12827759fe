package dev.paramecium.datapath.host;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.abi.TraceReason;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.Lookups;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.map.EndpointMap;
import dev.paramecium.map.Ipcache;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;

/**
 * {@code bpf_host.o:[from-host]}, tc egress of {@code cilium_host}: what the node's own stack sends
 * to pods, its own packets, those of proxies, and what it routes.
 *
 * <pre>
 *   from_host → handle_netdev → do_netdev --22--> tail_handle_ipv4_from_host → handle_ipv4
 *                                                  this node's pod | tunnel | unroutable
 * </pre>
 */
public final class FromHost implements Program {

  private static final int LINE_HOST = 1022;
  private static final int LINE_IPV4 = 748;

  private final BpfLib lib;
  private final NodeConfig config;
  private final ProgramArray calls;
  private final Ipcache ipcache;
  private final EndpointMap lxc;
  private final TraceRecorder recorder;

  FromHost(BpfLib lib, ProgramArray calls) {
    this.lib = lib;
    this.config = lib.context().config();
    this.calls = calls;
    this.ipcache = lib.context().maps().ipcache();
    this.lxc = lib.context().maps().lxc();
    this.recorder = lib.context().recorder();
  }

  /** {@code from_host}: what is no Ethernet II goes on. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "from_host");
    }
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
    return doNetdev(packet, etherType);
  }

  private int doNetdev(SkBuff packet, int etherType) {
    int magic = packet.mark & Identity.MARK_MAGIC_HOST_MASK;
    int identity = Identity.inheritFromHost(packet);
    boolean fromProxy =
        magic == Identity.MARK_MAGIC_PROXY_INGRESS || magic == Identity.MARK_MAGIC_PROXY_EGRESS;
    lib.events()
        .trace(
            packet,
            fromProxy ? TracePoint.FROM_PROXY : TracePoint.FROM_HOST,
            identity,
            packet.ingressIfindex);
    packet.clearCb();
    if (etherType != EtherType.IPV4) {
      return Verdict.OK;
    }
    if (packet.traced) {
      recorder.function(packet, "resolve_srcid_ipv4");
    }
    int source =
        Ipv4Header.isThere(packet)
            ? Identity.resolveSource(packet, identity, ipcache, recorder)
            : -DropReason.INVALID;
    packet.cb0 = source; // CB_SRC_IDENTITY
    if (calls.tailCall(packet, Calls.IPV4_FROM_HOST)) {
      return Verdict.TAIL_CALL;
    }
    // Without its maps the node stays reachable: counted, told, and let through.
    drop(packet, source, -DropReason.MISSED_TAIL_CALL, LINE_HOST);
    return Verdict.OK;
  }

  private int drop(SkBuff packet, int sourceIdentity, int error, int line) {
    return lib.events().drop(packet, sourceIdentity, error, MetricsKey.INGRESS, line);
  }

  /** Slot 22, {@code tail_handle_ipv4_from_host}. */
  int tailHandleIpv4(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_handle_ipv4_from_host");
      recorder.function(packet, "handle_ipv4");
    }
    int identity = packet.cb0;
    packet.cb0 = 0;
    int result = handleIpv4(packet, identity);
    return Outcome.isError(result) ? drop(packet, identity, result, LINE_IPV4) : result;
  }

  private int handleIpv4(SkBuff packet, int identity) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    // rewrite_dmac_to_host: the peer takes what it is addressed to.
    packet.setMac(Ethernet.DESTINATION, config.ciliumNetMac());
    int destination = Ipv4Header.daddr(packet);
    int local = lxc.find(destination);
    if (packet.traced) {
      recorder.function(packet, "lookup_ip4_endpoint");
      Lookups.endpoint(packet, recorder, lxc, destination, local);
    }
    if (local >= 0) {
      return lxc.isHost(local)
          ? Verdict.OK
          : lib.delivery().deliver(packet, identity, local, MetricsKey.INGRESS, true);
    }
    return toOtherNode(packet, destination, identity);
  }

  private int toOtherNode(SkBuff packet, int destination, int identity) {
    LpmTrie.Entry entry = ipcache.lookup(destination);
    if (packet.traced) {
      Lookups.ipcache(packet, recorder, destination, entry);
    }
    int tunnelEndpoint = entry == null ? 0 : Ipcache.tunnelEndpoint(entry);
    int result =
        config.tunnel()
            ? lib.encap()
                .redirect(
                    packet,
                    tunnelEndpoint,
                    identity,
                    TraceReason.UNKNOWN.code(),
                    NodeConfig.TRACE_PAYLOAD_LENGTH)
            : -DropReason.NO_TUNNEL_ENDPOINT;
    if (result != -DropReason.NO_TUNNEL_ENDPOINT) {
      return result;
    }
    // Nothing that nobody knows may be routed here: it would come back, and again.
    boolean known = entry != null && Ipcache.securityIdentity(entry) != Identity.WORLD;
    return known ? Verdict.OK : -DropReason.UNROUTABLE;
  }
}
