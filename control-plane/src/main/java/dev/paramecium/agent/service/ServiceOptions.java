package dev.paramecium.agent.service;

import org.jspecify.annotations.Nullable;

/**
 * How the node balances load, by the names of Cilium's ConfigMap.
 *
 * @param nodeName this node, for services that only its own backends serve
 * @param maglev {@code bpf-lb-algorithm: maglev}; null for random
 * @param sessionAffinity {@code enable-session-affinity}
 * @param sourceRangeCheck {@code enable-svc-source-range-check}
 * @param externalClusterIp {@code bpf-lb-external-clusterip}: outside clients may use ClusterIPs
 */
public record ServiceOptions(
    String nodeName,
    @Nullable Maglev maglev,
    boolean sessionAffinity,
    boolean sourceRangeCheck,
    boolean externalClusterIp) {

  /** With what v1.12.3 does unless told otherwise, and kube-proxy in charge of all else. */
  public static ServiceOptions defaults(String nodeName) {
    return new ServiceOptions(nodeName, null, false, true, false);
  }

  /** {@code useMaglev}: whether a service needs a lookup table. */
  @Nullable Maglev maglevOf(ServiceSpec spec) {
    boolean reachable =
        switch (spec.type()) {
          case CLUSTER_IP -> externalClusterIp;
          // The surrogate frontend is not exposed to the outside.
          case NODE_PORT -> !spec.frontend().isSurrogate();
          case LOAD_BALANCER, HOST_PORT, EXTERNAL_IPS -> true;
          case LOCAL_REDIRECT -> false;
        };
    return reachable ? maglev : null;
  }
}
