package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Reconciler;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What each node's eth0 has to do for all PartitionChaos that run: one NodeNetworkChaos a node, of
 * its name.
 */
public final class NodeNetworkChaoses implements Reconciler {

  private static final String DEVICE = "eth0";

  @Override
  public String name() {
    return "nodenetworkchaos-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(
        ResourceType.NODE, ResourceType.PARTITION_CHAOS, ResourceType.NODE_NETWORK_CHAOS);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return switch (changed.kind()) {
      case "PartitionChaos" -> targets(changed);
      case "Node" -> {
        // Its address stands in the sets of those on the other side.
        Set<Key> keys = new LinkedHashSet<>(List.of(Key.of(changed)));
        for (KubeObject chaos : cache.all(ResourceType.PARTITION_CHAOS)) {
          List<Key> targets = targets(chaos);
          if (targets.contains(Key.of(changed))) {
            keys.addAll(targets);
          }
        }
        yield keys;
      }
      default -> List.of(Key.of(changed));
    };
  }

  private static List<Key> targets(KubeObject chaos) {
    return new Experiment(chaos).records().stream().map(r -> new Key("", r.id())).toList();
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject node = cache.get(ResourceType.NODE, "", key.name());
    if (node == null) {
      return Plan.NOTHING; // what it owned is collected
    }
    LinkSpec spec = new LinkSpec();
    for (KubeObject chaos : cache.all(ResourceType.PARTITION_CHAOS)) {
      Experiment experiment = new Experiment(chaos);
      if (experiment.runs() && PartitionChaoses.isOfUnderlay(chaos)) {
        for (Experiment.Record record : experiment.records()) {
          if (record.id().equals(node.name())) {
            add(spec, chaos, record, experiment.records(), cache);
          }
        }
      }
    }
    return spec.plan(
        ResourceType.NODE_NETWORK_CHAOS,
        node,
        cache.get(ResourceType.NODE_NETWORK_CHAOS, "", key.name()));
  }

  /** Whether the link of one of its targets has anything to do. */
  static boolean concerns(
      KubeObject chaos,
      Experiment.Record record,
      List<Experiment.Record> records,
      ObjectCache cache) {
    LinkSpec spec = new LinkSpec();
    add(spec, chaos, record, records, cache);
    return !spec.isEmpty();
  }

  private static void add(
      LinkSpec spec,
      KubeObject chaos,
      Experiment.Record record,
      List<Experiment.Record> records,
      ObjectCache cache) {
    TreeSet<String> peers = new TreeSet<>();
    for (Experiment.Record other : records) {
      KubeObject node = cache.get(ResourceType.NODE, "", other.id());
      if (node != null
          && !address(node).isEmpty()
          && !other.selectorKey().equals(record.selectorKey())) {
        peers.add(address(node) + "/32");
      }
    }
    if (peers.isEmpty()) {
      return;
    }
    boolean isSource = record.selectorKey().equals(Experiment.Record.SOURCE);
    String direction = chaos.at("/spec/direction").asText("both");
    String source = Experiment.source(chaos);
    String ipset = spec.ipset(source, isSource ? "tgt" : "src", List.copyOf(peers));
    if (!direction.equals(isSource ? "from" : "to")) {
      spec.iptables(source, "OUTPUT", ipset, DEVICE);
    }
    if (!direction.equals(isSource ? "to" : "from")) {
      spec.iptables(source, "INPUT", ipset, DEVICE);
    }
  }

  /** Its InternalIP; empty if it has none. */
  static String address(KubeObject node) {
    for (JsonNode address : node.at("/status/addresses")) {
      if (address.path("type").asText().equals("InternalIP")) {
        return address.path("address").asText();
      }
    }
    return "";
  }
}
