package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Owners;
import dev.paramecium.controller.Reconciler;
import dev.paramecium.controller.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Deployments: one ReplicaSet for each template that was asked for, and pods that move from the old
 * ones to the new one within {@code maxSurge} and {@code maxUnavailable} ({@code
 * pkg/controller/deployment}).
 *
 * <pre>
 *   Deployment  --newReplicaSet-->  ReplicaSet of its template now   --RollingUpdate-->  replicas of each
 *                                   ReplicaSets of templates before  (kept for rollout undo)
 * </pre>
 */
public final class Deployments implements Reconciler {

  /** Which template a ReplicaSet is, counted from 1; {@code rollout history} lists them. */
  static final String REVISION = "deployment.kubernetes.io/revision";

  private static final String DESIRED = "deployment.kubernetes.io/desired-replicas";
  private static final String MAX = "deployment.kubernetes.io/max-replicas";
  private static final Comparator<KubeObject> OLDEST_FIRST =
      Comparator.comparing((KubeObject set) -> set.text("/metadata/creationTimestamp"))
          .thenComparing(KubeObject::name);

  @Override
  public String name() {
    return "deployment-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.DEPLOYMENT, ResourceType.REPLICA_SET);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return Claims.concerned(changed, ResourceType.DEPLOYMENT, cache);
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject deployment = cache.get(ResourceType.DEPLOYMENT, key.namespace(), key.name());
    if (deployment == null || Pods.isTerminating(deployment)) {
      return Plan.NOTHING;
    }
    List<Write> writes = new ArrayList<>();
    List<KubeObject> sets =
        Claims.claim(ResourceType.REPLICA_SET, deployment, _ -> true, cache, writes);
    if (!writes.isEmpty()) {
      return new Plan(writes, List.of(), Duration.ZERO); // what follows changes the same objects
    }
    KubeObject current = current(deployment, sets);
    List<KubeObject> old = sets.stream().filter(set -> !set.equals(current)).toList();
    boolean paused = deployment.at("/spec/paused").asBoolean();
    if (current == null && !paused) {
      writes.add(newReplicaSet(deployment, old, cache));
    } else if (current != null) {
      long revision = Math.max(latest(old) + 1, revision(current));
      int wanted = paused ? replicas(current) : wanted(deployment, current, old);
      describe(deployment, current, revision, wanted, writes);
      if (revision(deployment) != revision && !paused) {
        writes.add(new Write.Update(ResourceType.DEPLOYMENT, numbered(deployment, revision)));
      }
      if (!paused) {
        shrink(deployment, current, old, writes);
        forget(deployment, old, writes);
      }
    }
    ObjectNode status = status(deployment, current, sets, now);
    Duration again = progress(deployment, current, status, now);
    // An update of the deployment itself makes a status update at the same revision a conflict.
    if (writes.stream().noneMatch(write -> write.type().equals(ResourceType.DEPLOYMENT))) {
      writes.addAll(Statuses.update(ResourceType.DEPLOYMENT, deployment, status));
    }
    return new Plan(writes, scalings(deployment, sets, writes), again);
  }

  /** The ReplicaSet of the template as it is; the oldest, should there be several. */
  private static @Nullable KubeObject current(KubeObject deployment, List<KubeObject> sets) {
    return sets.stream()
        .filter(
            set ->
                PodTemplateHash.isSame(set.at("/spec/template"), deployment.at("/spec/template")))
        .min(OLDEST_FIRST)
        .orElse(null);
  }

