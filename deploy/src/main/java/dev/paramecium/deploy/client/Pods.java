package dev.paramecium.deploy.client;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import java.time.Duration;
import java.time.Instant;

/** Pods as commands name them: {@code [namespace/]pod}. */
public final class Pods {

  private Pods() {}

  /**
   * A running pod.
   *
   * @param node the node's name
   */
  public record Pod(
      String namespace, String name, Ipv4Address address, String node, long resourceVersion) {

    /** The path of its exec subresource, without a query. */
    public String execPath() {
      return "/api/v1/namespaces/" + namespace + "/pods/" + name + "/exec";
    }
  }

  /**
   * Looks a pod up.
   *
   * @param reference {@code pod} or {@code namespace/pod}
   * @throws UserError if there is none, or it has no address yet
   */
  public static Pod find(ApiHttp api, String reference, String defaultNamespace) {
    int slash = reference.indexOf('/');
    String namespace = slash < 0 ? defaultNamespace : reference.substring(0, slash);
    String name = reference.substring(slash + 1);
    JsonNode pod = api.get("/api/v1/namespaces/" + namespace + "/pods/" + name);
    String address = pod.path("status").path("podIP").asText();
    if (address.isEmpty()) {
      throw new UserError(
          UserError.FAILED,
          "pod "
              + namespace
              + "/"
              + name
              + " has no address yet (phase "
              + pod.path("status").path("phase").asText()
              + ").");
    }
    return new Pod(
        namespace,
        name,
        Ipv4Address.parse(address),
        pod.path("spec").path("nodeName").asText(),
        pod.path("metadata").path("resourceVersion").asLong());
  }

  /**
   * Waits until a pod is Ready.
   *
   * @throws UserError naming the phase and the reason if it is not in time
   */
  public static Pod awaitReady(ApiHttp api, String namespace, String name, Duration limit)
      throws InterruptedException {
    Instant deadline = Instant.now().plus(limit);
    while (true) {
      JsonNode pod = api.get("/api/v1/namespaces/" + namespace + "/pods/" + name);
      for (JsonNode condition : pod.path("status").path("conditions")) {
        if (condition.path("type").asText().equals("Ready")
            && condition.path("status").asText().equals("True")) {
          return find(api, name, namespace);
        }
      }
      if (Instant.now().isAfter(deadline)) {
        throw new UserError(
            UserError.FAILED,
            "pod "
                + namespace
                + "/"
                + name
                + " is not ready after "
                + limit.toSeconds()
                + " s: "
                + pod.path("status"));
      }
      Thread.sleep(Duration.ofMillis(30));
    }
  }

  /**
   * Waits until every node's maps have every CiliumEndpoint of now: what was applied before this
   * call is enforced everywhere after it.
   *
   * @throws UserError if a node lags behind for longer than {@code limit}
   */
  public static void awaitSynced(ApiHttp api, int nodes, Duration limit)
      throws InterruptedException {
    long revision = 0;
    for (JsonNode endpoint : api.get("/apis/cilium.io/v2/ciliumendpoints").path("items")) {
      revision = Math.max(revision, endpoint.path("metadata").path("resourceVersion").asLong());
    }
    Instant deadline = Instant.now().plus(limit);
    while (true) {
      JsonNode status = api.get("/apis/paramecium.dev/v1alpha1/status");
      int synced = 0;
      for (JsonNode node : status.path("nodes")) {
        if (node.path("appliedRevision").asLong() >= revision
            && node.path("pending").asInt() == 0) {
          synced++;
        }
      }
      if (synced >= nodes) {
        return;
      }
      if (Instant.now().isAfter(deadline)) {
        throw new UserError(
            UserError.FAILED,
            "only "
                + synced
                + " of "
                + nodes
                + " nodes have revision "
                + revision
                + " in their maps after "
                + limit.toSeconds()
                + " s.");
      }
      Thread.sleep(Duration.ofMillis(30));
    }
  }
}
