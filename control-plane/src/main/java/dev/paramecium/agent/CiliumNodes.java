package dev.paramecium.agent;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import org.jspecify.annotations.Nullable;

/**
 * The CiliumNode object of this node ({@code pkg/nodediscovery}): what other nodes and the operator
 * learn about it. {@code spec.ipam.podCIDRs} is the operator's.
 */
final class CiliumNodes {

  private CiliumNodes() {}

  /** The object as it is first stored, before the operator has given it a pod CIDR. */
  static KubeObject create(NodeConfig config) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("apiVersion", ResourceType.CILIUM_NODE.apiVersion());
    json.put("kind", ResourceType.CILIUM_NODE.kind());
    ObjectNode metadata = json.putObject("metadata");
    metadata.put("name", config.nodeName());
    ObjectNode labels = metadata.putObject("labels");
    labels.put("kubernetes.io/arch", "amd64");
    labels.put("kubernetes.io/hostname", config.nodeName());
    labels.put("kubernetes.io/os", "linux");
    json.set("spec", spec(config.nodeIp(), null, null));
    return new KubeObject(json);
  }

  /** A merge patch that says how the node is reached; what the operator wrote stays. */
  static String patch(Ipv4Address nodeIp, Ipv4Address routerIp, @Nullable Ipv4Address healthIp) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch.set("spec", spec(nodeIp, routerIp, healthIp));
    return patch.toString();
  }

  private static ObjectNode spec(
      Ipv4Address nodeIp, @Nullable Ipv4Address routerIp, @Nullable Ipv4Address healthIp) {
    ObjectNode spec = JsonNodeFactory.instance.objectNode();
    ArrayNode addresses = spec.putArray("addresses");
    addresses.addObject().put("ip", nodeIp.toString()).put("type", "InternalIP");
    if (routerIp != null) {
      addresses.addObject().put("ip", routerIp.toString()).put("type", "CiliumInternalIP");
    }
    if (healthIp != null) {
      spec.putObject("health").put("ipv4", healthIp.toString());
    }
    return spec;
  }
}
