package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.chaos.Quantities;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.cluster.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * An experiment as its file describes it.
 *
 * @param mirrors the upstream issue whose failure it repeats; empty if none
 * @param propagation how long a change may take to be in force everywhere
 * @param duration how long the workload runs
 * @param limit how long the whole run may take
 * @param expected what must have been seen, beside that nothing was violated
 */
public record ExperimentFile(
    String source,
    String name,
    String mirrors,
    int nodes,
    Topology.Options options,
    Duration propagation,
    Duration duration,
    Duration limit,
    List<ObjectNode> setup,
    List<Flow> flows,
    List<Flow> churn,
    @Nullable PolicyChurn policyChurn,
    int writers,
    List<Fault> faults,
    List<Expected> expected) {

  private static final String API_VERSION = "paramecium.dev/v1alpha1";
  private static final String KIND = "ChaosExperiment";
  private static final int MOST_NODES = 20;

  /**
   * A pod that asks another again and again, and writes down each answer.
   *
   * @param to {@code namespace/pod}, made by the setup
   * @param via the Service in front of that pod, which is asked instead; empty for the pod itself
   * @param every between its requests; for a churned one, between two pods
   * @param lifetime of a churned pod; zero for the whole run
   */
  public record Flow(
      String name,
      String namespace,
      Map<String, String> labels,
      String node,
      String to,
      String via,
      int port,
      String protocol,
      Duration every,
      Duration lifetime) {}

  /** Policies of which one is applied, or taken away again, each time. */
  public record PolicyChurn(Duration every, List<ObjectNode> policies) {}

  /**
   * An object that is applied at a time and deleted later.
   *
   * @param at since the workload began
   * @param lasts until it is deleted
   * @param excuses what may go wrong meanwhile: {@code denied}, that something is denied which
   *     should pass; {@code delivered}, the reverse
   */
  public record Fault(Duration at, Duration lasts, ObjectNode object, Set<String> excuses) {}

  /**
   * @param flow its name, or a churned one's
   * @param result {@code denied} or {@code allowed}
   */
  public record Expected(String flow, String result) {}

  /** The same with other faults, and a workload of another length. */
  ExperimentFile with(List<Fault> others, Duration length) {
    return new ExperimentFile(
        source,
        name,
        mirrors,
        nodes,
        options,
        propagation,
        length,
        limit,
        setup,
        flows,
        churn,
        policyChurn,
        writers,
        List.copyOf(others),
        expected);
  }

  /** Its faults and how long it runs, for people. */
  public String summary() {
    StringBuilder out = new StringBuilder();
    out.append("a workload of %.1f s".formatted(duration.toMillis() / 1000.0));
    for (Fault fault : faults) {
      out.append(
          "; from %.1f s, for %.1f s: %s %s %s"
              .formatted(
                  fault.at().toMillis() / 1000.0,
                  fault.lasts().toMillis() / 1000.0,
                  fault.object().path("kind").asText(),
                  fault.object().at("/metadata/name").asText(),
                  fault.object().path("spec")));
    }
    return faults.isEmpty() ? out + " without a fault" : out.toString();
  }

  /** The ports that flows ask for, such as {@code 80/TCP}. */
  Set<String> ports() {
    Set<String> ports = new TreeSet<>();
    for (List<Flow> list : List.of(flows, churn)) {
      list.forEach(flow -> ports.add(flow.port() + "/" + flow.protocol()));
    }
    return ports;
  }

  /**
   * Reads one.
   *
   * @param seed what is drawn by chance follows from it
   * @param brief whether what its field {@code short} says counts
   * @throws UserError naming the field, the value and the rule
   */
  public static ExperimentFile read(String source, long seed, boolean brief) {
    List<ObjectNode> documents = Manifests.read(source);
    if (documents.size() != 1) {
      throw new UserError(
          UserError.USAGE,
          source + " holds " + documents.size() + " documents: write one experiment a file.");
    }
    return new Reader(source).read(documents.getFirst(), new Random(seed), brief);
  }

  private record Reader(String source) {

    ExperimentFile read(ObjectNode written, Random random, boolean brief) {
      ObjectNode file = brief ? shortened(written) : written;
      only(
          file,
          "",
          Set.of(
              "apiVersion",
              "kind",
              "metadata",
              "mirrors",
              "nodes",
              "options",
              "propagation",
              "duration",
              "timeLimit",
              "setup",
              "workload",
              "faults",
              "random",
              "expect",
              "short"));
      if (!file.path("apiVersion").asText().equals(API_VERSION)
          || !file.path("kind").asText().equals(KIND)) {
        throw wrong("kind", "must be " + KIND + " of " + API_VERSION);
      }
      int nodes = file.path("nodes").asInt(2);
      if (nodes < 1 || nodes > MOST_NODES) {
        throw wrong("nodes", "is " + nodes + ": use 1 to " + MOST_NODES);
      }
      Map<String, String> options = new HashMap<>();
      file.path("options")
          .properties()
          .forEach(o -> options.put(o.getKey(), o.getValue().asText()));
      ObjectNode none = file.objectNode();
      JsonNode workload = file.has("workload") ? file.path("workload") : none;
      only(workload, "workload", Set.of("flows", "podChurn", "policyChurn", "writers"));
      Duration duration = time(file, "", "duration", "20s");
      List<Flow> flows = flows(workload, "flows");
      List<Flow> churn = flows(workload, "podChurn");
      List<Fault> faults = faults(file, duration, random);
      faults.addAll(drawn(file.path("random"), duration, random));
      List<Expected> expected = new ArrayList<>();
      int i = 0;
      for (JsonNode item : file.path("expect")) {
        String at = "expect[" + i++ + "]";
        only(item, at, Set.of("flow", "result"));
        String flow = text(item, at, "flow");
        String result = text(item, at, "result");
        if (flows.stream().noneMatch(f -> f.name().equals(flow))
            && churn.stream().noneMatch(f -> f.name().equals(flow))) {
          throw wrong(at + ".flow", "is \"" + flow + "\", which workload does not have");
        }
        if (!Set.of("allowed", "denied").contains(result)) {
          throw wrong(at + ".result", "is \"" + result + "\": use allowed or denied");
        }
        expected.add(new Expected(flow, result));
      }
      int writers = workload.path("writers").asInt(0);
      if (writers < 0 || writers > 20) {
        throw wrong("workload.writers", "is " + writers + ": use 0 to 20");
      }
      List<ObjectNode> setup = objects(file.path("setup"), "setup");
      setup.forEach(object -> PolicyOracle.requireReadable(object, source));
      return new ExperimentFile(
          source,
          file.at("/metadata/name").asText("experiment"),
          file.path("mirrors").asText(),
          nodes,
          Topology.Options.parse(options),
          time(file, "", "propagation", "3s"),
          duration,
          time(file, "", "timeLimit", "4m"),
          setup,
          flows,
          churn,
          policyChurn(workload.path("policyChurn")),
          writers,
          faults,
          expected);
    }

    /** The same with those fields that differ in a short run. */
    private ObjectNode shortened(ObjectNode file) {
      if (!file.path("short").isObject()) {
        throw wrong("short", "is missing: it says which fields differ in a short run");
      }
      only(
          file.path("short"),
          "short",
          Set.of("propagation", "duration", "timeLimit", "workload", "faults", "random", "expect"));
      ObjectNode merged = file.deepCopy();
      merged.setAll((ObjectNode) merged.remove("short"));
      return merged;
    }

    private List<Flow> flows(JsonNode workload, String list) {
      boolean churn = list.equals("podChurn");
      List<Flow> flows = new ArrayList<>();
      int i = 0;
      for (JsonNode item : workload.path(list)) {
        String at = "workload." + list + "[" + i++ + "]";
        only(
            item,
            at,
            Set.of(
                "name",
                "namespace",
                "labels",
                "node",
                "to",
                "via",
                "port",
                "protocol",
                "every",
                "lifetime"));
        Map<String, String> labels = new HashMap<>();
        item.path("labels")
            .properties()
            .forEach(l -> labels.put(l.getKey(), l.getValue().asText()));
        String name = text(item, at, "name");
        if (!name.matches("[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?")
            || flows.stream().anyMatch(f -> f.name().equals(name))) {
          throw wrong(
              at + ".name",
              "is \"" + name + "\": use a pod's name, at most 42 characters, and each once");
        }
        String to = text(item, at, "to");
        if (!to.matches("[a-z0-9-]+/[a-z0-9-.]+")) {
          throw wrong(at + ".to", "is \"" + to + "\": write namespace/pod");
        }
        int port = item.path("port").asInt();
        if (port < 1 || port > 65535) {
          throw wrong(at + ".port", "is " + item.path("port") + ": use 1 to 65535");
        }
        String protocol = item.path("protocol").asText("TCP");
        if (!Set.of("TCP", "UDP").contains(protocol)) {
          throw wrong(at + ".protocol", "is \"" + protocol + "\": use TCP or UDP");
        }
        flows.add(
            new Flow(
                name,
                item.path("namespace").asText("default"),
                Map.copyOf(labels),
                item.path("node").asText(),
                to,
                item.path("via").asText(),
                port,
                protocol,
                time(item, at, "every", churn ? "3s" : "300ms"),
                churn ? time(item, at, "lifetime", "8s") : Duration.ZERO));
      }
      return flows;
    }

    private @Nullable PolicyChurn policyChurn(JsonNode item) {
      if (item.isMissingNode()) {
        return null;
      }
      String at = "workload.policyChurn";
      only(item, at, Set.of("every", "policies"));
      List<ObjectNode> policies = objects(item.path("policies"), at + ".policies");
      if (policies.isEmpty()) {
        throw wrong(at + ".policies", "is empty: name at least one NetworkPolicy");
      }
      for (ObjectNode policy : policies) {
        if (!policy.path("kind").asText().equals("NetworkPolicy")) {
          throw wrong(at + ".policies", "holds a " + policy.path("kind") + ": use NetworkPolicy");
        }
        PolicyOracle.requireReadable(policy, source);
      }
      return new PolicyChurn(time(item, at, "every", "4s"), policies);
    }

    private List<Fault> faults(ObjectNode file, Duration duration, Random random) {
      List<Fault> faults = new ArrayList<>();
      int i = 0;
      for (JsonNode item : file.path("faults")) {
        String at = "faults[" + i++ + "]";
        only(item, at, Set.of("at", "for", "object", "excuses"));
        Duration from = drawnTime(item, at, "at", "0s", random);
        Duration lasts = drawnTime(item, at, "for", "5s", random);
        if (from.plus(lasts).compareTo(duration) > 0) {
          throw wrong(
              at,
              "ends after the workload, which runs " + duration.toMillis() + " ms: begin sooner");
        }
        faults.add(new Fault(from, lasts, object(item.path("object"), at), excuses(item, at)));
      }
      return faults;
    }

    private Set<String> excuses(JsonNode item, String at) {
      JsonNode field = item.path("excuses");
      Set<String> excuses = new TreeSet<>();
      if (field.isArray()) {
        field.forEach(word -> excuses.add(word.asText()));
      } else if (!field.isMissingNode()) {
        excuses.add(field.asText());
      }
      if (!Set.of("denied", "delivered").containsAll(excuses)) {
        throw wrong(at + ".excuses", "is " + field + ": use denied, delivered or both in a list");
      }
      return excuses;
    }

    private List<Fault> drawn(JsonNode item, Duration duration, Random random) {
      List<Fault> faults = new ArrayList<>();
      if (item.isMissingNode()) {
        return faults;
      }
      only(item, "random", Set.of("count", "for", "choices", "excuses"));
      List<ObjectNode> choices = objects(item.path("choices"), "random.choices");
      if (choices.isEmpty()) {
        throw wrong("random", "needs choices");
      }
      for (int i = 0; i < item.path("count").asInt(1); i++) {
        ObjectNode object = choices.get(random.nextInt(choices.size())).deepCopy();
        ObjectNode metadata = object.withObject("/metadata");
        metadata.put("name", metadata.path("name").asText("drawn") + "-" + i);
        Duration lasts = drawnTime(item, "random", "for", "4s", random);
        long room = duration.minus(lasts).toMillis();
        if (room <= 0) {
          throw wrong("random.for", "is longer than the workload: use less than duration");
        }
        Duration from = Duration.ofMillis((long) (random.nextDouble() * room));
        faults.add(new Fault(from, lasts, object, excuses(item, "random")));
      }
      return faults;
    }

    /** A time, or one that the seed chooses from {@code FROM..TO}. */
    private Duration drawnTime(
        JsonNode item, String at, String field, String otherwise, Random random) {
      String text = item.path(field).asText(otherwise);
      int dots = text.indexOf("..");
      if (dots < 0) {
        return time(text, at, field);
      }
      Duration from = time(text.substring(0, dots), at, field);
      Duration to = time(text.substring(dots + 2), at, field);
      if (to.compareTo(from) <= 0) {
        throw wrong(at + "." + field, "is \"" + text + "\": write the shorter time first");
      }
      return from.plusMillis(random.nextLong(to.minus(from).toMillis()));
    }

    private List<ObjectNode> objects(JsonNode list, String at) {
      List<ObjectNode> objects = new ArrayList<>();
      for (JsonNode item : list) {
        objects.add(object(item, at + "[" + objects.size() + "]"));
      }
      return objects;
    }

    private ObjectNode object(JsonNode item, String at) {
      if (item instanceof ObjectNode object && object.has("kind") && object.has("apiVersion")) {
        return object;
      }
      throw wrong(at, "is no object: give it apiVersion, kind, metadata and spec");
    }

    private Duration time(JsonNode item, String at, String field, String otherwise) {
      return time(item.path(field).asText(otherwise), at, field);
    }

    private Duration time(String text, String at, String field) {
      try {
        return Duration.ofNanos(Quantities.nanos(text));
      } catch (IllegalArgumentException e) {
        throw wrong(
            at.isEmpty() ? field : at + "." + field, "is \"" + text + "\": " + e.getMessage());
      }
    }

    private String text(JsonNode item, String at, String field) {
      if (!item.path(field).isTextual()) {
        throw wrong(at + "." + field, "is missing");
      }
      return item.path(field).asText();
    }

    private void only(JsonNode item, String at, Set<String> fields) {
      for (Map.Entry<String, JsonNode> field : item.properties()) {
        if (!fields.contains(field.getKey())) {
          throw wrong(
              at.isEmpty() ? field.getKey() : at + "." + field.getKey(),
              "is not known: use " + String.join(", ", fields.stream().sorted().toList()));
        }
      }
    }

    private UserError wrong(String at, String what) {
      return new UserError(UserError.USAGE, source + ": " + at + " " + what + ".");
    }
  }
}
