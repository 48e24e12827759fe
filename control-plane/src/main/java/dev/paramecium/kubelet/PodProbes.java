package dev.paramecium.kubelet;

import dev.paramecium.api.KubeObject;
import dev.paramecium.kubelet.ContainerRecord.State;
import dev.paramecium.kubelet.ProbeSpec.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * The probes of a pod's containers: which of them run now. A startup probe runs alone until it has
 * succeeded; then liveness and readiness begin. Used by the pod's worker only.
 */
final class PodProbes {

  private final ActorContext<PodWorker.Command> context;
  private final HandlerRunner runner;
  private final PodEvents events;
  private final Map<String, Map<Kind, ActorRef<ProbeWorker.Command>>> workers = new HashMap<>();

  PodProbes(ActorContext<PodWorker.Command> context, HandlerRunner runner, PodEvents events) {
    this.context = context;
    this.runner = runner;
    this.events = events;
  }

  /** The container runs: its first probes begin. */
  void begin(KubeObject pod, ContainerRecord container, String podIp, Instant now) {
    if (container.role != ContainerRecord.Role.MAIN) {
      return;
    }
    if (container.started) {
      run(pod, container, podIp, Kind.LIVENESS, now);
      run(pod, container, podIp, Kind.READINESS, now);
    } else {
      run(pod, container, podIp, Kind.STARTUP, now);
    }
  }

  private void run(
      KubeObject pod, ContainerRecord container, String podIp, Kind kind, Instant now) {
    ProbeSpec spec = container.probe(kind);
    if (spec == null || !(container.state instanceof State.Running running)) {
      return;
    }
    String id = container.id;
    ActorRef<PodWorker.Command> self = context.getSelf();
    ActorRef<ProbeWorker.Command> worker =
        context.spawnAnonymous(
            ProbeWorker.create(
                spec,
                spec.initialDelay().minus(Duration.between(running.startedAt(), now)),
                new ProbeWorker.Wiring(
                    () -> runner.probe(container, podIp, spec),
                    outcome -> events.unhealthy(pod, container, kind, outcome),
                    healthy -> self.tell(new PodWorker.Probed(id, kind, healthy)))));
    ActorRef<ProbeWorker.Command> before =
        workers.computeIfAbsent(id, _ -> new EnumMap<>(Kind.class)).put(kind, worker);
    stop(before);
  }

  /** The container started up: its other probes take over. */
  void startedUp(KubeObject pod, ContainerRecord container, String podIp, Instant now) {
    Map<Kind, ActorRef<ProbeWorker.Command>> own = workers.get(container.id);
    if (own != null) {
      stop(own.remove(Kind.STARTUP));
    }
    begin(pod, container, podIp, now);
  }

  /** The container ended, or will: nobody asks it any more. */
  void end(String containerId) {
    Map<Kind, ActorRef<ProbeWorker.Command>> own = workers.remove(containerId);
    if (own != null) {
      own.values().forEach(this::stop);
    }
  }

  /** The pod is being deleted: only whether it is ready still matters. */
  void terminate() {
    for (Map<Kind, ActorRef<ProbeWorker.Command>> own : workers.values()) {
      for (Kind kind : Set.of(Kind.STARTUP, Kind.LIVENESS)) {
        stop(own.remove(kind));
      }
    }
  }

  private void stop(@Nullable ActorRef<ProbeWorker.Command> worker) {
    if (worker != null) {
      context.stop(worker);
    }
  }
}
