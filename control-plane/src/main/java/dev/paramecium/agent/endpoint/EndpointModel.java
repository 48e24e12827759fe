package dev.paramecium.agent.endpoint;

import dev.paramecium.abi.MacAddress;
import dev.paramecium.agent.policy.EndpointMap;
import dev.paramecium.policy.NamedPorts;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint as the agent's API shows it.
 *
 * @param reason why it is regenerated, or was last
 * @param identity 0 while it has none
 * @param labels sorted, with source: {@code k8s:app=curl}
 * @param ifindex of the host device; 0 while there is none
 * @param mac of the device in the pod
 * @param nodeMac of the host device
 * @param programId of from-container; 0 while none is loaded
 * @param policyRevision what the policy map reflects, 0 while it has no policy
 * @param policy what the policy map holds
 * @param ports that the pod's containers give names to
 */
public record EndpointModel(
    EndpointSpec spec,
    EndpointState state,
    String reason,
    int identity,
    List<String> labels,
    int ifindex,
    MacAddress mac,
    MacAddress nodeMac,
    int programId,
    long policyRevision,
    @Nullable EndpointMap policy,
    NamedPorts ports) {

  public EndpointModel {
    labels = List.copyOf(labels);
  }
}
