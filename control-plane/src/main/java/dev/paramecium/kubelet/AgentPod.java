package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.random.RandomGenerator;

/**
 * The {@code cilium-xxxxx} pod of a node, as Cilium's DaemonSet would make it. Its container is the
 * agent that runs in the node's user space: exec into it runs commands on the node.
 */
final class AgentPod {

  static final String NAMESPACE = "kube-system";
  static final String SELECTOR = "k8s-app=cilium";

  /** The letters of generated names ({@code apimachinery/pkg/util/rand}). */
  private static final String ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

  private AgentPod() {}

  static boolean isOne(KubeObject pod) {
    return pod.namespace().equals(NAMESPACE)
        && "cilium".equals(pod.labels().get("k8s-app"))
        && pod.at("/spec/hostNetwork").asBoolean();
  }

  static KubeObject create(NodeConfig config, RandomGenerator random) {
    StringBuilder name = new StringBuilder("cilium-");
    for (int i = 0; i < 5; i++) {
      name.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("apiVersion", ResourceType.POD.apiVersion());
    json.put("kind", ResourceType.POD.kind());
    ObjectNode metadata = json.putObject("metadata");
    metadata.put("name", name.toString());
    metadata.put("namespace", NAMESPACE);
    metadata
        .putObject("labels")
        .put("app.kubernetes.io/name", "cilium-agent")
        .put("app.kubernetes.io/part-of", "cilium")
        .put("k8s-app", "cilium");
    ObjectNode spec = json.putObject("spec");
    spec.put("nodeName", config.nodeName());
    spec.put("hostNetwork", true);
    spec.put("priorityClassName", "system-node-critical");
    spec.put("restartPolicy", "Always");
    spec.put("serviceAccountName", "cilium");
    spec.put("terminationGracePeriodSeconds", 1);
    spec.putArray("tolerations").addObject().put("operator", "Exists");
    ObjectNode container = spec.putArray("containers").addObject();
    container.put("name", "cilium-agent");
    container.put("image", "quay.io/cilium/cilium:v" + NodeConfig.CILIUM_VERSION);
    container.put("imagePullPolicy", "IfNotPresent");
    container.putArray("command").add("cilium-agent");
    container.putArray("args").add("--config-dir=/tmp/cilium/config-map");
    return new KubeObject(json);
  }
}
