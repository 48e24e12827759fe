package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.metrics.Metrics;
import dev.paramecium.metrics.Metrics.ContainerMetrics;
import dev.paramecium.metrics.MetricsServer;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** {@code metrics.k8s.io/v1beta1}: nodes and pods by what they use, as {@code kubectl top} asks. */
final class MetricsApi {

  private static final String GROUP = "metrics.k8s.io";
  private static final String VERSION = "v1beta1";
  private static final List<String> VERBS = List.of("get", "list");

  static final List<UnstoredKind> KINDS =
      List.of(
          new UnstoredKind(GROUP, VERSION, "nodes", "NodeMetrics", false, VERBS),
          new UnstoredKind(GROUP, VERSION, "pods", "PodMetrics", true, VERBS));

  private static final Duration TIMEOUT = Duration.ofSeconds(6);
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private MetricsApi() {}

  static boolean serves(ApiPath path) {
    return path.group().equals(GROUP)
        && path.version().equals(VERSION)
        && path.subresource().isEmpty()
        && (path.plural().equals("nodes") && path.namespace().isEmpty()
            || path.plural().equals("pods"));
  }

  /**
   * Answers with one, if a name is asked for, or with a list: of the objects that the API server
   * has, those of which something is known.
   */
  static void answer(
      ChannelHandlerContext context,
      RestServer.Services services,
      ApiPath path,
      RestRequest request)
      throws BadRequest {
    request.require(HttpMethod.GET);
    boolean ofNodes = path.plural().equals("nodes");
    ResourceType type = ofNodes ? ResourceType.NODE : ResourceType.POD;
    CompletionStage<ApiReply> objects =
        services
            .api()
            .list(
                type,
                path.namespace(),
                request.query().text("labelSelector"),
                path.name().isEmpty() ? "" : "metadata.name=" + path.name());
    CompletionStage<Metrics> metrics =
        AskPattern.ask(
            services.metrics(), MetricsServer.Read::new, TIMEOUT, services.system().scheduler());
    objects
        .thenCombine(
            metrics,
            (reply, now) ->
                switch (reply) {
                  case ApiReply.Listed listed -> response(path, items(ofNodes, listed, now));
                  case ApiReply.Failed failed -> Answer.failure(failed);
                  case ApiReply.Stored _, ApiReply.Deleted _ ->
                      throw new IllegalStateException("no list in answer to a list");
                })
        .exceptionally(
            _ ->
                Answer.failure(
                    503, "ServiceUnavailable", "the nodes did not say in time what they use"))
        .thenAccept(response -> RestHandler.respond(context, response, false));
  }

  private static FullHttpResponse response(ApiPath path, List<ObjectNode> items) {
    boolean ofNodes = path.plural().equals("nodes");
    String kind = ofNodes ? "NodeMetrics" : "PodMetrics";
    if (!path.name().isEmpty()) {
      return items.isEmpty()
          ? Answer.failure(
              404,
              "NotFound",
              (ofNodes ? "nodemetrics" : "podmetrics")
                  + "."
                  + GROUP
                  + " \""
                  + (ofNodes ? path.name() : path.namespace() + "/" + path.name())
                  + "\" not found")
          : Answer.json(200, headed(kind, items.getFirst()));
    }
    ObjectNode list = headed(kind + "List", NODES.objectNode().set("metadata", NODES.objectNode()));
    items.forEach(list.putArray("items")::add);
    return Answer.json(200, list);
  }

  private static ObjectNode headed(String kind, ObjectNode object) {
    ObjectNode headed = NODES.objectNode();
    headed.put("kind", kind).put("apiVersion", GROUP + "/" + VERSION);
    headed.setAll(object);
    return headed;
  }

  private static List<ObjectNode> items(boolean ofNodes, ApiReply.Listed listed, Metrics metrics) {
    List<ObjectNode> items = new ArrayList<>();
    if (ofNodes) {
      Map<String, Metrics.Usage> nodes = new HashMap<>();
      metrics.nodes().forEach(node -> nodes.put(node.node(), node.usage()));
      for (KubeObject node : listed.objects()) {
        Metrics.Usage usage = nodes.get(node.name());
        if (usage != null) {
          ObjectNode item = item(node, metrics, usage.window());
          usage(item.putObject("usage"), usage);
          items.add(item);
        }
      }
      return items;
    }
    Map<String, List<ContainerMetrics>> pods = new HashMap<>();
    for (ContainerMetrics container : metrics.containers()) {
      pods.computeIfAbsent(container.pod(), _ -> new ArrayList<>()).add(container);
    }
    for (KubeObject pod : listed.objects()) {
      List<ContainerMetrics> containers = pods.get(pod.namespace() + "/" + pod.name());
      if (containers != null) {
        ObjectNode item = item(pod, metrics, containers.getFirst().usage().window());
        ArrayNode list = item.putArray("containers");
        for (ContainerMetrics container : containers) {
          ObjectNode entry = list.addObject().put("name", container.container());
          usage(entry.putObject("usage"), container.usage());
        }
        items.add(item);
      }
    }
    return items;
  }

  private static ObjectNode item(KubeObject object, Metrics metrics, Duration window) {
    ObjectNode item = NODES.objectNode();
    ObjectNode metadata = item.putObject("metadata");
    metadata.put("name", object.name());
    if (!object.namespace().isEmpty()) {
      metadata.put("namespace", object.namespace());
    }
    String at = metrics.at().truncatedTo(ChronoUnit.SECONDS).toString();
    metadata.put("creationTimestamp", at);
    if (!object.labels().isEmpty()) {
      object.labels().forEach(metadata.putObject("labels")::put);
    }
    item.put("timestamp", at);
    item.put("window", window.toMillis() / 1e3 + "s");
    return item;
  }

  private static void usage(ObjectNode to, Metrics.Usage usage) {
    to.put("cpu", usage.cpuNanos() + "n").put("memory", (usage.memoryBytes() + 1023) / 1024 + "Ki");
  }
}
