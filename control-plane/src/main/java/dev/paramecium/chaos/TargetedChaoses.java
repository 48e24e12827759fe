package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Reconciler;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * NodeChaos, MapChaos and ControlPlaneChaos: who the targets are, and when their faults begin and
 * end. An {@link Executor} brings them about: for MapChaos, and faults of agents, the one on the
 * node, for the others that of the control plane.
 */
public final class TargetedChaoses implements Reconciler {

  private final ResourceType type;

  public TargetedChaoses(ResourceType type) {
    this.type = type;
  }

  @Override
  public String name() {
    return type.kind().toLowerCase(java.util.Locale.ROOT) + "-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(type, ResourceType.NODE);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    if (changed.kind().equals(type.kind())) {
      return List.of(Key.of(changed));
    }
    return cache.all(type).stream()
        .filter(chaos -> isOpen(chaos, changed.name(), cache))
        .map(Key::of)
        .toList();
  }

  /** Heartbeats of nodes concern nobody: only a node that came or went does. */
  private static boolean isOpen(KubeObject chaos, String node, ObjectCache cache) {
    List<Experiment.Record> records = new Experiment(chaos).records();
    boolean gone = cache.get(ResourceType.NODE, "", node) == null;
    return records.isEmpty() || gone && records.stream().anyMatch(r -> r.id().equals(node));
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject chaos = cache.get(type, "", key.name());
    return chaos == null
        ? Plan.NOTHING
        : Course.plan(
            type, chaos, now, () -> choose(chaos, cache), (record, _) -> state(record, cache));
  }

  private List<Experiment.Record> choose(KubeObject chaos, ObjectCache cache) {
    if (type.equals(ResourceType.CONTROL_PLANE_CHAOS)) {
      return List.of(Experiment.Record.chosen(Warden.CONTROL_PLANE, "", Warden.CONTROL_PLANE));
    }
    boolean onNode =
        type.equals(ResourceType.MAP_CHAOS)
            || chaos.text("/spec/action").equals(AgentFaults.RESTART);
    List<Experiment.Record> records = new ArrayList<>();
    for (JsonNode node : chaos.at("/spec/nodes")) {
      if (cache.get(ResourceType.NODE, "", node.asText()) == null) {
        return List.of(); // as soon as every node that is named exists
      }
      records.add(
          Experiment.Record.chosen(
              node.asText(), "", onNode ? node.asText() : Warden.CONTROL_PLANE));
    }
    return records;
  }

  /** A node that is no more cannot recover by itself, and need not. */
  private Course.State state(Experiment.Record record, ObjectCache cache) {
    boolean gone =
        record.node().equals(record.id()) && cache.get(ResourceType.NODE, "", record.id()) == null;
    return record.isInjected() && !gone ? Course.State.INJECTED : Course.State.RECOVERED;
  }
}
