package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Reconciler;
import dev.paramecium.controller.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * PodChaos of action pod-failure on each pod: while one runs, the pod's containers have an image
 * that only sleeps, and an annotation for each keeps the image that it had ({@code
 * controllers/chaosimpl/podchaos/podfailure} of Chaos Mesh). The kubelet restarts a container whose
 * image was changed.
 */
public final class PodFailures implements Reconciler {

  static final String PAUSE_IMAGE = "gcr.io/google-containers/pause:latest";

  private static final String ANNOTATION = "experiment.chaos-mesh.org/";
  private static final List<String> LISTS = List.of("containers", "initContainers");

  @Override
  public String name() {
    return "podfailure-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.POD, ResourceType.POD_CHAOS);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    if (changed.kind().equals("Pod")) {
      return List.of(Key.of(changed));
    }
    return new Experiment(changed)
        .records().stream()
            .map(record -> record.id().split("/", 3))
            .map(id -> new Key(id[0], id[1]))
            .toList();
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject pod = cache.get(ResourceType.POD, key.namespace(), key.name());
    if (pod == null || pod.at("/metadata/deletionTimestamp").isTextual()) {
      return Plan.NOTHING;
    }
    boolean fails =
        cache.all(ResourceType.POD_CHAOS).stream().anyMatch(chaos -> isFailedBy(pod, chaos));
    KubeObject wanted = fails ? failed(pod) : restored(pod);
    return wanted.equals(pod)
        ? Plan.NOTHING
        : new Plan(List.of(new Write.Update(ResourceType.POD, wanted)), Duration.ZERO);
  }

  private static boolean isFailedBy(KubeObject pod, KubeObject chaos) {
    Experiment experiment = new Experiment(chaos);
    return chaos.text("/spec/action").equals("pod-failure")
        && experiment.runs()
        && experiment.records().stream()
            .anyMatch(r -> r.id().equals(NetworkChaoses.id(pod)) && r.uid().equals(pod.uid()));
  }

  /** The annotation that keeps a container's image. */
  private static String annotation(String list, JsonNode container) {
    String kind = list.equals("containers") ? "-image" : "-init-image";
    String name = container.path("name").asText();
    int room = 63 - kind.length();
    return ANNOTATION
        + (name.length() <= room
            ? name
            : name.substring(0, room - 9) + "-" + Integer.toHexString(name.hashCode()))
        + kind;
  }

  private static KubeObject failed(KubeObject pod) {
    KubeObject copy = pod.copy();
    ObjectNode annotations = copy.json().withObject("/metadata").withObject("/annotations");
    for (String list : LISTS) {
      for (JsonNode container : copy.at("/spec/" + list)) {
        String key = annotation(list, container);
        if (!annotations.has(key) && container instanceof ObjectNode changed) {
          annotations.set(key, changed.path("image"));
          changed.put("image", PAUSE_IMAGE);
        }
      }
    }
    return annotations.isEmpty() ? pod : copy;
  }

  private static KubeObject restored(KubeObject pod) {
    KubeObject copy = pod.copy();
    for (String list : LISTS) {
      for (JsonNode container : copy.at("/spec/" + list)) {
        String key = annotation(list, container);
        JsonNode image = pod.at("/metadata/annotations").path(key);
        if (image.isTextual() && container instanceof ObjectNode changed) {
          changed.set("image", image);
          ObjectNode metadata = copy.json().withObject("/metadata");
          metadata.withObject("/annotations").remove(key);
          if (metadata.path("annotations").isEmpty()) {
            metadata.remove("annotations");
          }
        }
      }
    }
    return copy;
  }

  /** What became of a target: the kubelet's word counts, not the pod's spec alone. */
  static Course.State state(Experiment.Record record, ObjectCache cache) {
    KubeObject pod = PodChaoses.pod(record, cache);
    if (pod == null || !pod.uid().equals(record.uid())) {
      return Course.State.RECOVERED;
    }
    boolean wanted = false;
    boolean allSleep = true;
    boolean oneSleeps = false;
    for (JsonNode container : pod.at("/spec/containers")) {
      wanted |= pod.at("/metadata/annotations").has(annotation("containers", container));
      JsonNode status = status(pod, container.path("name").asText());
      boolean sleeps = status != null && status.path("image").asText().equals(PAUSE_IMAGE);
      oneSleeps |= sleeps;
      allSleep &= sleeps && status != null && status.path("state").has("running");
    }
    boolean done = wanted ? allSleep : !oneSleeps || isOver(pod);
    return !done ? Course.State.PENDING : wanted ? Course.State.INJECTED : Course.State.RECOVERED;
  }

  private static boolean isOver(KubeObject pod) {
    return List.of("Succeeded", "Failed").contains(pod.text("/status/phase"));
  }

  private static @Nullable JsonNode status(KubeObject pod, String container) {
    for (JsonNode status : pod.at("/status/containerStatuses")) {
      if (status.path("name").asText().equals(container)) {
        return status;
      }
    }
    return null;
  }
}
