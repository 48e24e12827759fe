package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;

/** {@code bpf/lib/proxy.h}: the way to an L7 proxy on this node. Ports are in network order. */
public final class Proxy {

  private Proxy() {}

  /** {@code redirect_to_proxy}: whether a policy verdict sends the connection there. */
  public static boolean isRedirected(int verdict, int status) {
    return verdict > 0
        && (status == Conntrack.NEW
            || status == Conntrack.ESTABLISHED
            || status == Conntrack.REOPENED);
  }

  /**
   * {@code ctx_redirect_to_proxy4}: the stack finds the proxy's socket by the mark.
   *
   * @param rawProxyPort 0 for a reply, whose socket is known
   */
  public static int redirect(SkBuff packet, int rawProxyPort) {
    packet.mark = Identity.MARK_MAGIC_TO_PROXY | rawProxyPort << 16;
    packet.forHost = true;
    return Verdict.OK;
  }

  /** {@code ctx_redirect_to_proxy_hairpin_ipv4}: around through {@code cilium_net}. */
  public static int redirectHairpin(
      SkBuff packet, int rawProxyPort, NodeConfig config, long routerMac) {
    packet.cb0 = Identity.MARK_MAGIC_TO_PROXY | rawProxyPort << 16;
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    int error = L3.forward(packet, routerMac, config.hostIfindexMac());
    return error < 0 ? error : Redirect.to(packet, config.hostIfindex(), 0);
  }

  /** {@code ctx_redirect_to_proxy_first}: in to-host, what was sent around is marked. */
  public static void redirectFirst(SkBuff packet, int rawProxyPort) {
    packet.mark = Identity.MARK_MAGIC_TO_PROXY | rawProxyPort << 16;
    packet.forHost = true;
  }
}
