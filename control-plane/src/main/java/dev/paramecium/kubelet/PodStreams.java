package dev.paramecium.kubelet;

import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.Syscall;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What clients ask of a pod's containers: exec, attach, logs and forwarded ports. The kernel
 * answers the client itself; what cannot be asked is refused here. A command in the agent's pod
 * runs on the node.
 */
final class PodStreams {

  private final PodRef pod;
  private final PodContainers containers;
  private final boolean agentPod;
  private final KernelCalls kernel;

  PodStreams(PodRef pod, PodContainers containers, boolean agentPod, KernelCalls kernel) {
    this.pod = pod;
    this.containers = containers;
    this.agentPod = agentPod;
    this.kernel = kernel;
  }

  void exec(PodWorker.Exec exec) {
    ContainerRecord container = running(exec.container(), exec.client());
    if (container != null) {
      String where = agentPod ? "" : container.id;
      kernel.kernel().tell(new Syscall.Exec(exec.request().on(where), exec.client()));
    }
  }

  void attach(PodWorker.Attach attach) {
    ContainerRecord container = running(attach.container(), attach.client());
    if (container != null) {
      kernel.kernel().tell(new Syscall.Attach(container.id, attach.client()));
    }
  }

  /** The container of that name if it runs; null after the client was told why it is none. */
  private @Nullable ContainerRecord running(String name, ActorRef<ExecOutput> client) {
    ContainerRecord container = containers.find(name);
    if (container != null && container.isRunning()) {
      return container;
    }
    client.tell(
        new ExecOutput.Refused(
            Errno.ENOENT,
            container == null
                ? "container " + name + " is not valid for pod " + pod.name()
                : "container not found (\"" + container.name() + "\")"));
    return null;
  }

  void forwardPort(PodWorker.ForwardPort forward) {
    ContainerRecord container = containers.find("");
    if (container == null || !container.isRunning()) {
      forward
          .client()
          .tell(
              new ExecOutput.Refused(
                  Errno.ENOENT,
                  "unable to forward port because pod is not running. Current status="
                      + containers.phase()));
    } else {
      kernel.kernel().tell(new Syscall.ForwardPort(container.id, forward.port(), forward.client()));
    }
  }

  void readLog(PodWorker.ReadLog read) {
    ContainerRecord container = containers.find(read.container());
    String id = container == null ? null : containers.logId(container);
    if (container == null || id == null) {
      read.client()
          .tell(
              new ExecOutput.Refused(
                  Errno.ENOENT,
                  container == null
                      ? "container " + read.container() + " is not valid for pod " + pod.name()
                      : "container \""
                          + container.name()
                          + "\" in pod \""
                          + pod.name()
                          + "\" is waiting to start: ContainerCreating"));
    } else {
      LogRequest request = read.request();
      kernel
          .kernel()
          .tell(
              new Syscall.ReadLog(
                  new LogRequest(
                      id,
                      request.follow(),
                      request.tailLines(),
                      request.sinceEpochMs(),
                      request.timestamps()),
                  read.client()));
    }
  }
}
