package dev.paramecium.chaos;

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

/** PodChaos of action pod-kill: chooses pods once, and deletes them. */
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
              .filter(chaos -> new Experiment(chaos).records().isEmpty())
              .map(Key::of)
              .toList();
      default -> List.of();
    };
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject chaos = cache.get(ResourceType.POD_CHAOS, key.namespace(), key.name());
    if (chaos == null) {
      return Plan.NOTHING;
    }
    Experiment experiment = new Experiment(chaos);
    if (!experiment.records().isEmpty() || !experiment.isToRun(now)) {
      return Plan.NOTHING; // a pod that is killed stays killed
    }
    List<Write> writes = new ArrayList<>();
    List<Announcement> said = new ArrayList<>();
    List<Experiment.Record> records = new ArrayList<>();
    for (KubeObject pod : PodSelector.choose(chaos, chaos.at("/spec"), cache)) {
      Write kill = new Write.Kill(ResourceType.POD, pod, chaos.at("/spec/gracePeriod").asLong());
      writes.add(kill);
      said.add(new Announcement(kill, chaos, "Applied", "Successfully apply chaos for %s"));
      records.add(
          new Experiment.Record(
              NetworkChaoses.id(pod), Experiment.Record.SOURCE, Experiment.Phase.INJECTED));
    }
    KubeObject told = experiment.withStatus(true, records);
    if (!told.equals(chaos)) {
      writes.add(new Write.UpdateStatus(ResourceType.POD_CHAOS, told));
    }
    return new Plan(writes, said, Duration.ZERO);
  }
}
