package dev.paramecium.deploy.client;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.UserError;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Policies on their way from the API server into the nodes' maps. */
public final class Policies {

  private Policies() {}

  /**
   * Waits until every node's policy maps reflect this object and all of its kind that were written
   * before it, refused ones too.
   *
   * @param policy as the API server answered
   * @throws UserError if a node lags behind for longer than {@code limit}
   */
  public static void awaitEnforced(ApiHttp api, JsonNode policy, int nodes, Duration limit) {
    String kind = policy.path("kind").asText();
    long version = policy.path("metadata").path("resourceVersion").asLong();
    AtomicInteger enforcing = new AtomicInteger();
    Waiting.until(
        limit,
        () -> {
          enforcing.set(enforcing(api, kind, version));
          return enforcing.get() >= nodes;
        },
        () ->
            "only "
                + enforcing
                + " of "
                + nodes
                + " nodes enforce "
                + kind
                + " "
                + policy.path("metadata").path("name").asText()
                + " after "
                + limit.toSeconds()
                + " s.");
  }

  private static int enforcing(ApiHttp api, String kind, long version) {
    int enforcing = 0;
    for (JsonNode node : api.get("/apis/paramecium.dev/v1alpha1/sync").path("nodes")) {
      if (node.path("counters").path("enforced." + kind).asLong() >= version) {
        enforcing++;
      }
    }
    return enforcing;
  }
}