  private static Write newReplicaSet(
      KubeObject deployment, List<KubeObject> old, ObjectCache cache) {
    String hash = PodTemplateHash.unused(deployment, ResourceType.REPLICA_SET, cache);
    ObjectNode set = JsonNodeFactory.instance.objectNode();
    set.put("apiVersion", "apps/v1").put("kind", "ReplicaSet");
    ObjectNode metadata = set.putObject("metadata");
    metadata.put("name", deployment.name() + "-" + hash).put("namespace", deployment.namespace());
    ObjectNode annotations = metadata.putObject("annotations");
    inherit(deployment, annotations);
    annotations.put(REVISION, Long.toString(latest(old) + 1));
    sizes(deployment, annotations);
    ObjectNode template = deployment.at("/spec/template").deepCopy();
    template.withObject("/metadata/labels").put(PodTemplateHash.LABEL, hash);
    metadata.set("labels", template.at("/metadata/labels").deepCopy());
    ObjectNode spec = set.putObject("spec");
    spec.put("replicas", surge(deployment, total(old), 0));
    if (deployment.at("/spec/minReadySeconds").asInt() > 0) {
      spec.put("minReadySeconds", deployment.at("/spec/minReadySeconds").asInt());
    }
    ObjectNode selector = deployment.at("/spec/selector").deepCopy();
    selector.withObject("/matchLabels").put(PodTemplateHash.LABEL, hash);
    spec.set("selector", selector);
    spec.set("template", template);
    Owners.setController(set, deployment);
    return new Write.Create(ResourceType.REPLICA_SET, new KubeObject(set));
  }

  /** The deployment's annotations, but for those that mean itself. */
  private static void inherit(KubeObject deployment, ObjectNode annotations) {
    deployment
        .at("/metadata/annotations")
        .properties()
        .forEach(
            annotation -> {
              boolean own =
                  annotation.getKey().startsWith("deployment.kubernetes.io/")
                      || annotation
                          .getKey()
                          .equals("kubectl.kubernetes.io/last-applied-configuration");
              if (!own) {
                annotations.set(annotation.getKey(), annotation.getValue());
              }
            });
  }

  private static void sizes(KubeObject deployment, ObjectNode annotations) {
    int desired = replicas(deployment);
    annotations.put(DESIRED, Integer.toString(desired));
    annotations.put(MAX, Integer.toString(desired + maxSurge(deployment)));
  }

  /** What the writes mean for the numbers of pods, as {@code kubectl describe} shows them. */
  private static List<Announcement> scalings(
      KubeObject deployment, List<KubeObject> sets, List<Write> writes) {
    List<Announcement> scalings = new ArrayList<>();
    for (Write write : writes) {
      switch (write) {
        case Write.Create(ResourceType _, KubeObject set) ->
            scaling(deployment, write, 0, replicas(set)).ifPresent(scalings::add);
        case Write.Update(ResourceType _, KubeObject changed) ->
            sets.stream()
                .filter(set -> set.uid().equals(changed.uid()))
                .forEach(
                    set ->
                        scaling(deployment, write, replicas(set), replicas(changed))
                            .ifPresent(scalings::add));
        case Write.UpdateStatus _, Write.Delete _, Write.Kill _ -> {}
      }
    }
    return scalings;
  }

  private static Optional<Announcement> scaling(
      KubeObject deployment, Write write, int from, int to) {
    String direction = to > from ? "up" : "down";
    return from == to
        ? Optional.empty()
        : Optional.of(
            new Announcement(
                write,
                deployment,
                "ScalingReplicaSet",
                "Scaled " + direction + " replica set %s to " + to));
  }

  // ---- how many pods each ReplicaSet should have

  private static boolean recreates(KubeObject deployment) {
    return deployment.text("/spec/strategy/type").equals("Recreate");
  }

  private static int wanted(KubeObject deployment, KubeObject current, List<KubeObject> old) {
    if (recreates(deployment)) {
      boolean oldOnesAreGone =
          old.stream().allMatch(set -> set.at("/status/replicas").asInt() == 0);
      return oldOnesAreGone ? replicas(deployment) : replicas(current);
    }
    return surge(deployment, total(old), replicas(current));
  }

  /** What the new ReplicaSet may grow to while the old ones still have {@code old} pods. */
  private static int surge(KubeObject deployment, int old, int current) {
    int desired = replicas(deployment);
    if (recreates(deployment)) {
      return old == 0 ? desired : current;
    }
    int room = desired + maxSurge(deployment) - old - current;
    return current >= desired ? desired : Math.min(desired, current + Math.max(0, room));
  }

