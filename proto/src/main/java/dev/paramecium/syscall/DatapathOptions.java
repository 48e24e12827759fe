package dev.paramecium.syscall;

import dev.paramecium.abi.Ipv4Prefix;
import org.jspecify.annotations.Nullable;

/**
 * The features that cilium-agent compiles into a node's programs, as its options and
 * initKubeProxyReplacementOptions have decided on them.
 *
 * @param tunnel TUNNEL_MODE; false for native routing
 * @param policyAudit POLICY_AUDIT_MODE
 * @param sessionAffinity ENABLE_SESSION_AFFINITY
 * @param nodePort ENABLE_NODEPORT with its settings; null if kube-proxy does that
 * @param masquerade who translates what pods send to the world
 * @param snatExclusion IPV4_SNAT_EXCLUSION_DST_CIDR: destinations that see pods' own addresses
 * @param ipMasqAgent ENABLE_IP_MASQ_AGENT: {@code cilium_ipmasq_v4} has further exclusions
 * @param sockets which programs sockets have
 * @param xdp what runs at the native device's XDP hook
 */
public record DatapathOptions(
    boolean tunnel,
    boolean policyAudit,
    boolean sessionAffinity,
    @Nullable NodePort nodePort,
    Masquerade masquerade,
    Ipv4Prefix snatExclusion,
    boolean ipMasqAgent,
    Sockets sockets,
    Xdp xdp) {

  /** How requests reach backends on other nodes. */
  public enum Mode {
    /** From this node's address; replies come back by here. */
    SNAT,
    /** With the service's address in an IP option; replies go straight to the client. */
    DSR,
    /** DSR for TCP, SNAT for UDP. */
    HYBRID
  }

  /** Who gives packets from pods to the world the node's address. */
  public enum Masquerade {
    NOBODY,
    IPTABLES,
    BPF
  }

  /**
   * BPF NodePort.
   *
   * @param minPort NODEPORT_PORT_MIN
   * @param maxPort NODEPORT_PORT_MAX; NAT uses the ports above
   * @param maglevTableSize LB_MAGLEV_LUT_SIZE, 0 for LB_SELECTION_RANDOM
   * @param connectionSeed HASH_INIT4_SEED
   * @param pmtuDiscovery ENABLE_DSR_ICMP_ERRORS: clients hear when DSR's option does not fit
   */
  public record NodePort(
      Mode mode,
      int minPort,
      int maxPort,
      int maglevTableSize,
      int connectionSeed,
      boolean pmtuDiscovery) {

    public static final NodePort DEFAULT = new NodePort(Mode.SNAT, 30000, 32767, 0, 0xcafe, false);
  }

  /**
   * Programs on sockets.
   *
   * @param loadBalancing ENABLE_SOCKET_LB_FULL: services are translated when a process connects
   * @param hostNamespaceOnly ENABLE_SOCKET_LB_HOST_ONLY: of the node's own processes only
   * @param bindProtection where NodePort is on, no process of the node can bind a service's port
   * @param sockops connections within the node bypass its devices
   */
  public record Sockets(
      boolean loadBalancing, boolean hostNamespaceOnly, boolean bindProtection, boolean sockops) {

    public static final Sockets NONE = new Sockets(false, false, true, false);
  }

  /**
   * {@code bpf_xdp.o}.
   *
   * @param prefilter ENABLE_PREFILTER: listed sources are dropped
   * @param acceleration ENABLE_NODEPORT_ACCELERATION: NodePort is done here
   * @param generic run by the stack, not by the device's driver
   */
  public record Xdp(boolean prefilter, boolean acceleration, boolean generic) {

    public static final Xdp NONE = new Xdp(false, false, false);

    public boolean isOn() {
      return prefilter || acceleration;
    }
  }

  /**
   * v1.12.3 with nothing configured, on a node with this pod CIDR: tunnel, kube-proxy, iptables.
   */
  public static DatapathOptions defaults(Ipv4Prefix podCidr) {
    return new DatapathOptions(
        true, false, false, null, Masquerade.IPTABLES, podCidr, false, Sockets.NONE, Xdp.NONE);
  }

  public DatapathOptions withNodePort(@Nullable NodePort settings) {
    return new DatapathOptions(
        tunnel,
        policyAudit,
        settings != null,
        settings,
        masquerade,
        snatExclusion,
        ipMasqAgent,
        sockets,
        xdp);
  }

  public DatapathOptions withTunnel(boolean on) {
    return new DatapathOptions(
        on,
        policyAudit,
        sessionAffinity,
        nodePort,
        masquerade,
        snatExclusion,
        ipMasqAgent,
        sockets,
        xdp);
  }

  public DatapathOptions withMasquerade(Masquerade who, Ipv4Prefix exclusion) {
    return new DatapathOptions(
        tunnel, policyAudit, sessionAffinity, nodePort, who, exclusion, ipMasqAgent, sockets, xdp);
  }

  public DatapathOptions withSockets(Sockets programs) {
    return new DatapathOptions(
        tunnel,
        policyAudit,
        sessionAffinity,
        nodePort,
        masquerade,
        snatExclusion,
        ipMasqAgent,
        programs,
        xdp);
  }

  public DatapathOptions withXdp(Xdp programs) {
    return new DatapathOptions(
        tunnel,
        policyAudit,
        sessionAffinity,
        nodePort,
        masquerade,
        snatExclusion,
        ipMasqAgent,
        sockets,
        programs);
  }
}
