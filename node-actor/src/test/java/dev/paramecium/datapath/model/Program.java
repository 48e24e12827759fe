package dev.paramecium.datapath.model;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.NodeConfig;
import org.jspecify.annotations.Nullable;

/**
 * What an object file is compiled with, and what every one can do with a packet.
 *
 * @param source EVENT_SOURCE
 * @param seclabel SECLABEL
 * @param countsDelivery LOCAL_DELIVERY_METRICS
 * @param maglev LB_SELECTION_MAGLEV
 */
record Program(NodeModel node, int source, int seclabel, boolean countsDelivery, boolean maglev) {

  static final int HOST = 1;
  static final int WORLD = 2;

  static final int SKIP_INGRESS_PROXY = 1;
  static final int SKIP_EGRESS_PROXY = 2;
  static final int SKIP_NODEPORT = 4;
  static final int SKIP_RECIRCULATION = 8;

  static final int MARK_MASK = 0x0f00;
  static final int MARK_TO_PROXY = 0x0200;
  static final int MARK_PROXY_INGRESS = 0x0a00;
  static final int MARK_PROXY_EGRESS = 0x0b00;
  static final int MARK_HOST = 0x0c00;
  static final int MARK_DECRYPT = 0x0d00;
  static final int MARK_ENCRYPT = 0x0e00;
  static final int MARK_IDENTITY = 0x0f00;
  static final int MARK_SNAT_DONE = 0x1500;

  /** What a step of a program answers, or gives up with a {@link Drop}. */
  interface Step {
    int run();
  }

  NodeConfig config() {
    return node.config;
  }

  static int redirect(Frame frame, int ifindex) {
    frame.redirectIfindex = ifindex;
    frame.redirectFlags = 0;
    return Verdict.REDIRECT;
  }

  /** {@code ctx_redirect_to_proxy4}. */
  static int toProxy(Frame frame, int rawPort) {
    frame.mark = MARK_TO_PROXY | rawPort << 16;
    return Verdict.OK;
  }

  static int identityOfMark(int mark) {
    return (mark & 0xff) << 16 | mark >>> 16;
  }

  static boolean isRemoteNode(int identity) {
    return identity == 6 || identity == 7;
  }

  /** {@code identity_is_reserved}. */
  private static boolean saysLittle(int identity) {
    return identity < 3 || isRemoteNode(identity);
  }

  /** {@code inherit_identity_from_host}. */
  static int inheritIdentity(Frame frame) {
    int mark = frame.mark;
    frame.mark = 0;
    return switch (mark & MARK_MASK) {
      case MARK_PROXY_INGRESS -> {
        frame.tcIndex |= SKIP_INGRESS_PROXY;
        yield identityOfMark(mark);
      }
      case MARK_PROXY_EGRESS -> {
        frame.tcIndex |= SKIP_EGRESS_PROXY;
        yield identityOfMark(mark);
      }
      case MARK_IDENTITY -> identityOfMark(mark);
      case MARK_HOST -> HOST;
      case MARK_ENCRYPT -> frame.cb[1];
      default -> WORLD;
    };
  }

  static boolean isFromProxy(int mark) {
    int magic = mark & MARK_MASK;
    return magic == MARK_PROXY_INGRESS || magic == MARK_PROXY_EGRESS;
  }

  /** The ipcache's word for the source of a packet whose identity says little. */
  int resolve(Frame frame, int identity) {
    if (!saysLittle(identity)) {
      return identity;
    }
    RemoteEndpointInfo known = node.maps.ipcache(frame.source());
    boolean tells =
        known != null && known.securityIdentity() != 0 && known.securityIdentity() != HOST;
    return tells ? known.securityIdentity() : identity;
  }

  /** The other node that an address is behind, or null. */
  @Nullable Ipv4Address tunnelEndpoint(Ipv4Address address) {
    RemoteEndpointInfo found = node.maps.ipcache(address);
    return found == null || found.tunnelEndpoint().equals(Ipv4Address.ANY)
        ? null
        : found.tunnelEndpoint();
  }

  /** {@code __encap_with_nodeid}: the host itself is a remote node there. */
  void encapsulate(Frame frame, Ipv4Address to, int identity, int reason, boolean monitored) {
    int shown = identity == HOST ? config().localNodeIdentity() : identity;
    frame.hasTunnelKey = true;
    frame.tunnelId = shown;
    frame.tunnelRemote = to.value();
    frame.tunnelTtl = 64;
    node.events.trace(
        frame,
        source,
        TracePoint.TO_OVERLAY,
        shown,
        0,
        0,
        config().encapIfindex(),
        reason,
        monitored,
        Ipv4Address.ANY);
  }

  /**
   * {@code encap_and_redirect_lxc}: false if nobody knows the node.
   *
   * @param endpoint what the ipcache says
   */
  boolean throughTunnel(
      Frame frame, @Nullable Ipv4Address endpoint, int identity, int reason, boolean monitored) {
    Ipv4Address network = new Ipv4Address(frame.destination().value() & config().podCidrMask());
    Ipv4Address to = endpoint == null ? node.maps.tunnel.get(network) : endpoint;
    if (to == null) {
      return false;
    }
    encapsulate(frame, to, identity, reason, monitored);
    redirect(frame, config().encapIfindex());
    return true;
  }
}
