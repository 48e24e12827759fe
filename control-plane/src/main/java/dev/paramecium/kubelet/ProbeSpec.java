package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A probe of a container.
 *
 * @param initialDelay from the container's start
 * @param grace what the container gets when this probe ends it; null for the pod's own
 */
record ProbeSpec(
    Kind kind,
    Handler handler,
    Duration initialDelay,
    Duration timeout,
    Duration period,
    int successThreshold,
    int failureThreshold,
    @Nullable Duration grace) {

  /** What a probe is for. */
  enum Kind {
    STARTUP("startupProbe", "Startup"),
    LIVENESS("livenessProbe", "Liveness"),
    READINESS("readinessProbe", "Readiness");

    private final String field;
    private final String title;

    Kind(String field, String title) {
      this.field = field;
      this.title = title;
    }

    /** As events begin: {@code Readiness probe failed}. */
    String title() {
      return title;
    }
  }

  /** A container's probe of that kind; null if it has none. */
  static @Nullable ProbeSpec of(JsonNode container, Kind kind) {
    JsonNode json = container.path(kind.field);
    Handler handler = Handler.parse(json);
    if (handler == null) {
      return null;
    }
    long grace = json.path("terminationGracePeriodSeconds").asLong(-1);
    return new ProbeSpec(
        kind,
        handler,
        Duration.ofSeconds(json.path("initialDelaySeconds").asLong(0)),
        Duration.ofSeconds(Math.max(1, json.path("timeoutSeconds").asLong(1))),
        Duration.ofSeconds(Math.max(1, json.path("periodSeconds").asLong(10))),
        Math.max(1, json.path("successThreshold").asInt(1)),
        Math.max(1, json.path("failureThreshold").asInt(3)),
        grace < 0 ? null : Duration.ofSeconds(grace));
  }
}
