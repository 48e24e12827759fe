package dev.paramecium.agent.endpoint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.policy.EndpointMap;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The CiliumEndpoint object of an endpoint ({@code pkg/endpoint/api.go}, GetCiliumEndpointStatus):
 * what other nodes learn about a pod.
 */
public final class CiliumEndpoints {

  private CiliumEndpoints() {}

  /**
   * The object to store.
   *
   * @param podLabels repeated on the object, so that it can be selected as its pod is
   * @param stored what is in the API server now, null for nothing; what others wrote is kept
   */
  static KubeObject of(
      EndpointModel model, PodRef pod, Map<String, String> podLabels, @Nullable KubeObject stored) {
    ObjectNode json = stored == null ? JsonNodeFactory.instance.objectNode() : stored.copy().json();
    json.put("apiVersion", ResourceType.CILIUM_ENDPOINT.apiVersion());
    json.put("kind", ResourceType.CILIUM_ENDPOINT.kind());
    ObjectNode metadata = json.withObjectProperty("metadata");
    metadata.put("name", pod.name());
    metadata.put("namespace", pod.namespace());
    ObjectNode labels = metadata.putObject("labels");
    podLabels.forEach(labels::put);
    ObjectNode owner = metadata.putArray("ownerReferences").addObject();
    owner.put("apiVersion", "v1");
    owner.put("blockOwnerDeletion", true);
    owner.put("kind", "Pod");
    owner.put("name", pod.name());
    owner.put("uid", pod.uid());
    json.set("status", status(model, pod));
    return new KubeObject(json);
  }

  /** What the object says of the endpoint; it is written again when this changes. */
  static ObjectNode status(EndpointModel model, PodRef pod) {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    status.putObject("encryption");
    ObjectNode external = status.putObject("external-identifiers");
    external.put("container-id", model.spec().netns());
    external.put("k8s-namespace", pod.namespace());
    external.put("k8s-pod-name", pod.name());
    external.put("pod-name", pod.toString());
    status.put("id", model.spec().id());
    ObjectNode identity = status.putObject("identity");
    identity.put("id", model.identity());
    ArrayNode labels = identity.putArray("labels");
    model.labels().forEach(labels::add);
    ObjectNode networking = status.putObject("networking");
    networking.putArray("addressing").addObject().put("ipv4", model.spec().address().toString());
    networking.put("node", model.spec().nodeIp().toString());
    ArrayNode ports = JsonNodeFactory.instance.arrayNode();
    new TreeMap<>(model.ports().ports())
        .forEach(
            (name, numbers) ->
                numbers.forEach(
                    port ->
                        ports
                            .addObject()
                            .put("name", name)
                            .put("port", port.number())
                            .put("protocol", IpProtocol.name(port.protocol()))));
    if (!ports.isEmpty()) {
      status.set("named-ports", ports);
    }
    EndpointMap enforced = model.policy();
    if (enforced != null) {
      ObjectNode policy = status.putObject("policy");
      direction(policy.putObject("egress"), enforced.egressClosed());
      direction(policy.putObject("ingress"), enforced.ingressClosed());
    }
    status.put("state", model.state().toString());
    return status;
  }

  private static void direction(ObjectNode json, boolean enforcing) {
    json.put("enforcing", enforcing);
    json.put("state", enforcing ? "enforcing" : "<status disabled>");
  }

  /** The uid of the pod that a CiliumEndpoint is of, empty if it does not say. */
  public static String podUid(KubeObject ciliumEndpoint) {
    return ciliumEndpoint.text("/metadata/ownerReferences/0/uid");
  }
}
