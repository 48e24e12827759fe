package dev.paramecium.kubelet;

import dev.paramecium.api.KubeObject;
import dev.paramecium.events.Event;
import dev.paramecium.events.EventRecorder;
import org.apache.pekko.actor.typed.ActorRef;

/** What the kubelet says about pods and their containers ({@code pkg/kubelet/events}). */
record PodEvents(ActorRef<EventRecorder.Command> recorder) {

  void pulled(KubeObject pod, ContainerRecord container) {
    tell(
        container,
        Event.normal(
            pod,
            "Pulled",
            "Container image \"" + container.image() + "\" already present on machine"));
  }

  /** The runtime made it and runs it: two events. */
  void started(KubeObject pod, ContainerRecord container) {
    tell(container, Event.normal(pod, "Created", "Created container " + container.name()));
    tell(container, Event.normal(pod, "Started", "Started container " + container.name()));
  }

  void failed(KubeObject pod, ContainerRecord container, String error) {
    tell(container, Event.warning(pod, "Failed", "Error: " + error));
  }

  void backOff(KubeObject pod, ContainerRecord container) {
    tell(container, Event.warning(pod, "BackOff", "Back-off restarting failed container"));
  }

  void killing(KubeObject pod, ContainerRecord container) {
    tell(container, Event.normal(pod, "Killing", "Stopping container " + container.name()));
  }

  void killing(KubeObject pod, ContainerRecord container, String why) {
    tell(container, Event.normal(pod, "Killing", why));
  }

  /** A probe did not succeed. */
  void unhealthy(
      KubeObject pod,
      ContainerRecord container,
      ProbeSpec.Kind probe,
      HandlerRunner.Outcome outcome) {
    switch (outcome.result()) {
      case SUCCESS -> {}
      case WARNING ->
          tell(
              container,
              Event.warning(
                  pod, "ProbeWarning", probe.title() + " probe warning: " + outcome.output()));
      case FAILURE ->
          tell(
              container,
              Event.warning(
                  pod, "Unhealthy", probe.title() + " probe failed: " + outcome.output()));
      case ERROR ->
          tell(
              container,
              Event.warning(
                  pod, "Unhealthy", probe.title() + " probe errored: " + outcome.output()));
    }
  }

  /** A hook did not succeed; what it said is not told, for it may hold secrets. */
  void hookFailed(KubeObject pod, ContainerRecord container, ContainerHooks.Hook hook) {
    switch (hook) {
      case POST_START ->
          tell(container, Event.warning(pod, "FailedPostStartHook", "PostStartHook failed"));
      case PRE_STOP ->
          tell(container, Event.warning(pod, "FailedPreStopHook", "PreStopHook failed"));
    }
  }

  void mountFailed(KubeObject pod, String error) {
    recorder.tell(Event.warning(pod, "FailedMount", error));
  }

  void sandboxFailed(KubeObject pod, String error) {
    recorder.tell(
        Event.warning(pod, "FailedCreatePodSandBox", "Failed to create pod sandbox: " + error));
  }

  private void tell(ContainerRecord container, Event event) {
    recorder.tell(event.at("spec." + container.role.list + "{" + container.name() + "}"));
  }
}
