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
  private final EndpointMap lxc;
  private final Ipcache ipcache;
  private final NatMaps nat;

  Masquerade(ProgramContext context, Config config) {
    this.config = config;
    this.tunnel = context.config().tunnel();
    this.lxc = context.maps().lxc();
    this.ipcache = context.maps().ipcache();
    this.nat = context.maps().nat();
  }

  int address() {
    return config.address();
  }

  /**
   * Whether the packet, which answers nobody, gets the node's address.
   *
   * @param local the source's entry of {@code cilium_lxc}, negative if it is no endpoint here
   */
  boolean isNeeded(SkBuff packet, int local) {
    int destination = Ipv4Header.daddr(packet);
    if ((destination & config.exclusionMask()) == config.exclusion()) {
      return false;
    }
    if (local < 0 || lxc.isHost(local)) {
      return false;
    }
    LpmTrie.Entry remote = ipcache.lookup(destination);
    if (remote == null || config.ipMasqAgent() && nat.isMasqueradeExcluded(destination)) {
      return false;
    }
    // Through a tunnel only pods are reached: to another node a pod's own address may not be sent.
    return tunnel || !ReservedIdentity.isRemoteNode(Ipcache.securityIdentity(remote));
  }
}
