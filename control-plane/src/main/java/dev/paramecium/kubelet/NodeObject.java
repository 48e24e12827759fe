package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/** The Node object of this node and its status ({@code pkg/kubelet/nodestatus}). */
final class NodeObject {

  private final NodeConfig config;
  private final String bootId;
  private final Map<String, String> known = new HashMap<>();
  private final Map<String, Instant> transitions = new HashMap<>();

  /**
   * @param bootId another one at each start
   */
  NodeObject(NodeConfig config, String bootId) {
    this.config = config;
    this.bootId = bootId;
  }

  KubeObject create() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("apiVersion", ResourceType.NODE.apiVersion());
    json.put("kind", ResourceType.NODE.kind());
    ObjectNode metadata = json.putObject("metadata");
    metadata.put("name", config.nodeName());
    metadata
        .putObject("labels")
        .put("beta.kubernetes.io/arch", "amd64")
        .put("beta.kubernetes.io/os", "linux")
        .put("kubernetes.io/arch", "amd64")
        .put("kubernetes.io/hostname", config.nodeName())
        .put("kubernetes.io/os", "linux");
    json.putObject("spec");
    return new KubeObject(json);
  }

  /** Conditions, addresses, capacity and versions, as of {@code now}. */
  ObjectNode status(boolean networkReady, Instant now) {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    ArrayNode addresses = status.putArray("addresses");
    addresses.addObject().put("address", config.nodeIp().toString()).put("type", "InternalIP");
    addresses.addObject().put("address", config.nodeName()).put("type", "Hostname");
    resources(status.putObject("capacity"), 0);
    resources(status.putObject("allocatable"), 100L * 1024);
    ArrayNode conditions = status.putArray("conditions");
    if (networkReady) {
      condition(
          conditions,
          "NetworkUnavailable",
          "False",
          "CiliumIsUp",
          "Cilium is running on this node",
          now);
    }
    condition(
        conditions,
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
        now);
    condition(
        conditions,
        "DiskPressure",
        "False",
        "KubeletHasNoDiskPressure",
        "kubelet has no disk pressure",
        now);
    condition(
        conditions,
        "PIDPressure",
        "False",
        "KubeletHasSufficientPID",
        "kubelet has sufficient PID available",
        now);
    if (networkReady) {
      condition(
          conditions, "Ready", "True", "KubeletReady", "kubelet is posting ready status", now);
    } else {
      condition(
          conditions,
          "Ready",
          "False",
          "KubeletNotReady",
          "container runtime network not ready: NetworkReady=false"
              + " reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin"
              + " not initialized",
          now);
    }
    status.putObject("daemonEndpoints").putObject("kubeletEndpoint").put("Port", 10250);
    ObjectNode info = status.putObject("nodeInfo");
    info.put("architecture", "amd64");
    info.put("bootID", bootId);
    info.put("containerRuntimeVersion", "containerd://1.6.8");
    info.put("kernelVersion", "5.4.0-135-generic");
    info.put("kubeProxyVersion", config.kubernetesVersion());
    info.put("kubeletVersion", config.kubernetesVersion());
    UUID machine = UUID.nameUUIDFromBytes(config.nodeName().getBytes(StandardCharsets.UTF_8));
    info.put("machineID", machine.toString().replace("-", ""));
    info.put("operatingSystem", "linux");
    info.put("osImage", "Ubuntu 20.04.5 LTS");
    info.put("systemUUID", machine.toString());
    return status;
  }

  private void resources(ObjectNode resources, long reservedKi) {
    resources.put("cpu", Integer.toString(config.cpus()));
    resources.put("ephemeral-storage", "64Gi");
    resources.put("memory", (config.memoryKi() - reservedKi) + "Ki");
    resources.put("pods", Integer.toString(config.maxPods()));
  }

  private void condition(
      ArrayNode conditions, String type, String value, String reason, String message, Instant now) {
    if (!value.equals(known.put(type, value))) {
      transitions.put(type, now);
    }
    conditions
        .addObject()
        .put("lastHeartbeatTime", PodStatus.time(now))
        .put("lastTransitionTime", PodStatus.time(transitions.getOrDefault(type, now)))
        .put("message", message)
        .put("reason", reason)
        .put("status", value)
        .put("type", type);
  }
}
