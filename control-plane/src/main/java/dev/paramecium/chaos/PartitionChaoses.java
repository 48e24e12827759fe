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
 * PartitionChaos: nodes that do not hear each other over the underlay. Without {@code peers} the
 * nodes are cut off from all others.
 */
public final class PartitionChaoses implements Reconciler {

  private final NodeNetworkChaoses links;

  PartitionChaoses(NodeNetworkChaoses links) {
    this.links = links;
  }

  @Override
  public String name() {
    return "partitionchaos-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(
        ResourceType.PARTITION_CHAOS, ResourceType.NODE, ResourceType.NODE_NETWORK_CHAOS);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    if (changed.kind().equals("PartitionChaos")) {
      return List.of(Key.of(changed));
    }
    return cache.all(ResourceType.PARTITION_CHAOS).stream().map(Key::of).toList();
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject chaos = cache.get(ResourceType.PARTITION_CHAOS, "", key.name());
    return chaos == null
        ? Plan.NOTHING
        : Course.plan(
            ResourceType.PARTITION_CHAOS,
            chaos,
            now,
            () -> choose(chaos, cache),
            (record, all) ->
                !isOfUnderlay(chaos)
                    ? record.isInjected() ? Course.State.INJECTED : Course.State.RECOVERED
                    : !links.concerns(chaos, record, all, cache)
                        ? Course.State.NOT_CONCERNED
                        : Course.State.of(
                            cache.get(ResourceType.NODE_NETWORK_CHAOS, "", record.id()),
                            Experiment.source(chaos),
                            cache.get(ResourceType.NODE, "", record.id()) != null));
  }

  /** Otherwise the links are the cluster's, and {@link ClusterLinkFaults} cuts them. */
  static boolean isOfUnderlay(KubeObject chaos) {
    return !chaos.text("/spec/links").equals("cluster");
  }

  /** Both sides, as soon as every node that is named exists. */
  private static List<Experiment.Record> choose(KubeObject chaos, ObjectCache cache) {
    List<String> sources = texts(chaos.at("/spec/nodes"));
    if (!isOfUnderlay(chaos)) {
      return sources.stream().allMatch(node -> cache.get(ResourceType.NODE, "", node) != null)
          ? sources.stream()
              .map(node -> Experiment.Record.chosen(node, "", Warden.CONTROL_PLANE))
              .toList()
          : List.of();
    }
    List<String> targets = new ArrayList<>(texts(chaos.at("/spec/peers")));
    if (targets.isEmpty()) {
      for (KubeObject node : cache.all(ResourceType.NODE)) {
        if (!sources.contains(node.name())) {
          targets.add(node.name());
        }
      }
    }
    List<Experiment.Record> records = new ArrayList<>();
    add(records, sources, Experiment.Record.SOURCE);
    add(records, targets, Experiment.Record.TARGET);
    boolean allExist =
        records.stream().allMatch(r -> cache.get(ResourceType.NODE, "", r.id()) != null);
    return allExist && !targets.isEmpty() ? records : List.of();
  }

  private static void add(List<Experiment.Record> records, List<String> nodes, String side) {
    for (String node : nodes) {
      records.add(new Experiment.Record(node, side, Experiment.Phase.NOT_INJECTED));
    }
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(element -> texts.add(element.asText()));
    return texts;
  }
}
