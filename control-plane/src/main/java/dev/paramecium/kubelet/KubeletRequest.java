package dev.paramecium.kubelet;

import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;

/** What the rest of the cluster may ask a node; it crosses JVMs, by Kryo. */
public sealed interface KubeletRequest {

  /** Where the receptionist finds the kubelet of {@code nodeName}. */
  static ServiceKey<KubeletRequest> key(String nodeName) {
    return ServiceKey.create(KubeletRequest.class, "kubelet-" + nodeName);
  }

  /**
   * Where the receptionist finds who answers {@link HostExec} for a host outside the cluster; apart
   * from nodes of the same name.
   */
  static ServiceKey<KubeletRequest> worldKey(String host) {
    return ServiceKey.create(KubeletRequest.class, "world/" + host);
  }

  /** Where the receptionist finds all kubelets. */
  ServiceKey<KubeletRequest> ALL = ServiceKey.create(KubeletRequest.class, "kubelet");

  /**
   * Runs a command in a pod's container, or in the agent pod as on the node.
   *
   * @param container empty for the pod's first
   * @param request its containerId is ignored
   */
  record Exec(
      String namespace,
      String pod,
      String container,
      ExecRequest request,
      ActorRef<ExecOutput> client)
      implements KubeletRequest {}

  /**
   * Joins the main process of a pod's container: its output from now on, and its stdin if it was
   * started with one.
   *
   * @param container empty for the pod's first
   */
  record Attach(String namespace, String pod, String container, ActorRef<ExecOutput> client)
      implements KubeletRequest {}

  /** Runs a command on the node, as root there. */
  record HostExec(ExecRequest request, ActorRef<ExecOutput> client) implements KubeletRequest {}

  /** Reads a container's log; the request's containerId is ignored. */
  record ReadLog(
      String namespace,
      String pod,
      String container,
      LogRequest request,
      ActorRef<ExecOutput> client)
      implements KubeletRequest {}

  /**
   * Connects to a port from inside the pod's network namespace; bytes go both ways as the stdin and
   * stdout of {@link Exec}.
   */
  record ForwardPort(String namespace, String pod, int port, ActorRef<ExecOutput> client)
      implements KubeletRequest {}

  /** Follows packets on this node; answered when the taps are set. */
  record ArmTrace(
      String traceId,
      TraceFilter filter,
      ActorRef<Observation> observer,
      ActorRef<TraceArmed> replyTo)
      implements KubeletRequest {}

  record DisarmTrace(String traceId) implements KubeletRequest {}

  /**
   * Asks for the node in numbers.
   *
   * @param kernel whether also for the kernel's, for which each namespace is asked
   */
  record ReadStatus(boolean kernel, ActorRef<KubeletStatus> replyTo) implements KubeletRequest {}

  /** Asks what the node and its containers have used so far. */
  record ReadUsage(ActorRef<NodeUsage> replyTo) implements KubeletRequest {}

  /**
   * What a node has used: its share of its JVM.
   *
   * @param atEpochMs when that was
   * @param cpuNs processor time of the process, and
   * @param memoryBytes of its heap and the rest, each divided by the nodes that share it
   */
  record NodeUsage(
      String nodeName,
      long atEpochMs,
      long cpuNs,
      long memoryBytes,
      List<ContainerUsage> containers) {}

  /** As {@link dev.paramecium.syscall.ContainerInfo} has it. */
  record ContainerUsage(
      String pod, String container, String id, long cpuNs, long atNs, long memoryBytes) {}

  /** The taps of {@code traceId} are set on {@code nodeName}. */
  record TraceArmed(String nodeName, String traceId) {}

  /**
   * A node in numbers.
   *
   * @param appliedRevision the API server's revision that the node's maps reflect
   * @param pending map changes known but not yet made
   */
  record KubeletStatus(
      String nodeName,
      long pid,
      long appliedRevision,
      int pending,
      int endpoints,
      Map<String, Long> counters) {}
}
