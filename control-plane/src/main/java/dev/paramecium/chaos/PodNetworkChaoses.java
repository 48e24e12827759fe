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
public final class PodNetworkChaoses implements Reconciler {

  private static final String DEVICE = "eth0";

  @Override
  public String name() {
    return "podnetworkchaos-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.POD, ResourceType.NETWORK_CHAOS, ResourceType.POD_NETWORK_CHAOS);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return switch (changed.kind()) {
      case "NetworkChaos" -> targets(changed);
      case "Pod" -> {
        // Its address stands in the sets of those on the other side.
        Set<Key> keys = new LinkedHashSet<>(List.of(Key.of(changed)));
        for (KubeObject chaos : cache.all(ResourceType.NETWORK_CHAOS)) {
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
    return new Experiment(chaos)
        .records().stream()
            .map(record -> record.id().split("/", 2))
            .map(id -> new Key(id[0], id[1]))
            .toList();
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject pod = cache.get(ResourceType.POD, key.namespace(), key.name());
    if (pod == null) {
      return Plan.NOTHING; // what it owned is collected
    }
    KubeObject old = cache.get(ResourceType.POD_NETWORK_CHAOS, key.namespace(), key.name());
    LinkSpec spec = new LinkSpec();
    for (KubeObject chaos : cache.all(ResourceType.NETWORK_CHAOS)) {
      Experiment experiment = new Experiment(chaos);
      if (experiment.runs()) {
        for (Experiment.Record record : experiment.records()) {
          if (record.id().equals(NetworkChaoses.id(pod))) {
            add(spec, chaos, record, experiment.records(), cache);
          }
        }
      }
    }
    return spec.plan(ResourceType.POD_NETWORK_CHAOS, pod, old);
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
