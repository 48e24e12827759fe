package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MapNames;
import dev.paramecium.api.BundledObjects;
import dev.paramecium.api.KubeObject;
import dev.paramecium.chaos.Cron;
import dev.paramecium.chaos.Quantities;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The kinds of failure experiments: built in, and described as CustomResourceDefinitions, which
 * they are where Chaos Mesh is installed. Beyond their schemas, what Chaos Mesh's webhooks refuse
 * is refused here.
 */
final class ChaosKinds {

  private static final String FOLDER = "/dev/paramecium/apiserver/";

  /** The kinds that a Schedule makes, and where it has their specs. */
  private static final Map<String, String> SCHEDULED =
      Map.of("NetworkChaos", "networkChaos", "PodChaos", "podChaos");

  private static final List<String> WRITTEN_BY_AGENT =
      List.of(
          MapNames.IPCACHE,
          MapNames.LXC,
          MapNames.TUNNEL,
          MapNames.LB4_SERVICES,
          MapNames.LB4_BACKENDS,
          MapNames.LB4_REVERSE_NAT,
          MapNames.LB4_SOURCE_RANGE,
          MapNames.LB_AFFINITY_MATCH);
  private static final List<String> WRITTEN_BY_PROGRAMS =
      List.of(
          MapNames.CT4_GLOBAL,
          MapNames.CT_ANY4_GLOBAL,
          MapNames.LB4_AFFINITY,
          MapNames.LB4_REVERSE_SK,
          MapNames.SNAT_V4_EXTERNAL,
          MapNames.NODEPORT_NEIGH4);

  /** A system call that takes longer is taken for lost. */
  private static final long LONGEST_DELAY = 8_000_000_000L;

  private static final List<String> COUNTED =
      List.of("fixed", "fixed-percent", "random-max-percent");
  private static final List<String> PARTS =
      List.of("delay", "loss", "duplicate", "corrupt", "bandwidth");

  private ChaosKinds() {}

  static List<ServedKind> all() {
    List<ObjectNode> definitions = new ArrayList<>();
    for (String file :
        List.of("chaos.crds.yaml", "chaos-processes.crds.yaml", "schedule.crd.yaml")) {
      for (KubeObject definition : BundledObjects.read(ChaosKinds.class, FOLDER + file)) {
        definitions.add(definition.json());
      }
    }
    definitions.forEach(definition -> putScheduled(definition, definitions));
    List<ServedKind> kinds = new ArrayList<>();
    for (ObjectNode definition : definitions) {
      for (ServedKind kind : CustomKinds.of(new KubeObject(definition))) {
        kinds.add(kind.withRules(new Rules(kind.rules())));
      }
    }
    return kinds;
  }

  /** A Schedule has the specs of the kinds that it makes. */
  private static void putScheduled(ObjectNode definition, List<ObjectNode> all) {
    if (definition.at("/spec/names/kind").asText().equals("Schedule")) {
      ObjectNode properties = properties(definition).withObject("/spec").withObject("/properties");
      for (ObjectNode other : all) {
        String kind = other.at("/spec/names/kind").asText();
        if (SCHEDULED.containsKey(kind)) {
          properties.set(SCHEDULED.get(kind), properties(other).path("spec").deepCopy());
        }
      }
    }
  }

  private static ObjectNode properties(ObjectNode definition) {
    return (ObjectNode) definition.at("/spec/versions/0/schema/openAPIV3Schema/properties");
  }

  /** The schema's rules, then those that a schema cannot say. */
  private record Rules(ServedKind.Rules schema) implements ServedKind.Rules {

    @Override
    public void setDefaults(ObjectNode object) {
      schema.setDefaults(object);
    }

    @Override
    public void validate(KubeObject object, Violations violations) {
      schema.validate(object, violations);
      JsonNode spec = object.at("/spec");
      if (object.kind().equals("Schedule")) {
        schedule(violations, spec);
      } else {
        experiment(violations, "spec", object.kind(), spec);
      }
    }

    private static void schedule(Violations violations, JsonNode spec) {
      check(violations, "spec.schedule", spec.path("schedule"), Cron::parse);
      String type = spec.path("type").asText();
      String field = SCHEDULED.getOrDefault(type, "");
      for (String other : SCHEDULED.values()) {
        if (other.equals(field) && !spec.path(other).isObject()) {
          violations.required("spec." + other, "type " + type + " needs it");
        } else if (!other.equals(field) && spec.has(other)) {
          violations.forbidden("spec." + other, "the type is " + type + ": leave it out");
        }
      }
      if (spec.path(field).isObject()) {
        experiment(violations, "spec." + field, type, spec.path(field));
      }
    }

