package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import java.util.List;
import java.util.TreeSet;

/**
 * What each node's eth0 has to do for all PartitionChaos that run: one NodeNetworkChaos a node, of
 * its name.
 */
public final class NodeNetworkChaoses extends LinkChaoses {

  NodeNetworkChaoses() {
    super(ResourceType.NODE, ResourceType.PARTITION_CHAOS, ResourceType.NODE_NETWORK_CHAOS);
  }

  @Override
  Key owner(Experiment.Record record) {
    return new Key("", record.id());
  }

  @Override
  boolean isMine(KubeObject chaos) {
    return PartitionChaoses.isOfUnderlay(chaos);
  }

  @Override
  void add(
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
