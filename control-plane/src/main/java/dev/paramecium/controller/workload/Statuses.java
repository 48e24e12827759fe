package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.Write;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** Writing a status only when it says something new. */
final class Statuses {

  private Statuses() {}

  /** The write that gives {@code object} this status; none if it has it already. */
  static List<Write> update(ResourceType type, KubeObject object, ObjectNode status) {
    if (object.at("/status").equals(status)) {
      return List.of();
    }
    KubeObject changed = object.copy();
    changed.json().set("status", status);
    return List.of(new Write.UpdateStatus(type, changed));
  }

  /** A copy of the status as it is, to be changed; empty if there is none. */
  static ObjectNode copy(KubeObject object) {
    return object.at("/status") instanceof ObjectNode status
        ? status.deepCopy()
        : object.json().objectNode();
  }

  /** Counts that are 0 are left out, as in Go's {@code omitempty}. */
  static void count(ObjectNode status, String field, int value) {
    if (value == 0) {
      status.remove(field);
    } else {
      status.put(field, value);
    }
  }

  /** The condition of one type; missing if there is none. */
  static JsonNode condition(JsonNode status, String type) {
    for (JsonNode condition : status.path("conditions")) {
      if (condition.path("type").asText().equals(type)) {
        return condition;
      }
    }
    return status.path("conditions").path(-1);
  }

  /** Sets a condition; the time of its transition changes only when its status does. */
  static void setCondition(
      ObjectNode status, String type, boolean holds, String reason, String message, Instant now) {
    String text = holds ? "True" : "False";
    String time = now.truncatedTo(ChronoUnit.SECONDS).toString();
    JsonNode old = condition(status, type);
    boolean same =
        old.path("status").asText().equals(text)
            && old.path("reason").asText().equals(reason)
            && old.path("message").asText().equals(message);
    if (same) {
      return;
    }
    String transition =
        old.path("status").asText().equals(text) ? old.path("lastTransitionTime").asText() : time;
    ArrayNode conditions =
        status.path("conditions") instanceof ArrayNode list ? list : status.putArray("conditions");
    for (int i = conditions.size() - 1; i >= 0; i--) {
      if (conditions.get(i).path("type").asText().equals(type)) {
        conditions.remove(i);
      }
    }
    ObjectNode condition = conditions.addObject();
    condition.put("type", type).put("status", text).put("lastUpdateTime", time);
    condition.put("lastTransitionTime", transition).put("reason", reason).put("message", message);
  }
}
