package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What each pod's link has to do for all NetworkChaos that run: one PodNetworkChaos a pod, of its
 * name ({@code controllers/chaosimpl/networkchaos} of Chaos Mesh).
 *
 * <pre>
 *   direction   a source's link             a target's link
 *   to          egress to the targets       partition: ingress from the sources
 *   from        partition: ingress from …   egress to the sources
 *   both        both                        both
 * </pre>
 */
public final class PodNetworkChaoses extends LinkChaoses {

  public PodNetworkChaoses() {
    super(ResourceType.POD, ResourceType.NETWORK_CHAOS, ResourceType.POD_NETWORK_CHAOS);
  }

  @Override
  Key owner(Experiment.Record record) {
    String[] id = record.id().split("/", 2);
    return new Key(id[0], id[1]);
  }

  @Override
  void add(
      LinkSpec spec,
      KubeObject chaos,
      Experiment.Record record,
      List<Experiment.Record> records,
      ObjectCache cache) {
    boolean isSource = record.selectorKey().equals(Experiment.Record.SOURCE);
    List<String> peers = peers(chaos, isSource, records, cache);
    if (peers == null) {
      return;
    }
    String direction = chaos.at("/spec/direction").asText("to");
    boolean outwards = !direction.equals(isSource ? "from" : "to");
    boolean inwards = !direction.equals(isSource ? "to" : "from");
    String source = Experiment.source(chaos);
    String ipset = spec.ipset(source, isSource ? "tgt" : "src", peers);
    if (chaos.text("/spec/action").equals("partition")) {
      if (outwards) {
        spec.iptables(source, "OUTPUT", ipset, DEVICE);
      }
      if (inwards) {
        spec.iptables(source, "INPUT", ipset, DEVICE);
      }
    } else if (outwards) {
      spec.tc(source, chaos.at("/spec"), ipset, DEVICE);
    }
  }

  /** The other side's addresses; empty for everyone, null if there is nobody on it. */
  private static @Nullable List<String> peers(
      KubeObject chaos, boolean isSource, List<Experiment.Record> records, ObjectCache cache) {
    TreeSet<String> peers = new TreeSet<>();
    String other = isSource ? Experiment.Record.TARGET : Experiment.Record.SOURCE;
    for (Experiment.Record record : records) {
      if (record.selectorKey().equals(other)) {
        String[] id = record.id().split("/", 2);
        KubeObject pod = cache.get(ResourceType.POD, id[0], id[1]);
        if (pod != null && !pod.text("/status/podIP").isEmpty()) {
          peers.add(pod.text("/status/podIP") + "/32");
        }
      }
    }
    boolean everyone = isSource && !chaos.at("/spec/target").isObject();
    if (isSource) {
      for (JsonNode external : chaos.at("/spec/externalTargets")) {
        String text = external.asText();
        peers.add(text.contains("/") ? text : text + "/32");
        everyone = false;
      }
    }
    return peers.isEmpty() && !everyone ? null : List.copyOf(peers);
  }
}
