package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
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
import org.jspecify.annotations.Nullable;

/**
 * PodChaos: chooses the pods once, then
 *
 * <ul>
 *   <li>pod-kill: deletes them, each once, and not a successor of its name;
 *   <li>container-kill: lets {@link ContainerKills} on their nodes kill the containers named;
 *   <li>pod-failure: tells what {@link PodFailures} has brought about.
 * </ul>
 *
 * The first two are done with when they are done: neither duration nor pause takes them back.
 */
public final class PodChaoses implements Reconciler {

  @Override
  public String name() {
    return "podchaos-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.POD_CHAOS, ResourceType.POD, ResourceType.NODE);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return switch (changed.kind()) {
      case "PodChaos" -> List.of(Key.of(changed));
      case "Pod" ->
          cache.all(ResourceType.POD_CHAOS).stream()
              .filter(chaos -> isOpen(chaos, changed))
              .map(Key::of)
              .toList();
      default -> List.of();
    };
  }

  private static boolean isOpen(KubeObject chaos, KubeObject pod) {
    List<Experiment.Record> records = new Experiment(chaos).records();
    return records.isEmpty()
        || records.stream().anyMatch(r -> r.id().equals(NetworkChaoses.id(pod)));
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject chaos = cache.get(ResourceType.POD_CHAOS, key.namespace(), key.name());
    if (chaos == null) {
      return Plan.NOTHING;
    }
    if (chaos.text("/spec/action").equals("pod-failure")) {
      return Course.plan(
          ResourceType.POD_CHAOS,
          chaos,
          now,
          () -> pods(chaos, cache),
          (record, _) -> PodFailures.state(record, cache));
    }
    Experiment experiment = new Experiment(chaos);
    if (experiment.records().isEmpty()) {
      if (!experiment.isToRun(now)) {
        return Plan.NOTHING;
      }
      // First who, then what: a kill that has to be tried again does not hit somebody else.
      boolean whole = chaos.text("/spec/action").equals("pod-kill");
      return told(
          experiment, chaos, whole ? pods(chaos, cache) : containers(chaos, cache), List.of());
    }
    return chaos.text("/spec/action").equals("pod-kill") && !experiment.isDeleted()
        ? kill(experiment, chaos, cache)
        : Plan.NOTHING;
  }

  private static Plan told(
      Experiment experiment,
      KubeObject chaos,
      List<Experiment.Record> records,
      List<Announcement> said) {
    List<Write> writes = new ArrayList<>();
    said.forEach(announcement -> writes.add(announcement.write()));
    KubeObject told = experiment.withStatus(true, records);
    if (!told.equals(chaos)) {
      writes.add(new Write.UpdateStatus(ResourceType.POD_CHAOS, told));
    }
    return new Plan(writes, said, Duration.ZERO);
  }

  private static Plan kill(Experiment experiment, KubeObject chaos, ObjectCache cache) {
    List<Announcement> said = new ArrayList<>();
    List<Experiment.Record> records = new ArrayList<>();
    for (Experiment.Record record : experiment.records()) {
      KubeObject pod = pod(record, cache);
      if (!record.isInjected()
          && pod != null
          && pod.uid().equals(record.uid())
          && !pod.at("/metadata/deletionTimestamp").isTextual()) {
        long grace = chaos.at("/spec/gracePeriod").asLong();
        Write kill = new Write.Kill(ResourceType.POD, pod, grace);
        said.add(new Announcement(kill, chaos, "Applied", "Successfully apply chaos for %s"));
        records.add(record);
      } else {
        records.add(record.in(Experiment.Phase.INJECTED));
      }
    }
    return told(experiment, chaos, records, said);
  }

  /** The pod that has a record's name, in whose place another may have come. */
  static @Nullable KubeObject pod(Experiment.Record record, ObjectCache cache) {
    String[] id = record.id().split("/", 3);
    return cache.get(ResourceType.POD, id[0], id[1]);
  }

  private static List<Experiment.Record> pods(KubeObject chaos, ObjectCache cache) {
    return PodSelector.choose(chaos, chaos.at("/spec"), cache).stream()
        .map(pod -> Experiment.Record.chosen(NetworkChaoses.id(pod), pod.uid(), ""))
        .toList();
  }

  private static List<Experiment.Record> containers(KubeObject chaos, ObjectCache cache) {
    List<Experiment.Record> records = new ArrayList<>();
    for (KubeObject pod : PodSelector.choose(chaos, chaos.at("/spec"), cache)) {
      for (JsonNode name : chaos.at("/spec/containerNames")) {
        for (JsonNode container : pod.at("/spec/containers")) {
          if (container.path("name").equals(name)) {
            records.add(
                Experiment.Record.chosen(
                    NetworkChaoses.id(pod) + "/" + name.asText(),
                    pod.uid(),
                    pod.text("/spec/nodeName")));
          }
        }
      }
    }
    return records;
  }
}
