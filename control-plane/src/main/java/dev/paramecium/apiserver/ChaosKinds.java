package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.api.KubeObject;
import dev.paramecium.chaos.Quantities;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The kinds of failure experiments: built in, and described as CustomResourceDefinitions, which
 * they are where Chaos Mesh is installed. Beyond their schemas, what Chaos Mesh's webhooks refuse
 * is refused here.
 */
final class ChaosKinds {

  private static final String DEFINITIONS = "/dev/paramecium/apiserver/chaos.crds.yaml";
  private static final List<String> COUNTED =
      List.of("fixed", "fixed-percent", "random-max-percent");
  private static final List<String> PARTS =
      List.of("delay", "loss", "duplicate", "corrupt", "bandwidth");

  private ChaosKinds() {}

  static List<ServedKind> all() {
    List<ServedKind> kinds = new ArrayList<>();
    for (JsonNode definition : YamlText.parseAll(definitions())) {
      for (ServedKind kind : CustomKinds.of(new KubeObject((ObjectNode) definition))) {
        kinds.add(kind.withRules(new Rules(kind.rules())));
      }
    }
    return kinds;
  }

  private static String definitions() {
    try (InputStream in = ChaosKinds.class.getResourceAsStream(DEFINITIONS)) {
      if (in == null) {
        throw new IllegalStateException(DEFINITIONS + " is not in the jar");
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
      check(violations, "spec.duration", spec.path("duration"), Quantities::nanos);
      mode(violations, "spec", spec);
      mode(violations, "spec.target", spec.path("target"));
      network(violations, spec);
      for (JsonNode peer : spec.path("peers")) {
        for (JsonNode node : spec.path("nodes")) {
          if (node.equals(peer)) {
            violations.invalid("spec.peers", peer, "a node cannot be on both sides");
          }
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

    private static void network(Violations violations, JsonNode spec) {
      String action = spec.path("action").asText();
      if (PARTS.contains(action) && !spec.has(action)) {
        violations.required("spec." + action, "action " + action + " needs it");
      }
      if (action.equals("netem") && PARTS.stream().noneMatch(spec::has)) {
        violations.required("spec", "action netem needs one of " + String.join(", ", PARTS));
      }
      JsonNode delay = spec.path("delay");
      check(violations, "spec.delay.latency", delay.path("latency"), Quantities::nanos);
      check(violations, "spec.delay.jitter", delay.path("jitter"), Quantities::nanos);
      percents(violations, "spec.delay", delay, "");
      percents(violations, "spec.delay.reorder", delay.path("reorder"), "reorder");
      for (String part : List.of("loss", "duplicate", "corrupt")) {
        percents(violations, "spec." + part, spec.path(part), part);
      }
      check(
          violations,
          "spec.bandwidth.rate",
          spec.path("bandwidth").path("rate"),
          Quantities::bytesPerSecond);
      String direction = spec.path("direction").asText();
      if (direction.equals("from")
          && !action.equals("partition")
          && spec.path("action").isTextual()
          && !spec.path("target").isObject()) {
        violations.required(
            "spec.target", "direction from impairs what a target sends: say who that is");
      }
      int i = 0;
      for (JsonNode external : spec.path("externalTargets")) {
        check(
            violations,
            "spec.externalTargets[" + i++ + "]",
            external,
            text -> Ipv4Prefix.parse(text.contains("/") ? text : text + "/32"));
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
