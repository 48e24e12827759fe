package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Reconciler;
import dev.paramecium.controller.Write;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * StatefulSets: pods {@code name-0}, {@code name-1}, … made in order, each once the one before it
 * is ready, and taken away from the last ({@code pkg/controller/statefulset}). With
 * podManagementPolicy Parallel nobody waits. Volume claims are not made: nothing here stores.
 */
public final class StatefulSets implements Reconciler {

  private static final String POD_NAME = "statefulset.kubernetes.io/pod-name";

  @Override
  public String name() {
    return "statefulset-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.STATEFUL_SET, ResourceType.POD, ResourceType.CONTROLLER_REVISION);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return Claims.concerned(changed, ResourceType.STATEFUL_SET, cache);
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject set = cache.get(ResourceType.STATEFUL_SET, key.namespace(), key.name());
    if (set == null || Pods.isTerminating(set)) {
      return Plan.NOTHING;
    }
    List<Write> writes = new ArrayList<>();
    List<KubeObject> pods =
        Claims.claim(ResourceType.POD, set, pod -> isMember(pod, set), cache, writes);
    Revisions revisions = Revisions.of(set, cache, writes);
    writes.addAll(scale(set, pods, revisions));
    writes.addAll(
        Statuses.update(ResourceType.STATEFUL_SET, set, status(set, pods, revisions.name(), now)));
    Set<String> used = Pods.revisions(pods);
    used.add(set.text("/status/currentRevision"));
    revisions.forget(used, writes);
    String done = " Pod %s in StatefulSet " + set.name() + " successful";
    return new Plan(
        writes,
        Pods.announcements(set, writes, "create" + done, "delete" + done),
        ReplicaSets.again(pods, minReady(set), now));
  }

  private static long minReady(KubeObject set) {
    return set.at("/spec/minReadySeconds").asLong();
  }

  private static boolean rollsOut(KubeObject set) {
    return !set.text("/spec/updateStrategy/type").equals("OnDelete");
  }

  private static int partition(KubeObject set) {
    return set.at("/spec/updateStrategy/rollingUpdate/partition").asInt();
  }

  private static List<Write> scale(KubeObject set, List<KubeObject> pods, Revisions revisions) {
    boolean parallel = set.text("/spec/podManagementPolicy").equals("Parallel");
    int replicas = set.at("/spec/replicas").asInt(1);
    List<Write> writes = new ArrayList<>();
    for (int ordinal = 0; ordinal < replicas; ordinal++) {
      KubeObject pod = pod(pods, set, ordinal);
      if (pod == null) {
        writes.add(
            new Write.Create(ResourceType.POD, new KubeObject(newPod(set, ordinal, revisions))));
      } else if (Pods.isFinished(pod) && !Pods.isTerminating(pod)) {
        writes.add(new Write.Delete(ResourceType.POD, pod));
      }
      boolean settled = pod != null && Pods.isReady(pod) && !Pods.isTerminating(pod);
      if (!parallel && !settled) {
        return writes;
      }
    }
    List<KubeObject> surplus = new ArrayList<>();
    for (KubeObject pod : pods) {
      if (ordinal(pod) >= replicas) {
        surplus.add(pod);
      }
    }
    surplus.sort((a, b) -> Integer.compare(ordinal(b), ordinal(a)));
    for (KubeObject pod : surplus) {
      if (!Pods.isTerminating(pod)) {
        writes.add(new Write.Delete(ResourceType.POD, pod));
      }
      if (!parallel) {
        return writes;
      }
    }
    if (writes.isEmpty()) {
      writes.addAll(update(set, pods, replicas, revisions.name()));
    }
    return writes;
  }

  /** From the last to {@code partition}: one pod at a time takes the new template. */
  private static List<Write> update(
      KubeObject set, List<KubeObject> pods, int replicas, String revision) {
    if (!rollsOut(set)) {
      return List.of();
    }
    for (int ordinal = replicas - 1; ordinal >= partition(set); ordinal--) {
      KubeObject pod = pod(pods, set, ordinal);
      if (pod == null || Pods.isTerminating(pod)) {
        return List.of();
      }
      if (!isOf(revision, pod)) {
        return List.of(new Write.Delete(ResourceType.POD, pod));
      }
      if (!Pods.isReady(pod)) {
        return List.of();
      }
    }
    return List.of();
  }

  private static @Nullable KubeObject pod(List<KubeObject> pods, KubeObject set, int ordinal) {
    String name = set.name() + "-" + ordinal;
    return pods.stream().filter(pod -> pod.name().equals(name)).findFirst().orElse(null);
  }

  private static boolean isMember(KubeObject pod, KubeObject set) {
    return ordinal(pod) != Integer.MAX_VALUE
        && pod.name().startsWith(set.name() + "-")
        && pod.name().lastIndexOf('-') == set.name().length();
  }

  private static int ordinal(KubeObject pod) {
    String digits = pod.name().substring(pod.name().lastIndexOf('-') + 1);
    return digits.matches("[0-9]{1,9}") ? Integer.parseInt(digits) : Integer.MAX_VALUE;
  }

  private static boolean isOf(String revision, KubeObject pod) {
    return revision.equals(pod.labels().get(Revisions.HASH));
  }

  /** Below {@code partition}, a pod that is lost returns as it was. */
  private static ObjectNode newPod(KubeObject set, int ordinal, Revisions revisions) {
    String current = set.text("/status/currentRevision");
    boolean staysBehind = rollsOut(set) && ordinal < partition(set) && !current.isEmpty();
    String revision = staysBehind ? current : revisions.name();
    ObjectNode pod = Pods.fromTemplate(revisions.template(revision), set);
    String name = set.name() + "-" + ordinal;
    ObjectNode metadata = pod.withObject("/metadata");
    metadata.remove("generateName");
    metadata.put("name", name);
    metadata.withObject("/labels").put(Revisions.HASH, revision).put(POD_NAME, name);
    ObjectNode spec = pod.withObject("/spec");
    spec.put("hostname", name);
    spec.put("subdomain", set.text("/spec/serviceName"));
    return pod;
  }

  private static ObjectNode status(
      KubeObject set, List<KubeObject> pods, String revision, Instant now) {
    ObjectNode status = Statuses.copy(set);
    String current = status.path("currentRevision").asText(revision);
    int created = 0;
    int ready = 0;
    int available = 0;
    int updated = 0;
    int behind = 0;
    for (KubeObject pod : pods) {
      if (!Pods.isActive(pod)) {
        continue;
      }
      created++;
      ready += Pods.isReady(pod) ? 1 : 0;
      available += Pods.isAvailable(pod, minReady(set), now) ? 1 : 0;
      updated += isOf(revision, pod) ? 1 : 0;
      behind += isOf(current, pod) ? 1 : 0;
    }
    status.put("observedGeneration", set.at("/metadata/generation").asLong());
    status.put("replicas", created);
    Statuses.count(status, "readyReplicas", ready);
    status.put("availableReplicas", available);
    Statuses.count(status, "updatedReplicas", updated);
    boolean rolledOut = rollsOut(set) && updated == created && ready == created;
    status.put("updateRevision", revision);
    status.put("currentRevision", rolledOut ? revision : current);
    Statuses.count(status, "currentReplicas", rolledOut ? updated : behind);
    return status;
  }
}
