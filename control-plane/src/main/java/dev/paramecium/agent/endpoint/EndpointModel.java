package dev.paramecium.agent.endpoint;

import dev.paramecium.abi.MacAddress;
import java.util.List;

/**
 * An endpoint as the agent's API shows it.
 *
 * @param identity 0 while it has none
 * @param labels sorted, with source: {@code k8s:app=curl}
 * @param ifindex of the host device; 0 while there is none
 * @param mac of the device in the pod
 * @param nodeMac of the host device
 * @param programId of from-container; 0 while none is loaded
 * @param policyRevision what the policy map reflects
 */
public record EndpointModel(
    EndpointSpec spec,
    EndpointState state,
    int identity,
    List<String> labels,
    int ifindex,
    MacAddress mac,
    MacAddress nodeMac,
    int programId,
    long policyRevision) {

  public EndpointModel {
    labels = List.copyOf(labels);
  }
}
