package dev.paramecium.kubelet;

import dev.paramecium.api.KubeObject;

/**
 * The {@code cilium-xxxxx} pod of a node, which Cilium's DaemonSet makes. Its container shows the
 * agent that runs in the node's user space: it prints the agent's log, and exec into it runs
 * commands on the node.
 */
final class AgentPod {

  private AgentPod() {}

  static boolean isOne(KubeObject pod) {
    return pod.namespace().equals("kube-system")
        && "cilium".equals(pod.labels().get("k8s-app"))
        && pod.at("/spec/hostNetwork").asBoolean();
  }
}
