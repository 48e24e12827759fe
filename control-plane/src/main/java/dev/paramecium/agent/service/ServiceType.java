package dev.paramecium.agent.service;

import dev.paramecium.abi.Lb4Service;

/** What a frontend is to its clients ({@code loadbalancer.SVCType}). */
public enum ServiceType {
  CLUSTER_IP("ClusterIP", 0, 0),
  NODE_PORT("NodePort", Lb4Service.FLAG_NODE_PORT, 0),
  EXTERNAL_IPS("ExternalIPs", Lb4Service.FLAG_EXTERNAL_IP, 0),
  LOAD_BALANCER("LoadBalancer", Lb4Service.FLAG_LOAD_BALANCER, 0),
  HOST_PORT("HostPort", Lb4Service.FLAG_HOST_PORT, 0),
  LOCAL_REDIRECT("LocalRedirect", 0, Lb4Service.FLAG2_LOCAL_REDIRECT);

  private final String label;
  private final int flags;
  private final int flags2;

  ServiceType(String label, int flags, int flags2) {
    this.label = label;
    this.flags = flags;
    this.flags2 = flags2;
  }

  /** As {@code cilium service list} prints it. */
  public String label() {
    return label;
  }

  int flags() {
    return flags;
  }

  int flags2() {
    return flags2;
  }

  /** Whether externalTrafficPolicy means anything to it. */
  boolean hasTrafficPolicy() {
    return this == NODE_PORT || this == LOAD_BALANCER || this == EXTERNAL_IPS;
  }
}
