package dev.paramecium.abi;

import java.util.List;

/** The identities with a fixed number ({@code pkg/identity/numericidentity.go}). */
public enum ReservedIdentity {
  UNKNOWN(0, "unknown", ""),
  HOST(1, "host", "reserved:host"),
  WORLD(2, "world", "reserved:world"),
  UNMANAGED(3, "unmanaged", "reserved:unmanaged"),
  HEALTH(4, "health", "reserved:health"),
  INIT(5, "init", "reserved:init"),
  REMOTE_NODE(6, "remote-node", "reserved:remote-node"),
  KUBE_APISERVER(7, "kube-apiserver", "reserved:kube-apiserver,reserved:remote-node"),
  INGRESS(8, "ingress", "reserved:ingress");

  /** The smallest and largest number that is allocated to a label set in cluster 0. */
  public static final int ALLOCATION_MIN = 256;

  public static final int ALLOCATION_MAX = 65535;

  /** Set in the number of an identity that stands for a CIDR and is known on one node only. */
  public static final int LOCAL_SCOPE = 1 << 24;

  private static final List<ReservedIdentity> BY_ID = List.of(values());

  private final int id;
  private final String label;

  /** Separated by commas. */
  private final String labels;

  ReservedIdentity(int id, String label, String labels) {
    this.id = id;
    this.label = label;
    this.labels = labels;
  }

  public int id() {
    return id;
  }

  /** {@code remote-node}: what {@code cilium monitor} prints for the number. */
  public String label() {
    return label;
  }

  /** With their source: {@code reserved:remote-node}. */
  public List<String> labels() {
    return labels.isEmpty() ? List.of() : List.of(labels.split(","));
  }

  /** The label of a reserved identity, otherwise the number. */
  public static String nameOf(int identity) {
    return identity >= 0 && identity < BY_ID.size()
        ? BY_ID.get(identity).label
        : Integer.toUnsignedString(identity);
  }

  /** {@code identity_is_remote_node}: 6 or 7. */
  public static boolean isRemoteNode(int identity) {
    return identity == REMOTE_NODE.id || identity == KUBE_APISERVER.id;
  }

  /**
   * {@code identity_is_reserved}: a source identity that the ipcache may replace, that is 0, 1, 2
   * and the remote nodes.
   */
  public static boolean isReplaceable(int identity) {
    return Integer.compareUnsigned(identity, UNMANAGED.id) < 0 || isRemoteNode(identity);
  }
}