    /**
     * @param at where the experiment's spec stands
     */
    private static void experiment(Violations violations, String at, String kind, JsonNode spec) {
      check(violations, at + ".duration", spec.path("duration"), Quantities::nanos);
      mode(violations, at, spec);
      mode(violations, at + ".target", spec.path("target"));
      switch (kind) {
        case "NetworkChaos" -> network(violations, at, spec);
        case "PodChaos" -> pod(violations, at, spec);
        case "NodeChaos" -> node(violations, spec);
        case "MapChaos" -> map(violations, spec);
        case "ControlPlaneChaos" -> controlPlane(violations, spec);
        case "PartitionChaos" -> partition(violations, spec);
        default -> {}
      }
    }

    private static void pod(Violations violations, String at, JsonNode spec) {
      if (spec.path("action").asText().equals("container-kill")
          && spec.path("containerNames").isEmpty()) {
        violations.required(at + ".containerNames", "container-kill needs to know which");
      }
    }

    private static void node(Violations violations, JsonNode spec) {
      nodes(violations, spec);
      String action = spec.path("action").asText();
      if (action.endsWith("restart") && spec.has("duration")) {
        violations.forbidden(
            "spec.duration", action + " takes as long as it takes: leave it out, or use crash");
      }
    }

    private static void map(Violations violations, JsonNode spec) {
      nodes(violations, spec);
      String map = spec.path("map").asText();
      String action = spec.path("action").asText();
      boolean known = WRITTEN_BY_AGENT.contains(map) || map.matches("cilium_policy_([0-9]{5}|\\*)");
      boolean filled = action.equals("full") && WRITTEN_BY_PROGRAMS.contains(map);
      if (spec.has("map") && !known && !filled) {
        violations.invalid(
            "spec.map",
            map,
            WRITTEN_BY_PROGRAMS.contains(map)
                ? "programs write it, not the agent: only action full acts on it"
                : "must be cilium_policy_*, or one of " + String.join(", ", WRITTEN_BY_AGENT));
      }
      for (String field : List.of("percent", "delay")) {
        String of = field.equals("delay") ? "stale" : "lost";
        if (spec.has(field) && !action.equals(of)) {
          violations.forbidden("spec." + field, "only action " + of + " has it: leave it out");
        }
      }
      check(violations, "spec.percent", spec.path("percent"), Quantities::percent);
      check(
          violations,
          "spec.delay",
          spec.path("delay"),
          text ->
              between(
                  text,
                  1_000_000,
                  LONGEST_DELAY,
                  "must be from 1ms to 8s: without it the" + " map is frozen"));
    }

    private static void controlPlane(Violations violations, JsonNode spec) {
      check(
          violations,
          "spec.duration",
          spec.path("duration"),
          text -> between(text, 1_000_000_000, Long.MAX_VALUE, "must be 1s or more"));
      if (spec.has("delay") && !spec.path("action").asText().equals("slow-journal")) {
        violations.forbidden("spec.delay", "only action slow-journal has it: leave it out");
      }
      check(
          violations,
          "spec.delay",
          spec.path("delay"),
          text -> between(text, 1_000_000, 5_000_000_000L, "must be from 1ms to 5s"));
    }

    private static void between(String text, long min, long max, String rule) {
      long nanos = Quantities.nanos(text);
      if (nanos < min || nanos > max) {
        throw new IllegalArgumentException(rule);
      }
    }

    private static void partition(Violations violations, JsonNode spec) {
      nodes(violations, spec);
      boolean cluster = spec.path("links").asText().equals("cluster");
      if (cluster && !spec.path("direction").asText("both").equals("both")) {
        violations.invalid(
            "spec.direction",
            spec.path("direction"),
            "cluster links are cut both ways or not at all: use both, or links underlay");
      }
      if (cluster && spec.has("peers")) {
        violations.forbidden(
            "spec.peers",
            "the other side of a cluster link is the control plane: leave it out, or use links"
                + " underlay");
      }
    }