  /** Old ReplicaSets give up pods: first those that are not well, then as many as may miss. */
  private static void shrink(
      KubeObject deployment, KubeObject current, List<KubeObject> old, List<Write> writes) {
    List<KubeObject> oldest = old.stream().sorted(OLDEST_FIRST).toList();
    if (recreates(deployment)) {
      oldest.forEach(set -> resize(deployment, set, 0, writes));
      return;
    }
    int minAvailable = replicas(deployment) - maxUnavailable(deployment);
    int notYetWell = replicas(current) - available(current);
    int mayGo = total(old) + replicas(current) - minAvailable - notYetWell;
    int spare = mayGo;
    int surplus = available(current) - minAvailable;
    for (KubeObject set : oldest) {
      surplus += Math.min(available(set), replicas(set));
    }
    for (KubeObject set : oldest) {
      // A set that shrinks already may still count pods that it gave up.
      int well = Math.min(available(set), replicas(set));
      int unwell = Math.clamp(spare, 0, replicas(set) - well);
      int healthy = Math.clamp(Math.min(surplus, mayGo - unwell), 0, well);
      int gone = Math.min(replicas(set), unwell + healthy);
      spare -= unwell;
      mayGo -= gone;
      surplus -= healthy;
      resize(deployment, set, replicas(set) - gone, writes);
    }
  }

  private static void resize(
      KubeObject deployment, KubeObject set, int replicas, List<Write> writes) {
    if (replicas(set) != replicas) {
      KubeObject resized = set.copy();
      resized.json().withObject("/spec").put("replicas", replicas);
      sizes(deployment, resized.json().withObject("/metadata/annotations"));
      writes.add(new Write.Update(ResourceType.REPLICA_SET, resized));
    }
  }

  private static void describe(
      KubeObject deployment, KubeObject current, long revision, int replicas, List<Write> writes) {
    KubeObject described = current.copy();
    ObjectNode annotations = described.json().withObject("/metadata/annotations");
    inherit(deployment, annotations);
    annotations.put(REVISION, Long.toString(revision));
    sizes(deployment, annotations);
    described.json().withObject("/spec").put("replicas", replicas);
    if (!described.json().equals(current.json())) {
      writes.add(new Write.Update(ResourceType.REPLICA_SET, described));
    }
  }

  private static KubeObject numbered(KubeObject deployment, long revision) {
    KubeObject numbered = deployment.copy();
    numbered.json().withObject("/metadata/annotations").put(REVISION, Long.toString(revision));
    return numbered;
  }

  /** Of the ReplicaSets without pods the youngest are kept, for {@code rollout undo}. */
  private static void forget(KubeObject deployment, List<KubeObject> old, List<Write> writes) {
    int kept = deployment.at("/spec/revisionHistoryLimit").asInt(10);
    List<KubeObject> idle =
        old.stream()
            .filter(set -> replicas(set) == 0 && set.at("/status/replicas").asInt() == 0)
            .sorted(Comparator.comparingLong(Deployments::revision))
            .toList();
    idle.stream()
        .limit(Math.max(0, idle.size() - kept))
        .forEach(set -> writes.add(new Write.Delete(ResourceType.REPLICA_SET, set)));
  }

  // ---- status

  private static ObjectNode status(
      KubeObject deployment, @Nullable KubeObject current, List<KubeObject> sets, Instant now) {
    int ready = sets.stream().mapToInt(set -> set.at("/status/readyReplicas").asInt()).sum();
    int available = sets.stream().mapToInt(Deployments::available).sum();
    int total = sets.stream().mapToInt(set -> set.at("/status/replicas").asInt()).sum();
    int updated = current == null ? 0 : current.at("/status/replicas").asInt();
    ObjectNode status = Statuses.copy(deployment);
    status.put("observedGeneration", deployment.at("/metadata/generation").asLong());
    Statuses.count(status, "replicas", total);
    Statuses.count(status, "updatedReplicas", updated);
    Statuses.count(status, "readyReplicas", ready);
    Statuses.count(status, "availableReplicas", available);
    Statuses.count(status, "unavailableReplicas", Math.max(0, replicas(deployment) - available));
    boolean enough = available >= replicas(deployment) - maxUnavailable(deployment);
    Statuses.setCondition(
        status,
        "Available",
        enough,
        enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
        enough
            ? "Deployment has minimum availability."
            : "Deployment does not have minimum availability.",
        now);
    return status;
  }

