package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.map.TunnelMap;

/**
 * {@code bpf/lib/encap.h}: names the node to tunnel to and sends the packet to {@code
 * cilium_vxlan}, which wraps it. The packet itself stays as it is; the network identifier is the
 * source's identity.
 */
public final class Encap {

  /** The outer TTL. */
  private static final int TUNNEL_TTL = 64;

  private final NodeConfig config;
  private final TunnelMap tunnel;
  private final MonitorEvents events;
  private final TraceRecorder recorder;

  public Encap(ProgramContext context, MonitorEvents events) {
    this.config = context.config();
    this.tunnel = context.maps().tunnel();
    this.events = events;
    this.recorder = context.recorder();
  }

  /**
   * {@code encap_and_redirect_lxc}: to the node that the ipcache names, or to the one that has the
   * pod network of the destination.
   *
   * @param tunnelEndpoint what the ipcache says, 0 for nothing
   * @return a verdict, or the negative of {@link DropReason#NO_TUNNEL_ENDPOINT} if neither knows
   */
  public int redirect(
      SkBuff packet, int tunnelEndpoint, int securityIdentity, int reason, int monitor) {
    int node = tunnelEndpoint == 0 ? nodeOfDestination(packet) : tunnelEndpoint;
    if (node == 0) {
      return -DropReason.NO_TUNNEL_ENDPOINT;
    }
    return redirectTo(packet, node, securityIdentity, reason, monitor);
  }

  private int nodeOfDestination(SkBuff packet) {
    int network = Ipv4Header.daddr(packet) & config.podCidrMask();
    int node = tunnel.nodeOf(network);
    if (packet.traced) {
      Ipv4Prefix prefix =
          new Ipv4Prefix(new Ipv4Address(network), Integer.bitCount(config.podCidrMask()));
      recorder.lookup(
          packet,
          MapNames.TUNNEL,
          prefix.toString(),
          node == 0 ? "" : new Ipv4Address(node).toString());
    }
    return node;
  }

  /** {@code __encap_and_redirect_with_nodeid}. */
  public int redirectTo(SkBuff packet, int node, int securityIdentity, int reason, int monitor) {
    encapsulate(packet, node, securityIdentity, reason, monitor);
    return Redirect.to(packet, config.encapIfindex(), 0);
  }

  /**
   * {@code __encap_with_nodeid}: what comes from the host itself comes from a remote node there.
   */
  void encapsulate(SkBuff packet, int node, int securityIdentity, int reason, int monitor) {
    if (packet.traced) {
      recorder.function(packet, "__encap_with_nodeid");
    }
    int identity =
        securityIdentity == Identity.HOST ? config.localNodeIdentity() : securityIdentity;
    packet.hasTunnelKey = true;
    packet.tunnelId = identity;
    packet.tunnelRemote = node;
    packet.tunnelTtl = TUNNEL_TTL;
    events.trace(
        packet, TracePoint.TO_OVERLAY, identity, 0, 0, config.encapIfindex(), reason, monitor, 0);
  }
}
