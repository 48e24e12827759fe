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
 * Chooses the pods of each NetworkChaos once, starts and ends it, and tells in its status what the
 * pods' nodes have done.
 */
public final class NetworkChaoses implements Reconciler {

  private final PodNetworkChaoses links;

  NetworkChaoses(PodNetworkChaoses links) {
    this.links = links;
  }

  @Override
  public String name() {
    return "networkchaos-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(
        ResourceType.NETWORK_CHAOS,
        ResourceType.POD,
        ResourceType.NODE,
        ResourceType.POD_NETWORK_CHAOS);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return switch (changed.kind()) {
      case "NetworkChaos" -> List.of(Key.of(changed));
      case "Node" -> List.of();
      default ->
          cache.all(ResourceType.NETWORK_CHAOS).stream()
              .filter(chaos -> isOpen(chaos, changed))
              .map(Key::of)
              .toList();
    };
  }

  /** Whether a pod's change may matter: it is a target, or there is none yet. */
  private static boolean isOpen(KubeObject chaos, KubeObject pod) {
    List<Experiment.Record> records = new Experiment(chaos).records();
    return records.isEmpty() || records.stream().anyMatch(r -> r.id().equals(id(pod)));
  }

  static String id(KubeObject pod) {
    return pod.namespace() + "/" + pod.name();
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject chaos = cache.get(ResourceType.NETWORK_CHAOS, key.namespace(), key.name());
    return chaos == null
        ? Plan.NOTHING
        : Course.plan(
            ResourceType.NETWORK_CHAOS,
            chaos,
            now,
            () -> choose(chaos, cache),
            (record, all) -> state(chaos, record, all, cache));
  }

  private static List<Experiment.Record> choose(KubeObject chaos, ObjectCache cache) {
    List<Experiment.Record> records = new ArrayList<>();
    for (KubeObject pod : PodSelector.choose(chaos, chaos.at("/spec"), cache)) {
      records.add(
          new Experiment.Record(id(pod), Experiment.Record.SOURCE, Experiment.Phase.NOT_INJECTED));
    }
    JsonNode target = chaos.at("/spec/target");
    if (!records.isEmpty() && target.isObject()) {
      List<KubeObject> others = PodSelector.choose(chaos, target, cache);
      if (others.isEmpty()) {
        return List.of();
      }
      for (KubeObject pod : others) {
        records.add(
            new Experiment.Record(
                id(pod), Experiment.Record.TARGET, Experiment.Phase.NOT_INJECTED));
      }
    }
    return records;
  }

  private Course.State state(
      KubeObject chaos, Experiment.Record record, List<Experiment.Record> all, ObjectCache cache) {
    if (!links.concerns(chaos, record, all, cache)) {
      return Course.State.NOT_CONCERNED;
    }
    int slash = record.id().indexOf('/');
    String namespace = record.id().substring(0, slash);
    String name = record.id().substring(slash + 1);
    KubeObject link = cache.get(ResourceType.POD_NETWORK_CHAOS, namespace, name);
    boolean podExists = cache.get(ResourceType.POD, namespace, name) != null;
    return Course.State.of(link, Experiment.source(chaos), podExists);
  }
}
