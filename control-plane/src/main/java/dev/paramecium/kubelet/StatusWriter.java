package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.api.KubeObject;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When a pod's status has to be written: one write at a time, and only what the API server has not
 * got. The worker sends the writes and says how they ended.
 */
final class StatusWriter {

  private static final List<String> COMPARED =
      List.of("phase", "conditions", "podIP", "containerStatuses", "ephemeralContainerStatuses");

  private final PodStatus status;
  private final String nodeIp;
  private final Instant startTime;
  private boolean writing;
  private @Nullable ObjectNode written;

  /** Goes on from the stored status of {@code pod}, which may be empty. */
  StatusWriter(KubeObject pod, Ipv4Address nodeIp, Instant now) {
    this.status = new PodStatus(pod);
    this.nodeIp = nodeIp.toString();
    String started = pod.text("/status/startTime");
    this.startTime = started.isEmpty() ? now : Instant.parse(started);
  }

  /** The status to write now; null if a write is under way or nothing has changed. */
  @Nullable ObjectNode begin(KubeObject pod, PodContainers containers, String podIp, Instant now) {
    if (writing) {
      return null;
    }
    ObjectNode next =
        status.build(pod, containers.phase(), containers.all(), podIp, nodeIp, startTime, now);
    if (next.equals(written)) {
      return null;
    }
    writing = true;
    return next;
  }

  /** Conditional on the uid: a status of this pod must not reach a successor of its name. */
  static String patch(String uid, ObjectNode status) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch.putObject("metadata").put("uid", uid);
    patch.set("status", status);
    return patch.toString();
  }

  void succeeded(ObjectNode status) {
    writing = false;
    written = status;
  }

  void failed() {
    writing = false;
  }

  /**
   * Whether somebody else changed what was written, as the node lifecycle controller does. It is
   * then written again.
   */
  boolean isOverwritten(KubeObject pod) {
    ObjectNode last = written;
    if (last == null || writing || isStored(last, pod)) {
      return false;
    }
    written = null;
    return true;
  }

  private static boolean isStored(ObjectNode status, KubeObject pod) {
    for (String field : COMPARED) {
      if (!status.path(field).equals(pod.at("/status/" + field))) {
        return false;
      }
    }
    return true;
  }
}
