package dev.paramecium.deploy.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Pods as commands name them: {@code [namespace/]pod}. */
public final class Pods {

  private Pods() {}

  /**
   * A running pod.
   *
   * @param node the node's name
   */
  public record Pod(String namespace, String name, Ipv4Address address, String node) {

    /** The path of its exec subresource, without a query. */
    public String execPath() {
      return path(namespace, name) + "/exec";
    }
  }

  /**
   * A pod's path.
   *
   * @param reference {@code pod}, or {@code pod/NAME} as kubectl takes it
   */
  public static String path(String namespace, String reference) {
    String name = reference.startsWith("pod/") ? reference.substring(4) : reference;
    return "/api/v1/namespaces/" + namespace + "/pods/" + name;
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
    return of(api.get(path(namespace, reference.substring(slash + 1))));
  }

  private static Pod of(JsonNode pod) {
    String namespace = pod.path("metadata").path("namespace").asText();
    String name = pod.path("metadata").path("name").asText();
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
        namespace, name, Ipv4Address.parse(address), pod.path("spec").path("nodeName").asText());
  }

  /**
   * Waits until a pod is Ready.
   *
   * @throws UserError naming the phase and the reason if it is not in time
   */
  public static Pod awaitReady(ApiHttp api, String namespace, String name, Duration limit) {
    AtomicReference<JsonNode> pod = new AtomicReference<>(MissingNode.getInstance());
    Waiting.until(
        limit,
        () -> {
          pod.set(api.get(path(namespace, name)));
          return ApiHttp.isReady(pod.get());
        },
        () ->
            "pod "
                + namespace
                + "/"
                + name
                + " is not ready after "
                + limit.toSeconds()
                + " s: "
                + pod.get().path("status"));
    return of(pod.get());
  }

  /**
   * Waits until every node's maps have every CiliumEndpoint of now: what was applied before this
   * call is enforced everywhere after it.
   *
   * @throws UserError if a node lags behind for longer than {@code limit}
   */
  public static void awaitSynced(ApiHttp api, int nodes, Duration limit) {
    long revision = newestEndpoint(api);
    AtomicInteger synced = new AtomicInteger();
    Waiting.until(
        limit,
        () -> {
          synced.set(syncedNodes(api, revision));
          return synced.get() >= nodes;
        },
        () ->
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

  private static long newestEndpoint(ApiHttp api) {
    long revision = 0;
    for (JsonNode endpoint : api.get("/apis/cilium.io/v2/ciliumendpoints").path("items")) {
      revision = Math.max(revision, endpoint.path("metadata").path("resourceVersion").asLong());
    }
    return revision;
  }

  private static int syncedNodes(ApiHttp api, long revision) {
    int synced = 0;
    for (JsonNode node : api.get("/apis/paramecium.dev/v1alpha1/sync").path("nodes")) {
      if (node.path("appliedRevision").asLong() >= revision && node.path("pending").asInt() == 0) {
        synced++;
      }
    }
    return synced;
  }
}
