package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.api.KubeObject;
import dev.paramecium.chaos.Cron;
import dev.paramecium.chaos.Quantities;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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

  private static final List<String> COUNTED =
      List.of("fixed", "fixed-percent", "random-max-percent");
  private static final List<String> PARTS =
      List.of("delay", "loss", "duplicate", "corrupt", "bandwidth");

  private ChaosKinds() {}

  static List<ServedKind> all() {
    List<ObjectNode> definitions = new ArrayList<>();
    for (String file : List.of("chaos.crds.yaml", "schedule.crd.yaml")) {
      for (JsonNode definition : YamlText.parseAll(text(FOLDER + file))) {
        definitions.add((ObjectNode) definition);
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

  private static String text(String resource) {
    try (InputStream in = ChaosKinds.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException(resource + " is not in the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
        default -> nodes(violations, at, spec);
      }
    }

    private static void pod(Violations violations, String at, JsonNode spec) {
      if (spec.path("action").asText().equals("container-kill")
          && spec.path("containerNames").isEmpty()) {
        violations.required(at + ".containerNames", "container-kill needs to know which");
      }
    }

    private static void nodes(Violations violations, String at, JsonNode spec) {
      Set<JsonNode> seen = new HashSet<>();
      for (String side : List.of("nodes", "peers")) {
        int i = 0;
        for (JsonNode node : spec.path(side)) {
          if (!seen.add(node)) {
            violations.invalid(
                at + "." + side + "[" + i + "]", node, "a node can be named only once");
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
