package dev.paramecium.agent.desired;

/** Where a claim comes from, the strongest first ({@code pkg/source/source.go}). */
public enum Source {
  KUBE_APISERVER("kube-apiserver"),
  LOCAL("local"),
  /** A pod of this node; it is listed as its CiliumEndpoint, but a peer's never displaces it. */
  LOCAL_ENDPOINT("custom-resource"),
  KVSTORE("kvstore"),
  CUSTOM_RESOURCE("custom-resource"),
  KUBERNETES("k8s"),
  GENERATED("generated"),
  RESTORED("restored"),
  UNSPECIFIED("");

  private final String label;

  Source(String label) {
    this.label = label;
  }

  /** As {@code cilium ip list} prints it. */
  public String label() {
    return label;
  }
}
