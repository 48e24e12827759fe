package dev.paramecium.lib;

import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.map.EndpointMap;
import dev.paramecium.map.Ipcache;
import dev.paramecium.map.NatMaps;

/**
 * ENABLE_MASQUERADE ({@code snat_v4_needed}): which packets of pods leave the node with its
 * address.
 *
 * <pre>
 *   to a network that sees pods' addresses? to an exclusion of ip-masq-agent?  → as it is
 *   to another node (native routing)?  an answer?  not from a pod of this node? → as it is
 *   otherwise                                                                   → the node's address
 * </pre>
 */
public final class Masquerade {

  /**
   * @param address IPV4_MASQUERADE
   * @param exclusion IPV4_SNAT_EXCLUSION_DST_CIDR
   * @param exclusionMask its length as a mask
   * @param ipMasqAgent ENABLE_IP_MASQ_AGENT
   */
  public record Config(int address, int exclusion, int exclusionMask, boolean ipMasqAgent) {}

  private final Config config;
  private final boolean tunnel;
  private final Conntrack conntrack;
  private final EndpointMap lxc;
  private final Ipcache ipcache;
  private final NatMaps nat;

  Masquerade(ProgramContext context, Config config, Conntrack conntrack) {
    this.config = config;
    this.tunnel = context.config().tunnel();
    this.conntrack = conntrack;
    this.lxc = context.maps().lxc();
    this.ipcache = context.maps().ipcache();
    this.nat = context.maps().nat();
  }

  int address() {
    return config.address();
  }

  /** Whether the packet, of a source that is not the node itself, gets the node's address. */
  boolean isNeeded(SkBuff packet, PerCpu cpu) {
    int destination = Ipv4Header.daddr(packet);
    if ((destination & config.exclusionMask()) == config.exclusion()) {
      return false;
    }
    int local = lxc.find(Ipv4Header.saddr(packet));
    if (local < 0 || lxc.isHost(local)) {
      return false;
    }
    LpmTrie.Entry remote = ipcache.lookup(destination);
    if (remote == null || config.ipMasqAgent() && nat.isMasqueradeExcluded(destination)) {
      return false;
    }
    // Through a tunnel only pods are reached: to another node a pod's own address may not be sent.
    if (!tunnel && ReservedIdentity.isRemoteNode(Ipcache.securityIdentity(remote))) {
      return false;
    }
    return !conntrack.isReply4(packet, Ipv4Header.l4Offset(packet), cpu);
  }
}
