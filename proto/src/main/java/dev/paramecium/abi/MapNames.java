package dev.paramecium.abi;

import java.util.Locale;

/** The names that Cilium's maps are pinned by, under {@link #PIN_DIRECTORY}. */
public final class MapNames {

  public static final String PIN_DIRECTORY = "/sys/fs/bpf/tc/globals/";

  public static final String LXC = "cilium_lxc";
  public static final String IPCACHE = "cilium_ipcache";
  public static final String TUNNEL = "cilium_tunnel_map";
  public static final String CALL_POLICY = "cilium_call_policy";
  public static final String EGRESS_CALL_POLICY = "cilium_egresscall_policy";
  public static final String CT4_GLOBAL = "cilium_ct4_global";
  public static final String CT_ANY4_GLOBAL = "cilium_ct_any4_global";
  public static final String FRAGMENTS = "cilium_ipv4_frag_datagrams";
  public static final String METRICS = "cilium_metrics";
  public static final String EVENTS = "cilium_events";
  public static final String SIGNALS = "cilium_signals";
  public static final String ENCRYPT_STATE = "cilium_encrypt_state";
  public static final String LB4_SERVICES = "cilium_lb4_services_v2";
  public static final String LB4_BACKENDS = "cilium_lb4_backends_v2";
  public static final String LB4_REVERSE_NAT = "cilium_lb4_reverse_nat";
  public static final String LB4_AFFINITY = "cilium_lb4_affinity";
  public static final String LB_AFFINITY_MATCH = "cilium_lb_affinity_match";
  public static final String LB4_SOURCE_RANGE = "cilium_lb4_source_range";
  public static final String LB4_MAGLEV = "cilium_lb4_maglev";
  public static final String LB4_MAGLEV_INNER = "cilium_lb4_maglev_inner";
  public static final String LB4_REVERSE_SK = "cilium_lb4_reverse_sk";
  public static final String LB4_HEALTH = "cilium_lb4_health";
  public static final String SOCK_OPS = "cilium_sock_ops";
  public static final String EP_TO_POLICY = "cilium_ep_to_policy";
  public static final String SNAT_V4_EXTERNAL = "cilium_snat_v4_external";
  public static final String NODEPORT_NEIGH4 = "cilium_nodeport_neigh4";
  public static final String IPMASQ_V4 = "cilium_ipmasq_v4";
  public static final String CIDR_V4_FIX = "cilium_cidr_v4_fix";
  public static final String CIDR_V4_DYN = "cilium_cidr_v4_dyn";
  public static final String CALLS_OVERLAY = "cilium_calls_overlay_2";
  public static final String CALLS_XDP = "cilium_calls_xdp";
  public static final String CALLS_LB = "cilium_calls_lb";

  private static final String POLICY_PREFIX = "cilium_policy_";

  private MapNames() {}

  /** {@code cilium_policy_01180}: an endpoint's policy. */
  public static String policyMapName(int endpointId) {
    return numbered(POLICY_PREFIX, endpointId);
  }

  /** The inverse of {@link #policyMapName}, or -1 if {@code name} is another map's. */
  public static int policyMapEndpoint(String name) {
    if (!name.startsWith(POLICY_PREFIX) || name.length() > POLICY_PREFIX.length() + 9) {
      return -1;
    }
    int id = 0;
    for (int i = POLICY_PREFIX.length(); i < name.length(); i++) {
      char c = name.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      id = id * 10 + (c - '0');
    }
    return name.equals(policyMapName(id)) ? id : -1;
  }

  /** {@code cilium_calls_01180}: the tail calls of an endpoint's program. */
  public static String callsMapName(int endpointId) {
    return numbered("cilium_calls_", endpointId);
  }

  /** The tail calls of the programs on {@code cilium_host} and {@code cilium_net}. */
  public static String hostCallsMapName(int endpointId) {
    return numbered("cilium_calls_hostns_", endpointId);
  }

  /** The tail calls of the programs on a native device. */
  public static String netdevCallsMapName(int ifindex) {
    return numbered("cilium_calls_netdev_", ifindex);
  }

  private static String numbered(String prefix, int number) {
    return prefix + String.format(Locale.ROOT, "%05d", number);
  }
}
