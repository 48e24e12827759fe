package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.KubeObject;
import dev.paramecium.log.LogBook;
import dev.paramecium.syscall.ContainerEvent;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.slf4j.Logger;

/**
 * What becomes of a pod's containers between their starts and their ends: hooks, probes, feeds, and
 * what follows from them. Used by the pod's worker only, which goes on from what has changed.
 *
 * <pre>
 *   Started -&gt; postStart -&gt; running -&gt; startup probe -&gt; liveness, readiness probes
 *                 | failed                 | failed         | failed   `-- ready or not
 *                 '----- kill: preStop, SIGTERM, SIGKILL ---' -&gt; Exited
 * </pre>
 */
final class ContainerLife {

  private final PodContainers containers;
  private final PodProbes probes;
  private final ContainerFeeds feeds;
  private final ContainerHooks hooks;
  private final InstantSource clock;
  private final PodEvents events;
  private final Logger log;
  private KubeObject pod;
  private String podIp = "";
  private boolean terminating;

  ContainerLife(
      ActorContext<PodWorker.Command> context,
      KubeObject pod,
      PodContainers containers,
      KernelCalls kernel,
      ApiClient api,
      InstantSource clock,
      PodEvents events,
      ActorRef<LogBook.Command> agentLog,
      Function<KubeObject, PodFields> fields) {
    HandlerRunner runner = new HandlerRunner(kernel);
    this.pod = pod;
    this.containers = containers;
    this.probes = new PodProbes(context, runner, events);
    this.feeds = new ContainerFeeds(context, kernel, api, clock, agentLog, fields);
    this.hooks = new ContainerHooks(context, runner, kernel, clock, events);
    this.clock = clock;
    this.events = events;
    this.log = context.getLog();
  }

  /** The pod as the API server has it now. */
  void update(KubeObject now) {
    pod = now;
    feeds.update(now);
  }

  /**
   * Containers whose image was changed run with the new one, whatever the restart policy ({@code
   * computePodActions} of the kubelet); what runs gets its grace period.
   *
   * @return whether there are any
   */
  boolean restartChanged() {
    boolean any = false;
    for (JsonNode wanted : pod.at("/spec/containers")) {
      ContainerRecord container = containers.find(wanted.path("name").asText());
      if (container != null && container.change(wanted)) {
        any = true;
        if (container.isRunning() || container.starting) {
          events.killing(
              pod,
              container,
              "Container " + container.name() + " definition changed, will be restarted");
          kill(container, podGrace());
        }
      }
    }
    return any;
  }

  /** The pod has an address: containers that run already are probed from now on. */
  void address(String ip) {
    podIp = ip;
    for (ContainerRecord container : containers.busy()) {
      feeds.begin(pod, container);
      probes.begin(pod, container, podIp, clock.instant());
    }
  }

  /** The pod is being deleted: of its probes only readiness goes on. */
  void terminate() {
    terminating = true;
    probes.terminate();
  }

  /** Ends a container: its preStop hook first, then signals, all within {@code grace}. */
  void kill(ContainerRecord container, Duration grace) {
    hooks.kill(pod, container, podIp, grace);
  }

  /**
   * The runtime said something.
   *
   * @return whether a container's state has changed
   */
  boolean heard(ContainerEvent event) {
    ContainerRecord container = containers.running(event.containerId());
    if (container == null) {
      return false;
    }
    switch (event) {
      case ContainerEvent.Started _ when container.isRunning() -> {
        return false; // it was taken over
      }
      case ContainerEvent.Started started -> {
        feeds.begin(pod, container);
        events.started(pod, container);
        if (!started.imageNote().isEmpty()) {
          log.info(
              "{}/{}/{}: {}", pod.namespace(), pod.name(), container.name(), started.imageNote());
        }
        if (hooks.postStart(container, podIp)) {
          return false; // it counts as started when its hook is done
        }
        runs(container);
      }
      case ContainerEvent.Exited exited -> {
        probes.end(container.id);
        feeds.end(container.id);
        container.exited(exited.exitCode(), exited.reason(), clock.instant());
      }
    }
    return true;
  }

  private void runs(ContainerRecord container) {
    Instant now = clock.instant();
    container.running(now);
    if (!terminating) {
      probes.begin(pod, container, podIp, now);
    }
  }

  /** A hook is over; answers whether a container's state has changed. */
  boolean hookEnded(PodWorker.HookEnded ended) {
    ContainerRecord container = containers.running(ended.containerId());
    if (container == null) {
      return false; // it ended first
    }
    switch (ended.hook()) {
      case PRE_STOP -> hooks.preStopped(pod, container, ended.succeeded());
      case POST_START -> {
        if (ended.succeeded()) {
          runs(container);
          return true;
        }
        events.hookFailed(pod, container, ContainerHooks.Hook.POST_START);
        events.killing(pod, container, "FailedPostStartHook");
        kill(container, podGrace());
      }
    }
    return false;
  }

  /** A probe reached a verdict; answers whether a container's state has changed. */
  boolean probed(PodWorker.Probed probed) {
    ContainerRecord container = containers.running(probed.containerId());
    if (container == null || !container.isRunning()) {
      return false;
    }
    switch (probed.probe()) {
      case READINESS -> {
        container.passes(probed.healthy());
        return true;
      }
      case STARTUP -> {
        if (probed.healthy()) {
          container.started = true;
          probes.startedUp(pod, container, podIp, clock.instant());
          return true;
        }
        killUnhealthy(container, probed.probe());
      }
      case LIVENESS -> {
        if (!probed.healthy()) {
          killUnhealthy(container, probed.probe());
        }
      }
    }
    return false;
  }

  private void killUnhealthy(ContainerRecord container, ProbeSpec.Kind kind) {
    if (terminating || container.killAt != null) {
      return;
    }
    ProbeSpec probe = container.probe(kind);
    Duration grace = probe == null ? null : probe.grace();
    String what =
        "Container "
            + container.name()
            + " failed "
            + kind.title().toLowerCase(Locale.ROOT)
            + " probe"
            + (containers.areRestarted() ? ", will be restarted" : "");
    events.killing(pod, container, what);
    kill(container, grace == null ? podGrace() : grace);
  }

  private Duration podGrace() {
    return Duration.ofSeconds(pod.at("/spec/terminationGracePeriodSeconds").asLong(30));
  }
}