    private static void nodes(Violations violations, JsonNode spec) {
      Set<JsonNode> seen = new HashSet<>();
      for (String side : List.of("nodes", "peers")) {
        int i = 0;
        for (JsonNode node : spec.path(side)) {
          if (!seen.add(node)) {
            violations.invalid(
                "spec." + side + "[" + i + "]", node, "a node can be named only once");
          }
          i++;
        }
      }
    }

    /** An experiment is what it was when it chose its targets. */
    @Override
    public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
      schema.validateUpdate(old, now, violations);
      if (now.at("/spec").has("selector") || now.at("/spec").has("nodes")) {
        if (!old.at("/spec").equals(now.at("/spec"))) {
          violations.forbidden(
              "spec", "an experiment is not changed: delete it and apply the new one");
        }
      }
    }

    private static void mode(Violations violations, String at, JsonNode part) {
      String mode = part.path("mode").asText();
      if (!COUNTED.contains(mode)) {
        return;
      }
      String value = part.path("value").asText();
      int max = mode.equals("fixed") ? Integer.MAX_VALUE : 100;
      if (!value.matches("[0-9]{1,9}")
          || Integer.parseInt(value) < 1
          || Integer.parseInt(value) > max) {
        violations.invalid(
            at + ".value",
            value,
            "mode " + mode + " needs a whole number " + (max == 100 ? "from 1 to 100" : "above 0"));
      }
    }

    private static void network(Violations violations, String at, JsonNode spec) {
      String action = spec.path("action").asText();
      if (PARTS.contains(action) && !spec.has(action)) {
        violations.required(at + "." + action, "action " + action + " needs it");
      }
      if (action.equals("netem") && PARTS.stream().noneMatch(spec::has)) {
        violations.required(at, "action netem needs one of " + String.join(", ", PARTS));
      }
      JsonNode delay = spec.path("delay");
      check(violations, at + ".delay.latency", delay.path("latency"), Quantities::nanos);
      check(violations, at + ".delay.jitter", delay.path("jitter"), Quantities::nanos);
      percents(violations, at + ".delay", delay, "");
      percents(violations, at + ".delay.reorder", delay.path("reorder"), "reorder");
      for (String part : List.of("loss", "duplicate", "corrupt")) {
        percents(violations, at + "." + part, spec.path(part), part);
      }
      check(
          violations,
          at + ".bandwidth.rate",
          spec.path("bandwidth").path("rate"),
          Quantities::bytesPerSecond);
      peak(violations, at + ".bandwidth", spec.path("bandwidth"));
      String direction = spec.path("direction").asText();
      if (direction.equals("from")
          && !action.equals("partition")
          && spec.path("action").isTextual()
          && !spec.path("target").isObject()) {
        violations.required(
            at + ".target", "direction from impairs what a target sends: say who that is");
      }
      int i = 0;
      for (JsonNode external : spec.path("externalTargets")) {
        check(
            violations,
            at + ".externalTargets[" + i++ + "]",
            external,
            text -> Ipv4Prefix.parse(text.contains("/") ? text : text + "/32"));
      }
    }

    private static void peak(Violations violations, String at, JsonNode bandwidth) {
      long peak = bandwidth.path("peakrate").asLong();
      long rate;
      try {
        rate = Quantities.bytesPerSecond(bandwidth.path("rate").asText());
      } catch (IllegalArgumentException _) {
        return; // said before
      }
      if (peak > 0 && peak <= rate) {
        violations.invalid(
            at + ".peakrate",
            bandwidth.path("peakrate"),
            "must be above the rate, which is " + rate + " bytes a second");
      } else if (peak > 0 && bandwidth.path("minburst").asLong() < 1) {
        violations.required(at + ".minburst", "peakrate needs it: bytes, at least a packet's");
      }
    }

    private static void percents(Violations violations, String at, JsonNode part, String field) {
      check(violations, at + ".correlation", part.path("correlation"), Quantities::percent);
      if (!field.isEmpty()) {
        check(violations, at + "." + field, part.path(field), Quantities::percent);
      }
    }

    private static void check(
        Violations violations, String field, JsonNode value, Consumer<String> parse) {
      if (value.isTextual()) {
        try {
          parse.accept(value.asText());
        } catch (IllegalArgumentException e) {
          violations.invalid(field, value, String.valueOf(e.getMessage()));
        }
      }
    }
  }
}
