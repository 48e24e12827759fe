package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.Owners;
import dev.paramecium.controller.Reconciler;
import dev.paramecium.controller.Write;
import dev.paramecium.syscall.Impairment;
import dev.paramecium.syscall.LinkFault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The spec of a PodNetworkChaos or a NodeNetworkChaos: {@code ipsets}, {@code iptables} and {@code
 * tcs} ({@code api/v1alpha1/podnetworkchaos_types.go} of Chaos Mesh). Written by the controllers,
 * read by the daemon.
 */
final class LinkSpec {

  /** What tc says that a link does, each with its own object of parameters. */
  private static final List<String> NETEM =
      List.of("delay", "loss", "duplicate", "corrupt", "bandwidth");

  private final ArrayNode ipsets = JsonNodeFactory.instance.arrayNode();
  private final ArrayNode iptables = JsonNodeFactory.instance.arrayNode();
  private final ArrayNode tcs = JsonNodeFactory.instance.arrayNode();

  /**
   * Names a set of addresses.
   *
   * @param cidrs empty for any address
   * @return its name; empty for any address
   */
  String ipset(String source, String postfix, List<String> cidrs) {
    if (cidrs.isEmpty()) {
      return "";
    }
    String name = source.replace('/', '_') + "_" + postfix;
    ArrayNode list = ipsets.addObject().put("name", name).put("source", source).putArray("cidrs");
    cidrs.forEach(list::add);
    return name;
  }

  /** Drops; {@code direction} is OUTPUT or INPUT. */
  void iptables(String source, String direction, String ipset, String device) {
    ObjectNode rule =
        iptables
            .addObject()
            .put("name", source.replace('/', '_') + "_" + direction.toLowerCase(Locale.ROOT))
            .put("direction", direction)
            .put("device", device)
            .put("source", source);
    if (!ipset.isEmpty()) {
      rule.putArray("ipsets").add(ipset);
    }
  }

  /** Impairs what leaves. */
  void tc(String source, JsonNode chaos, String ipset, String device) {
    String action = chaos.path("action").asText();
    ObjectNode tc =
        tcs.addObject()
            .put("type", action.equals("bandwidth") ? "bandwidth" : "netem")
            .put("device", device)
            .put("source", source);
    if (!ipset.isEmpty()) {
      tc.put("ipset", ipset);
    }
    for (String part : NETEM) {
      if (chaos.has(part) && (action.equals(part) || action.equals("netem"))) {
        tc.set(part, chaos.path(part).deepCopy());
      }
    }
  }

  boolean isEmpty() {
    return iptables.isEmpty() && tcs.isEmpty();
  }

  /**
   * Writes it down for the daemon of a target's node. An empty one stays until the daemon has seen
   * it: only then the link is as before.
   */
  Reconciler.Plan plan(ResourceType type, KubeObject target, @Nullable KubeObject old) {
    ObjectNode spec = JsonNodeFactory.instance.objectNode();
    spec.set("ipsets", ipsets);
    spec.set("iptables", iptables);
    spec.set("tcs", tcs);
    List<Write> writes = new ArrayList<>();
    if (old == null) {
      if (!isEmpty()) {
        ObjectNode created = JsonNodeFactory.instance.objectNode();
        created.put("apiVersion", type.apiVersion()).put("kind", type.kind());
        ObjectNode metadata = created.putObject("metadata").put("name", target.name());
        if (!target.namespace().isEmpty()) {
          metadata.put("namespace", target.namespace());
        }
        Owners.setController(created, target);
        created.set("spec", spec);
        writes.add(new Write.Create(type, new KubeObject(created)));
      }
    } else if (!Owners.isControlledBy(old, target)) {
      writes.add(new Write.Delete(type, old)); // of a target that had the same name
    } else if (!old.at("/spec").equals(spec)) {
      KubeObject changed = old.copy();
      changed.json().set("spec", spec);
      writes.add(new Write.Update(type, changed));
    } else if (isEmpty()
        && old.at("/status/observedGeneration").asLong(-1)
            == old.at("/metadata/generation").asLong()) {
      writes.add(new Write.Delete(type, old));
    }
    return new Reconciler.Plan(writes, Duration.ZERO);
  }

