package dev.paramecium.chaos;

import dev.paramecium.api.ApiClient;
import java.time.InstantSource;
import java.util.List;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Does for the control plane what experiments ask of processes and of its own cluster links: the
 * executors of NodeChaos, ControlPlaneChaos, and PartitionChaos of cluster links.
 */
public final class Warden {

  /** Stands in records whose targets the control plane acts on. */
  static final String CONTROL_PLANE = "control-plane";

  private Warden() {}

  /**
   * The warden.
   *
   * @param machine where the processes are
   * @param disk where the journal is
   */
  public static Behavior<Void> create(
      ApiClient api, Machine machine, JournalDisk disk, InstantSource clock) {
    return Behaviors.setup(
        context -> {
          var blocking = context.getSystem().dispatchers().lookup(DispatcherSelector.blocking());
          for (Action action :
              List.of(
                  new ProcessFaults(machine, api, clock, blocking),
                  new ControlPlaneFaults(machine, disk, clock),
                  new ClusterLinkFaults(context.getSystem(), api, machine))) {
            context.spawn(Executor.create(action, api), action.type().plural());
          }
          return Behaviors.empty();
        });
  }
}
