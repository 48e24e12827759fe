package dev.paramecium.dns;

/**
 * What every kubelet of the cluster is configured with ({@code clusterDNS}, {@code clusterDomain}).
 */
public final class ClusterDns {

  /** The tenth of the cluster addresses, as kubeadm chooses it; the Service kube-dns has it. */
  public static final String ADDRESS = "10.96.0.10";

  public static final String DOMAIN = "cluster.local";

  private ClusterDns() {}
}