  // ---- reading

  /**
   * The faults that a spec asks of a link.
   *
   * @throws IllegalArgumentException with the value and the rule, for what no controller writes
   */
  static List<LinkFault> faults(JsonNode spec) {
    List<LinkFault> faults = new ArrayList<>();
    for (JsonNode rule : spec.path("iptables")) {
      List<Ipv4Prefix> peers = new ArrayList<>();
      rule.path("ipsets").forEach(name -> peers.addAll(cidrs(spec, name.asText())));
      faults.add(
          new LinkFault(
              rule.path("source").asText(),
              rule.path("direction").asText().equals("INPUT")
                  ? LinkFault.Way.INGRESS
                  : LinkFault.Way.EGRESS,
              peers,
              new Impairment.Drop()));
    }
    for (JsonNode tc : spec.path("tcs")) {
      List<Ipv4Prefix> peers = tc.has("ipset") ? cidrs(spec, tc.path("ipset").asText()) : List.of();
      for (Impairment impairment : impairments(tc)) {
        faults.add(
            new LinkFault(tc.path("source").asText(), LinkFault.Way.EGRESS, peers, impairment));
      }
    }
    return faults;
  }

  private static List<Ipv4Prefix> cidrs(JsonNode spec, String name) {
    List<Ipv4Prefix> prefixes = new ArrayList<>();
    for (JsonNode set : spec.path("ipsets")) {
      if (set.path("name").asText().equals(name)) {
        set.path("cidrs").forEach(cidr -> prefixes.add(Ipv4Prefix.parse(cidr.asText())));
      }
    }
    if (prefixes.isEmpty()) {
      throw new IllegalArgumentException(
          "ipset \"" + name + "\" holds no address: list it in spec.ipsets");
    }
    return prefixes;
  }

  /** netem first, then the bandwidth. */
  private static List<Impairment> impairments(JsonNode tc) {
    Impairment.Netem netem = Impairment.Netem.NONE;
    JsonNode delay = tc.path("delay");
    if (!delay.isMissingNode()) {
      netem =
          netem.withDelay(
              Quantities.nanos(delay.path("latency").asText("0")),
              Quantities.nanos(delay.path("jitter").asText("0")),
              Quantities.percent(delay.path("correlation").asText("0")));
      JsonNode reorder = delay.path("reorder");
      if (!reorder.isMissingNode()) {
        netem = netem.withReorder(chance(reorder, "reorder"), reorder.path("gap").asInt());
      }
    }
    netem =
        netem
            .withLoss(chance(tc.path("loss"), "loss"))
            .withDuplicate(chance(tc.path("duplicate"), "duplicate"))
            .withCorrupt(chance(tc.path("corrupt"), "corrupt"));
    List<Impairment> impairments = new ArrayList<>();
    if (!netem.equals(Impairment.Netem.NONE)) {
      impairments.add(netem);
    }
    JsonNode bandwidth = tc.path("bandwidth");
    if (!bandwidth.isMissingNode()) {
      impairments.add(
          new Impairment.Tbf(
              Quantities.bytesPerSecond(bandwidth.path("rate").asText()),
              bandwidth.path("limit").asLong(),
              bandwidth.path("buffer").asLong(),
              bandwidth.path("peakrate").asLong(),
              bandwidth.path("minburst").asLong()));
    }
    return impairments;
  }

  private static Impairment.Chance chance(JsonNode part, String field) {
    return part.isMissingNode()
        ? Impairment.Chance.NEVER
        : new Impairment.Chance(
            Quantities.percent(part.path(field).asText("0")),
            Quantities.percent(part.path("correlation").asText("0")));
  }
}
