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
import org.jspecify.annotations.Nullable;

/**
 * StatefulSets: pods {@code name-0}, {@code name-1}, … made in order, each once the one before it
 * is ready, and taken away from the last ({@code pkg/controller/statefulset}). With
 * podManagementPolicy Parallel nobody waits. Volume claims are not made: nothing here stores.
 */
public final class StatefulSets implements Reconciler {

  private static final String HASH = "controller-revision-hash";
  private static final String POD_NAME = "statefulset.kubernetes.io/pod-name";

  @Override
  public String name() {
    return "statefulset-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.STATEFUL_SET, ResourceType.POD);
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
    writes.addAll(scale(set, pods));
    writes.addAll(Statuses.update(ResourceType.STATEFUL_SET, set, status(set, pods, now)));
    String done = " Pod %s in StatefulSet " + set.name() + " successful";
    return new Plan(
        writes,
        Pods.announcements(set, writes, "create" + done, "delete" + done),
        ReplicaSets.again(pods, minReady(set), now));
  }

  private static long minReady(KubeObject set) {
    return set.at("/spec/minReadySeconds").asLong();
  }

  private static String hash(KubeObject set) {
    return set.name() + "-" + PodTemplateHash.of(set.at("/spec/template"), 0);
  }

  private static List<Write> scale(KubeObject set, List<KubeObject> pods) {
    boolean parallel = set.text("/spec/podManagementPolicy").equals("Parallel");
    int replicas = set.at("/spec/replicas").asInt(1);
    List<Write> writes = new ArrayList<>();
    for (int ordinal = 0; ordinal < replicas; ordinal++) {
      KubeObject pod = pod(pods, set, ordinal);
      if (pod == null) {
        writes.add(new Write.Create(ResourceType.POD, new KubeObject(newPod(set, ordinal))));
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
      writes.addAll(update(set, pods, replicas));
    }
    return writes;
  }

  /** From the last to {@code partition}: one pod at a time takes the new template. */
  private static List<Write> update(KubeObject set, List<KubeObject> pods, int replicas) {
    if (set.text("/spec/updateStrategy/type").equals("OnDelete")) {
      return List.of();
    }
    int partition = set.at("/spec/updateStrategy/rollingUpdate/partition").asInt();
    for (int ordinal = replicas - 1; ordinal >= partition; ordinal--) {
      KubeObject pod = pod(pods, set, ordinal);
      if (pod == null || Pods.isTerminating(pod)) {
        return List.of();
      }
      if (!hash(set).equals(pod.labels().get(HASH))) {
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

  private static ObjectNode newPod(KubeObject set, int ordinal) {
    ObjectNode pod = Pods.fromTemplate(set.at("/spec/template"), set);
    String name = set.name() + "-" + ordinal;
    ObjectNode metadata = pod.withObject("/metadata");
    metadata.remove("generateName");
    metadata.put("name", name);
    metadata.withObject("/labels").put(HASH, hash(set)).put(POD_NAME, name);
    ObjectNode spec = pod.withObject("/spec");
    spec.put("hostname", name);
    spec.put("subdomain", set.text("/spec/serviceName"));
    return pod;
  }

  private static ObjectNode status(KubeObject set, List<KubeObject> pods, Instant now) {
    int created = 0;
    int ready = 0;
    int available = 0;
    int updated = 0;
    for (KubeObject pod : pods) {
      if (!Pods.isActive(pod)) {
        continue;
      }
      created++;
      ready += Pods.isReady(pod) ? 1 : 0;
      available += Pods.isAvailable(pod, minReady(set), now) ? 1 : 0;
      updated += hash(set).equals(pod.labels().get(HASH)) ? 1 : 0;
    }
    int replicas = set.at("/spec/replicas").asInt(1);
    ObjectNode status = Statuses.copy(set);
    status.put("observedGeneration", set.at("/metadata/generation").asLong());
    status.put("replicas", created);
    Statuses.count(status, "readyReplicas", ready);
    status.put("availableReplicas", available);
    Statuses.count(status, "updatedReplicas", updated);
    status.put("updateRevision", hash(set));
    boolean rolledOut = updated == replicas && ready == replicas && created == replicas;
    if (rolledOut || !status.has("currentRevision")) {
      status.put("currentRevision", hash(set));
    }
    boolean isCurrent = status.path("currentRevision").asText().equals(hash(set));
    Statuses.count(status, "currentReplicas", isCurrent ? updated : created - updated);
    return status;
  }
}
