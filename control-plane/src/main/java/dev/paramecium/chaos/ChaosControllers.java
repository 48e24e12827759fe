package dev.paramecium.chaos;

import dev.paramecium.controller.Reconciler;
import java.util.List;

/** Every reconciler that Chaos Mesh's controller manager would run. */
public final class ChaosControllers {

  private ChaosControllers() {}

  public static List<Reconciler> all() {
    return List.of(
        new NetworkChaoses(),
        new PodNetworkChaoses(),
        new PodChaoses(),
        new PodFailures(),
        new Schedules(),
        new PartitionChaoses(),
        new NodeNetworkChaoses());
  }
}