  /** How the rollout goes; answers when it would be too late. */
  private static Duration progress(
      KubeObject deployment, @Nullable KubeObject current, ObjectNode status, Instant now) {
    if (current == null) {
      return Duration.ZERO;
    }
    int desired = replicas(deployment);
    boolean complete =
        status.path("updatedReplicas").asInt() == desired
            && status.path("availableReplicas").asInt() == desired
            && status.path("replicas").asInt() == desired;
    String set = "ReplicaSet \"" + current.name() + "\"";
    if (complete) {
      Statuses.setCondition(
          status,
          "Progressing",
          true,
          "NewReplicaSetAvailable",
          set + " has successfully progressed.",
          now);
      return Duration.ZERO;
    }
    JsonNode before = Statuses.condition(deployment.at("/status"), "Progressing");
    boolean moved = moved(deployment.at("/status"), status) || before.isMissingNode();
    long deadline = deployment.at("/spec/progressDeadlineSeconds").asLong(600);
    Instant since = Pods.time(before.path("lastUpdateTime").asText(), now);
    Duration left = Duration.between(now, since.plusSeconds(deadline));
    if (moved || before.path("reason").asText().equals("NewReplicaSetAvailable")) {
      // Said anew, so that the deadline counts from here.
      status.set("conditions", withoutProgress(status));
      Statuses.setCondition(
          status, "Progressing", true, "ReplicaSetUpdated", set + " is progressing.", now);
      return Duration.ofSeconds(deadline);
    }
    if (left.isNegative() || left.isZero()) {
      Statuses.setCondition(
          status,
          "Progressing",
          false,
          "ProgressDeadlineExceeded",
          set + " has timed out progressing.",
          now);
      return Duration.ZERO;
    }
    return left;
  }

  private static boolean moved(JsonNode before, JsonNode now) {
    return now.path("updatedReplicas").asInt() > before.path("updatedReplicas").asInt()
        || now.path("readyReplicas").asInt() > before.path("readyReplicas").asInt()
        || now.path("availableReplicas").asInt() > before.path("availableReplicas").asInt()
        || now.path("replicas").asInt() - now.path("updatedReplicas").asInt()
            < before.path("replicas").asInt() - before.path("updatedReplicas").asInt();
  }

  private static JsonNode withoutProgress(ObjectNode status) {
    var kept = JsonNodeFactory.instance.arrayNode();
    for (JsonNode condition : status.path("conditions")) {
      if (!condition.path("type").asText().equals("Progressing")) {
        kept.add(condition);
      }
    }
    return kept;
  }

  // ---- numbers

  private static int replicas(KubeObject object) {
    return object.at("/spec/replicas").asInt(1);
  }

  private static int available(KubeObject set) {
    return set.at("/status/availableReplicas").asInt();
  }

  private static int total(List<KubeObject> sets) {
    return sets.stream().mapToInt(Deployments::replicas).sum();
  }

  private static long revision(KubeObject object) {
    return object.at("/metadata/annotations").path(REVISION).asLong();
  }

  private static long latest(List<KubeObject> sets) {
    return sets.stream().mapToLong(Deployments::revision).max().orElse(0);
  }

  private static int maxSurge(KubeObject deployment) {
    return recreates(deployment)
        ? 0
        : IntOrPercent.of(
            deployment.at("/spec/strategy/rollingUpdate/maxSurge"), replicas(deployment), true);
  }

  /** Never 0 together with a surge of 0: nothing could move then. */
  private static int maxUnavailable(KubeObject deployment) {
    if (recreates(deployment)) {
      return 0;
    }
    int unavailable =
        IntOrPercent.of(
            deployment.at("/spec/strategy/rollingUpdate/maxUnavailable"),
            replicas(deployment),
            false);
    int most = Math.min(unavailable, replicas(deployment));
    return most == 0 && maxSurge(deployment) == 0 ? 1 : most;
  }
}
