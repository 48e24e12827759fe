package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * DaemonSets: one pod on each node that its template's node selector and tolerations allow ({@code
 * pkg/controller/daemon}). A changed template replaces pods as far as {@code maxUnavailable} lets.
 */
public final class DaemonSets implements Reconciler {

  private static final String GENERATION = "pod-template-generation";

  /** What every daemon pod tolerates, so that a node in trouble keeps its agents. */
  private static final Map<String, String> TOLERATED = new LinkedHashMap<>();

  static {
    TOLERATED.put("node.kubernetes.io/not-ready", "NoExecute");
    TOLERATED.put("node.kubernetes.io/unreachable", "NoExecute");
    TOLERATED.put("node.kubernetes.io/disk-pressure", "NoSchedule");
    TOLERATED.put("node.kubernetes.io/memory-pressure", "NoSchedule");
    TOLERATED.put("node.kubernetes.io/pid-pressure", "NoSchedule");
    TOLERATED.put("node.kubernetes.io/unschedulable", "NoSchedule");
  }

  @Override
  public String name() {
    return "daemonset-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(
        ResourceType.DAEMON_SET,
        ResourceType.POD,
        ResourceType.NODE,
        ResourceType.CONTROLLER_REVISION);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return changed.kind().equals(ResourceType.NODE.kind())
        ? cache.all(ResourceType.DAEMON_SET).stream().map(Key::of).toList()
        : Claims.concerned(changed, ResourceType.DAEMON_SET, cache);
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject set = cache.get(ResourceType.DAEMON_SET, key.namespace(), key.name());
    if (set == null || Pods.isTerminating(set)) {
      return Plan.NOTHING;
    }
    List<Write> writes = new ArrayList<>();
    Revisions revisions = Revisions.of(set, cache, writes);
    String hash = revisions.hash();
    List<KubeObject> pods = Claims.claim(ResourceType.POD, set, _ -> true, cache, writes);
    List<KubeObject> nodes = new ArrayList<>();
    for (KubeObject node : cache.all(ResourceType.NODE)) {
      if (isWanted(set, node)) {
        nodes.add(node);
      }
    }
    List<KubeObject> kept = new ArrayList<>();
    for (KubeObject node : nodes) {
      List<KubeObject> here = on(node.name(), pods);
      if (here.stream().allMatch(Pods::isTerminating)) {
        if (here.isEmpty()) {
          writes.add(
              new Write.Create(ResourceType.POD, new KubeObject(pod(set, node.name(), hash))));
        }
        continue;
      }
      List<KubeObject> living = here.stream().filter(pod -> !Pods.isTerminating(pod)).toList();
      kept.add(living.getFirst());
      living.stream().skip(1).forEach(pod -> writes.add(new Write.Delete(ResourceType.POD, pod)));
      living.stream()
          .limit(1)
          .filter(Pods::isFinished)
          .forEach(pod -> writes.add(new Write.Delete(ResourceType.POD, pod)));
    }
    int misplaced = 0;
    for (KubeObject pod : pods) {
      boolean placed =
          nodes.stream().anyMatch(node -> node.name().equals(pod.text("/spec/nodeName")));
      if (!placed && !Pods.isTerminating(pod)) {
        misplaced++;
        writes.add(new Write.Delete(ResourceType.POD, pod));
      }
    }
    long minReady = set.at("/spec/minReadySeconds").asLong();
    replace(set, nodes.size(), kept, hash, minReady, now, writes);
    revisions.forget(Pods.revisions(pods), writes);
    writes.addAll(
        Statuses.update(
            ResourceType.DAEMON_SET,
            set,
            status(set, nodes.size(), kept, misplaced, hash, minReady, now)));
    Duration again = ReplicaSets.again(kept, minReady, now);
    return new Plan(
        writes, Pods.announcements(set, writes, "Created pod: %s", "Deleted pod: %s"), again);
  }

  private static List<KubeObject> on(String node, List<KubeObject> pods) {
    return pods.stream().filter(pod -> pod.text("/spec/nodeName").equals(node)).toList();
  }

  /** Old pods go while no more than {@code maxUnavailable} nodes are without one. */
  private static void replace(
      KubeObject set,
      int nodes,
      List<KubeObject> kept,
      String hash,
      long minReady,
      Instant now,
      List<Write> writes) {
    if (set.text("/spec/updateStrategy/type").equals("OnDelete")) {
      return;
    }
    JsonNode value = set.at("/spec/updateStrategy/rollingUpdate/maxUnavailable");
    int most = value.isMissingNode() ? 1 : Math.max(1, IntOrPercent.of(value, nodes, true));
    int unavailable = nodes;
    for (KubeObject pod : kept) {
      unavailable -= Pods.isAvailable(pod, minReady, now) ? 1 : 0;
    }
    for (KubeObject pod : kept) {
      if (hash.equals(pod.labels().get(Revisions.HASH))) {
        continue;
      }
      if (!Pods.isAvailable(pod, minReady, now)) {
        writes.add(new Write.Delete(ResourceType.POD, pod));
      } else if (unavailable < most) {
        unavailable++;
        writes.add(new Write.Delete(ResourceType.POD, pod));
      }
    }
  }

  private static ObjectNode pod(KubeObject set, String node, String hash) {
    ObjectNode pod = Pods.fromTemplate(set.at("/spec/template"), set);
    pod.withObject("/metadata/labels")
        .put(Revisions.HASH, hash)
        .put(GENERATION, set.text("/metadata/generation"));
    ObjectNode spec = pod.withObject("/spec");
    spec.put("nodeName", node);
    ArrayNode tolerations = spec.withArray("tolerations");
    TOLERATED.forEach(
        (taint, effect) ->
            tolerations
                .addObject()
                .put("key", taint)
                .put("operator", "Exists")
                .put("effect", effect));
    return pod;
  }

  private static boolean isWanted(KubeObject set, KubeObject node) {
    JsonNode spec = set.at("/spec/template/spec");
    for (Map.Entry<String, JsonNode> label : spec.path("nodeSelector").properties()) {
      if (!label.getValue().asText().equals(node.labels().get(label.getKey()))) {
        return false;
      }
    }
    if (spec.path("nodeName").isTextual() && !spec.path("nodeName").asText().equals(node.name())) {
      return false;
    }
    for (JsonNode taint : node.at("/spec/taints")) {
      boolean matters = !taint.path("effect").asText().equals("PreferNoSchedule");
      if (matters && !isTolerated(taint, spec.path("tolerations"))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isTolerated(JsonNode taint, JsonNode tolerations) {
    String key = taint.path("key").asText();
    if (taint.path("effect").asText().equals(TOLERATED.get(key))
        || TOLERATED.containsKey(key) && taint.path("effect").asText().equals("NoSchedule")) {
      return true;
    }
    for (JsonNode toleration : tolerations) {
      boolean sameEffect =
          toleration.path("effect").asText().isEmpty()
              || toleration.path("effect").asText().equals(taint.path("effect").asText());
      boolean exists = toleration.path("operator").asText().equals("Exists");
      boolean sameKey =
          exists && toleration.path("key").asText().isEmpty()
              || toleration.path("key").asText().equals(key);
      boolean sameValue =
          exists || toleration.path("value").asText().equals(taint.path("value").asText());
      if (sameEffect && sameKey && sameValue) {
        return true;
      }
    }
    return false;
  }

  private static ObjectNode status(
      KubeObject set,
      int nodes,
      List<KubeObject> kept,
      int misplaced,
      String hash,
      long minReady,
      Instant now) {
    int ready = 0;
    int available = 0;
    int updated = 0;
    for (KubeObject pod : kept) {
      ready += Pods.isReady(pod) ? 1 : 0;
      available += Pods.isAvailable(pod, minReady, now) ? 1 : 0;
      updated += hash.equals(pod.labels().get(Revisions.HASH)) ? 1 : 0;
    }
    ObjectNode status = Statuses.copy(set);
    status.put("currentNumberScheduled", kept.size());
    status.put("numberMisscheduled", misplaced);
    status.put("desiredNumberScheduled", nodes);
    status.put("numberReady", ready);
    status.put("observedGeneration", set.at("/metadata/generation").asLong());
    Statuses.count(status, "updatedNumberScheduled", updated);
    Statuses.count(status, "numberAvailable", available);
    Statuses.count(status, "numberUnavailable", nodes - available);
    return status;
  }
}
