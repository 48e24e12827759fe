package dev.paramecium.chaos;

import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.Reconciler;
import java.util.List;

/** Every reconciler that Chaos Mesh's controller manager would run. */
public final class ChaosControllers {

  private ChaosControllers() {}

  public static List<Reconciler> all() {
    PodNetworkChaoses podLinks = new PodNetworkChaoses();
    NodeNetworkChaoses nodeLinks = new NodeNetworkChaoses();
    return List.of(
        new NetworkChaoses(podLinks),
        podLinks,
        new PodChaoses(),
        new PodFailures(),
        new Schedules(),
        new TargetedChaoses(ResourceType.NODE_CHAOS),
        new TargetedChaoses(ResourceType.MAP_CHAOS),
        new TargetedChaoses(ResourceType.CONTROL_PLANE_CHAOS),
        new PartitionChaoses(nodeLinks),
        nodeLinks);
  }
}
