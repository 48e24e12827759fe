package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Reconciler;
import dev.paramecium.controller.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** ReplicaSets have as many pods as they say ({@code pkg/controller/replicaset}). */
public final class ReplicaSets implements Reconciler {

  @Override
  public String name() {
    return "replicaset-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.REPLICA_SET, ResourceType.POD);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return Claims.concerned(changed, ResourceType.REPLICA_SET, cache);
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject set = cache.get(ResourceType.REPLICA_SET, key.namespace(), key.name());
    if (set == null) {
      return Plan.NOTHING;
    }
    List<Write> writes = new ArrayList<>();
    List<Announcement> announcements = new ArrayList<>();
    List<KubeObject> active =
        Claims.claim(ResourceType.POD, set, Pods::isActive, cache, writes).stream()
            .filter(Pods::isActive)
            .toList();
    if (!Pods.isTerminating(set)) {
      scale(set, active, writes, announcements);
    }
    long minReady = set.at("/spec/minReadySeconds").asLong();
    writes.addAll(
        Statuses.update(ResourceType.REPLICA_SET, set, status(set, active, minReady, now)));
    return new Plan(writes, announcements, again(active, minReady, now));
  }

  private static void scale(
      KubeObject set,
      List<KubeObject> active,
      List<Write> writes,
      List<Announcement> announcements) {
    int wanted = set.at("/spec/replicas").asInt(1);
    for (int i = active.size(); i < wanted; i++) {
      Write create =
          new Write.Create(
              ResourceType.POD, new KubeObject(Pods.fromTemplate(set.at("/spec/template"), set)));
      writes.add(create);
      announcements.add(new Announcement(create, set, "SuccessfulCreate", "Created pod: %s"));
    }
    if (active.size() <= wanted) {
      return;
    }
    active.stream()
        .sorted(Pods.LEAST_WORTH_FIRST)
        .limit(active.size() - wanted)
        .forEach(
            pod -> {
              Write delete = new Write.Delete(ResourceType.POD, pod);
              writes.add(delete);
              announcements.add(
                  new Announcement(delete, set, "SuccessfulDelete", "Deleted pod: %s"));
            });
  }

  private static ObjectNode status(
      KubeObject set, List<KubeObject> active, long minReady, Instant now) {
    int labelled = 0;
    int ready = 0;
    int available = 0;
    JsonNode template = set.at("/spec/template/metadata/labels");
    for (KubeObject pod : active) {
      labelled += hasAll(pod.labels(), template) ? 1 : 0;
      ready += Pods.isReady(pod) ? 1 : 0;
      available += Pods.isAvailable(pod, minReady, now) ? 1 : 0;
    }
    ObjectNode status = Statuses.copy(set);
    status.put("replicas", active.size());
    Statuses.count(status, "fullyLabeledReplicas", labelled);
    Statuses.count(status, "readyReplicas", ready);
    Statuses.count(status, "availableReplicas", available);
    status.put("observedGeneration", set.at("/metadata/generation").asLong());
    return status;
  }

  private static boolean hasAll(Map<String, String> labels, JsonNode wanted) {
    return wanted.properties().stream()
        .allMatch(label -> label.getValue().asText().equals(labels.get(label.getKey())));
  }

  /** When the next ready pod has been ready for long enough. */
  static Duration again(List<KubeObject> active, long minReadySeconds, Instant now) {
    return active.stream()
        .filter(Pods::isReady)
        .map(pod -> Pods.untilAvailable(pod, minReadySeconds, now))
        .filter(left -> !left.isZero())
        .min(Duration::compareTo)
        .orElse(Duration.ZERO);
  }
}
