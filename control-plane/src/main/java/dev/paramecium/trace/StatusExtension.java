package dev.paramecium.trace;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.rest.RestExtension;
import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.kubelet.KubeletRequest.KubeletStatus;
import dev.paramecium.kubelet.KubeletSurvey;
import io.netty.handler.codec.http.HttpMethod;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;

/**
 * {@code GET status}: every node that answers, with its counters and how far its maps follow the
 * API server. {@code GET sync}: the same without the counters of the kernels, cheap enough to be
 * asked again and again.
 */
public final class StatusExtension implements RestExtension {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ActorSystem<?> system;
  private final boolean kernel;

  private StatusExtension(ActorSystem<?> system, boolean kernel) {
    this.system = system;
    this.kernel = kernel;
  }

  public static StatusExtension status(ActorSystem<?> system) {
    return new StatusExtension(system, true);
  }

  public static StatusExtension sync(ActorSystem<?> system) {
    return new StatusExtension(system, false);
  }

  @Override
  public String path() {
    return kernel ? "status" : "sync";
  }

  @Override
  public HttpMethod method() {
    return HttpMethod.GET;
  }

  @Override
  public Runnable handle(ObjectNode body, Response response) {
    system.systemActorOf(
        KubeletSurvey.create(
            KubeletStatus.class,
            replyTo -> new KubeletRequest.ReadStatus(kernel, replyTo),
            answers -> {
              response.send(json(answers));
              response.end();
            }),
        "status-" + UUID.randomUUID(),
        Props.empty());
    return () -> {};
  }

  private static ObjectNode json(List<KubeletStatus> answers) {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode nodes = root.putArray("nodes");
    for (KubeletStatus status :
        answers.stream().sorted(Comparator.comparing(KubeletStatus::nodeName)).toList()) {
      ObjectNode node = nodes.addObject();
      node.put("name", status.nodeName())
          .put("pid", status.pid())
          .put("endpoints", status.endpoints())
          .put("appliedRevision", status.appliedRevision())
          .put("pending", status.pending());
      ObjectNode counters = node.putObject("counters");
      status.counters().entrySet().stream()
          .sorted(java.util.Map.Entry.comparingByKey())
          .forEach(counter -> counters.put(counter.getKey(), counter.getValue()));
    }
    return root;
  }
}
