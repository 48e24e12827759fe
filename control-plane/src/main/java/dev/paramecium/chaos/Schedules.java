package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.node.ArrayNode;
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
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Schedule: makes an experiment each time that it is due ({@code controllers/schedule} of Chaos
 * Mesh). Of several times that were missed the last counts, and none that is older than {@code
 * startingDeadlineSeconds}. With {@code concurrencyPolicy: Forbid} the next waits until the one
 * before has ended. Of those that have ended {@code historyLimit} stay.
 */
public final class Schedules implements Reconciler {

  private static final Duration LONGEST_WAIT = Duration.ofHours(1);

  /** After a pause of years the time is not counted step by step. */
  private static final int MOST_MISSED = 100_000;

  @Override
  public String name() {
    return "schedule-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.SCHEDULE, ResourceType.NETWORK_CHAOS, ResourceType.POD_CHAOS);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    if (changed.kind().equals("Schedule")) {
      return List.of(Key.of(changed));
    }
    Key owner = Owners.ownerOf(changed, "Schedule");
    return owner == null ? List.of() : List.of(owner);
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject schedule = cache.get(ResourceType.SCHEDULE, key.namespace(), key.name());
    if (schedule == null || new Experiment(schedule).isDeleted()) {
      return Plan.NOTHING;
    }
    ResourceType type = type(schedule);
    List<KubeObject> made = new ArrayList<>(Owners.controlled(cache, type, schedule));
    made.sort(
        Comparator.comparing((KubeObject o) -> o.text("/metadata/creationTimestamp"))
            .thenComparing(KubeObject::name));
    List<KubeObject> ended =
        made.stream().filter(object -> new Experiment(object).hasEnded(now)).toList();
    List<Write> writes = new ArrayList<>();
    List<Announcement> said = new ArrayList<>();
    int surplus = ended.size() - Math.max(1, schedule.at("/spec/historyLimit").asInt(1));
    for (int i = 0; i < surplus; i++) {
      if (!new Experiment(ended.get(i)).isDeleted()) {
        writes.add(new Write.Delete(type, ended.get(i)));
      }
    }
    Cron cron = Cron.parse(schedule.text("/spec/schedule"));
    Instant due = new Experiment(schedule).isPaused() ? null : due(schedule, cron, now);
    boolean free =
        schedule.text("/spec/concurrencyPolicy").equals("Allow") || ended.size() == made.size();
    if (due != null && free) {
      String name = schedule.name() + "-" + Long.toString(due.getEpochSecond(), 36);
      if (made.stream().noneMatch(object -> object.name().equals(name))) {
        Write create = new Write.Create(type, experiment(schedule, type, name));
        writes.add(create);
        said.add(new Announcement(create, schedule, "Spawned", "Create new object: %s"));
      }
    }
    KubeObject told = withStatus(schedule, free ? due : null, made, ended);
    if (!told.equals(schedule)) {
      writes.add(new Write.UpdateStatus(ResourceType.SCHEDULE, told));
    }
    Instant next = cron.next(now);
    Duration wait = next == null ? LONGEST_WAIT : Duration.between(now, next);
    return new Plan(writes, said, wait.compareTo(LONGEST_WAIT) < 0 ? wait : LONGEST_WAIT);
  }

  private static ResourceType type(KubeObject schedule) {
    return schedule.text("/spec/type").equals("PodChaos")
        ? ResourceType.POD_CHAOS
        : ResourceType.NETWORK_CHAOS;
  }

  /** The last time that was due and is not yet done; null if there is none. */
  private static @Nullable Instant due(KubeObject schedule, Cron cron, Instant now) {
    String last = schedule.text("/status/time");
    Instant after =
        Instant.parse(last.isEmpty() ? schedule.text("/metadata/creationTimestamp") : last);
    if (schedule.at("/spec/startingDeadlineSeconds").isNumber()) {
      Instant oldest =
          now.minusSeconds(schedule.at("/spec/startingDeadlineSeconds").asLong())
              .truncatedTo(ChronoUnit.SECONDS);
      after = oldest.isAfter(after) ? oldest : after;
    }
    Instant due = null;
    Instant next = cron.next(after);
    for (int i = 0; i < MOST_MISSED && next != null && !next.isAfter(now); i++) {
      due = next;
      next = cron.next(next);
    }
    return due;
  }

  private static KubeObject experiment(KubeObject schedule, ResourceType type, String name) {
    ObjectNode made = JsonNodeFactory.instance.objectNode();
    made.put("apiVersion", type.apiVersion()).put("kind", type.kind());
    ObjectNode metadata =
        made.putObject("metadata").put("name", name).put("namespace", schedule.namespace());
    metadata.putObject("labels").put("managed-by", schedule.name());
    Owners.setController(made, schedule);
    made.set("spec", schedule.at("/spec/" + field(type)).deepCopy());
    return new KubeObject(made);
  }

  /** {@code podChaos} for PodChaos. */
  static String field(ResourceType type) {
    return Character.toLowerCase(type.kind().charAt(0)) + type.kind().substring(1);
  }

  private static KubeObject withStatus(
      KubeObject schedule, @Nullable Instant done, List<KubeObject> made, List<KubeObject> ended) {
    KubeObject copy = schedule.copy();
    ObjectNode status = copy.json().withObject("/status");
    ArrayNode active = JsonNodeFactory.instance.arrayNode();
    for (KubeObject object : made) {
      if (!ended.contains(object)) {
        active
            .addObject()
            .put("apiVersion", object.apiVersion())
            .put("kind", object.kind())
            .put("namespace", object.namespace())
            .put("name", object.name())
            .put("uid", object.uid());
      }
    }
    status.set("active", active);
    if (done != null) {
      status.put("time", done.toString());
    }
    return copy;
  }
}
