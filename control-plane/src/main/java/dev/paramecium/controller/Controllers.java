package dev.paramecium.controller;

import dev.paramecium.controller.workload.DaemonSets;
import dev.paramecium.controller.workload.Deployments;
import dev.paramecium.controller.workload.Jobs;
import dev.paramecium.controller.workload.ReplicaSets;
import dev.paramecium.controller.workload.StatefulSets;
import java.util.List;

/** Every reconciler that kube-controller-manager would run without a cloud. */
public final class Controllers {

  private Controllers() {}

  public static List<Reconciler> all() {
    return List.of(
        new Deployments(),
        new ReplicaSets(),
        new DaemonSets(),
        new StatefulSets(),
        new Jobs(),
        new ServiceEndpoints(),
        new ClusterRoleAggregation(),
        new TaintEvictions());
  }
}
