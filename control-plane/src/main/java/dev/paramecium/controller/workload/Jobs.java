package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Reconciler;
import dev.paramecium.controller.Write;
import dev.paramecium.events.Event;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Jobs: pods until enough have succeeded, or too many have failed ({@code pkg/controller/job}).
 * After a failure the next pod waits: 10 s, doubled each time, 6 minutes at most.
 */
public final class Jobs implements Reconciler {

  private static final Duration FIRST_WAIT = Duration.ofSeconds(10);
  private static final Duration LAST_WAIT = Duration.ofMinutes(6);

  @Override
  public String name() {
    return "job-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.JOB, ResourceType.POD);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return Claims.concerned(changed, ResourceType.JOB, cache);
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject job = cache.get(ResourceType.JOB, key.namespace(), key.name());
    if (job == null || Pods.isTerminating(job)) {
      return Plan.NOTHING;
    }
    if (isOver(job)) {
      return afterwards(job, now);
    }
    List<Write> writes = new ArrayList<>();
    List<KubeObject> pods = Claims.claim(ResourceType.POD, job, _ -> true, cache, writes);
    List<KubeObject> active = pods.stream().filter(Pods::isActive).toList();
    int succeeded = count(pods, "Succeeded");
    int failed = count(pods, "Failed");
    boolean suspended = job.at("/spec/suspend").asBoolean();
    JsonNode completions = job.at("/spec/completions");
    int parallelism = suspended ? 0 : job.at("/spec/parallelism").asInt(1);
    ObjectNode status = Statuses.copy(job);
    if (!suspended && !status.has("startTime")) {
      status.put("startTime", now.truncatedTo(ChronoUnit.SECONDS).toString());
    }
    Instant started = Pods.time(status.path("startTime").asText(), now);
    long deadline = job.at("/spec/activeDeadlineSeconds").asLong(Long.MAX_VALUE / 2_000);
    boolean late = Duration.between(started, now).toSeconds() >= deadline;
    boolean complete =
        completions.isIntegralNumber()
            ? succeeded >= completions.asInt()
            : succeeded > 0 && active.isEmpty();
    Duration again = Duration.ZERO;
    int running = active.size();
    if (complete) {
      end(status, "Complete", "", "", now);
    } else if (failed > job.at("/spec/backoffLimit").asInt(6)) {
      end(
          status,
          "Failed",
          "BackoffLimitExceeded",
          "Job has reached the specified backoff limit",
          now);
      running = stop(active, writes);
    } else if (late) {
      end(
          status,
          "Failed",
          "DeadlineExceeded",
          "Job was active longer than specified deadline",
          now);
      running = stop(active, writes);
    } else {
      int left =
          completions.isIntegralNumber()
              ? completions.asInt() - succeeded
              : succeeded > 0 ? active.size() : parallelism;
      int wanted = Math.min(parallelism, left);
      Duration wait = untilNext(pods, failed, now);
      if (active.size() < wanted && wait.isZero()) {
        for (int i = active.size(); i < wanted; i++) {
          writes.add(new Write.Create(ResourceType.POD, new KubeObject(pod(job))));
        }
        running = wanted;
      } else {
        active.stream()
            .sorted(Pods.LEAST_WORTH_FIRST)
            .limit(Math.max(0, active.size() - wanted))
            .forEach(pod -> writes.add(new Write.Delete(ResourceType.POD, pod)));
        again = active.size() < wanted ? wait : again;
      }
      Duration untilLate = Duration.ofSeconds(Math.min(deadline, 1L << 32));
      Duration left2 = untilLate.minus(Duration.between(started, now));
      boolean sooner = again.isZero() || left2.compareTo(again) < 0;
      again = deadline < 1L << 32 && sooner ? left2 : again;
    }
    Statuses.count(status, "active", running);
    Statuses.count(status, "succeeded", succeeded);
    Statuses.count(status, "failed", failed);
    status.put("ready", (int) active.stream().filter(Pods::isReady).count());
    List<Announcement> said = Pods.announcements(job, writes, "Created pod: %s", "Deleted pod: %s");
    for (Write update : Statuses.update(ResourceType.JOB, job, status)) {
      writes.add(update);
      outcome(job, status, update).ifPresent(said::add);
    }
    return new Plan(writes, said, again);
  }

  /** What is said when a Job is over. */
  private static Optional<Announcement> outcome(KubeObject job, ObjectNode status, Write update) {
    JsonNode failed = Statuses.condition(status, "Failed");
    if (failed.path("status").asText().equals("True")) {
      return Optional.of(
          new Announcement(
              update,
              job,
              Event.Type.WARNING,
              failed.path("reason").asText(),
              failed.path("message").asText()));
    }
    return Statuses.condition(status, "Complete").path("status").asText().equals("True")
        ? Optional.of(new Announcement(update, job, "Completed", "Job completed"))
        : Optional.empty();
  }

  private static int count(List<KubeObject> pods, String phase) {
    return (int) pods.stream().filter(pod -> pod.text("/status/phase").equals(phase)).count();
  }

  private static int stop(List<KubeObject> active, List<Write> writes) {
    active.forEach(pod -> writes.add(new Write.Delete(ResourceType.POD, pod)));
    return 0;
  }

  private static boolean isOver(KubeObject job) {
    return Statuses.condition(job.at("/status"), "Complete").path("status").asText().equals("True")
        || Statuses.condition(job.at("/status"), "Failed").path("status").asText().equals("True");
  }

  private static void end(
      ObjectNode status, String type, String reason, String message, Instant now) {
    Statuses.setCondition(status, type, true, reason, message, now);
    if (type.equals("Complete")) {
      status.put("completionTime", now.truncatedTo(ChronoUnit.SECONDS).toString());
    }
  }

  /** {@code ttlSecondsAfterFinished}. */
  private static Plan afterwards(KubeObject job, Instant now) {
    JsonNode ttl = job.at("/spec/ttlSecondsAfterFinished");
    if (!ttl.isIntegralNumber()) {
      return Plan.NOTHING;
    }
    String ended = "";
    for (JsonNode condition : job.at("/status/conditions")) {
      ended = condition.path("lastTransitionTime").asText();
    }
    Duration left = Duration.between(now, Pods.time(ended, now).plusSeconds(ttl.asLong()));
    return left.isNegative() || left.isZero()
        ? new Plan(List.of(new Write.Delete(ResourceType.JOB, job)), Duration.ZERO)
        : new Plan(List.of(), left);
  }

  private static Duration untilNext(List<KubeObject> pods, int failed, Instant now) {
    if (failed == 0) {
      return Duration.ZERO;
    }
    Instant last = Instant.EPOCH;
    for (KubeObject pod : pods) {
      for (JsonNode container : pod.at("/status/containerStatuses")) {
        String finished = container.at("/state/terminated/finishedAt").asText();
        Instant at = Pods.time(finished, Instant.EPOCH);
        last = at.isAfter(last) ? at : last;
      }
    }
    Duration wait = FIRST_WAIT.multipliedBy(1L << Math.min(failed - 1, 10));
    wait = wait.compareTo(LAST_WAIT) < 0 ? wait : LAST_WAIT;
    Duration left = Duration.between(now, last.plus(wait));
    return left.isNegative() ? Duration.ZERO : left;
  }

  private static ObjectNode pod(KubeObject job) {
    ObjectNode pod = Pods.fromTemplate(job.at("/spec/template"), job);
    pod.withObject("/metadata/labels").put("controller-uid", job.uid()).put("job-name", job.name());
    return pod;
  }
}
