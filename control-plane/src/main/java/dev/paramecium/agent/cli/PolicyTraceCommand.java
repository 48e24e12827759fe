package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.policy.PolicyTrace;
import dev.paramecium.policy.rule.Label;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.policy.rule.PortProtocol;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** {@code cilium policy trace} ({@code cilium/cmd/policy_trace.go}). */
final class PolicyTraceCommand {

  private static final String RULE =
      "----------------------------------------------------------------\n";

  /** What is wrong with a question. */
  private static final class Unanswerable extends Exception {
    private static final long serialVersionUID = 1;

    Unanswerable(String message) {
      super(message);
    }
  }

  private PolicyTraceCommand() {}

  static CommandOutput run(AgentView view, Arguments arguments) {
    try {
      List<LabelSet> sources = sides(view, arguments, "src");
      List<LabelSet> destinations = sides(view, arguments, "dst");
      if (sources.isEmpty()) {
        throw new Unanswerable(
            "Missing source argument: -s LABELS, --src-k8s-pod NAMESPACE:POD, …");
      }
      if (destinations.isEmpty()) {
        throw new Unanswerable(
            "Missing destination argument: -d LABELS, --dst-k8s-pod NAMESPACE:POD, …");
      }
      List<PortProtocol> ports = new ArrayList<>();
      for (String port : arguments.values("dport")) {
        ports.add(port(port));
      }
      if (ports.isEmpty()) {
        throw new Unanswerable("Missing destination port/proto: --dport PORT[/PROTOCOL]");
      }
      StringBuilder answers = new StringBuilder();
      for (LabelSet from : sources) {
        for (LabelSet to : destinations) {
          PolicyTrace.Result result =
              view.policy().trace(from, to, ports, arguments.has("verbose", "v"));
          answers.append(arguments.json() ? json(result) : text(result));
        }
      }
      return CommandOutput.of(answers.toString());
    } catch (Unanswerable e) {
      return CommandOutput.error(String.valueOf(e.getMessage()));
    }
  }

  private static String text(PolicyTrace.Result result) {
    return RULE
        + result.log()
        + "\nFinal verdict: "
        + result.verdict().toUpperCase(Locale.ROOT)
        + "\n";
  }

  private static String json(PolicyTrace.Result result) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.putObject("Payload").put("log", result.log()).put("verdict", result.verdict());
    return Json.print(json).stdout();
  }

  // ---- who

  /** One set of labels for each way in which a side is given. */
  private static List<LabelSet> sides(AgentView view, Arguments arguments, String side)
      throws Unanswerable {
    List<LabelSet> sides = new ArrayList<>();
    List<String> words = new ArrayList<>(arguments.values(side.substring(0, 1)));
    words.addAll(arguments.values(side));
    if (!words.isEmpty()) {
      sides.add(labels(words));
    }
    // As in v1.12.3 these three add up: who gives two of them asks for one with the labels of both.
    List<String> gathered = new ArrayList<>();
    String identity = arguments.value(side + "-identity", "");
    if (!identity.isEmpty()) {
      gathered.addAll(ofIdentity(view, identity));
      sides.add(labels(gathered));
    }
    String endpoint = arguments.value(side + "-endpoint", "");
    if (!endpoint.isEmpty()) {
      gathered.addAll(
          EndpointTables.labels(view, endpoint)
              .orElseThrow(
                  () ->
                      new Unanswerable(
                          "Cannot get endpoint corresponding to identifier "
                              + endpoint
                              + ": [GET /endpoint/{id}][404] getEndpointIdNotFound")));
      sides.add(labels(gathered));
    }
    String pod = arguments.value(side + "-k8s-pod", "");
    if (!pod.isEmpty()) {
      gathered.addAll(ofIdentity(view, Integer.toString(identityOf(view, pod))));
      sides.add(labels(gathered));
    }
    String yaml = String.join(",", arguments.values(side + "-k8s-yaml"));
    if (!yaml.isEmpty()) {
      sides.addAll(inYaml(yaml));
    }
    return sides;
  }

  private static List<String> ofIdentity(AgentView view, String number) throws Unanswerable {
    return IdentityTables.labels(view, number)
        .orElseThrow(() -> new Unanswerable(IdentityTables.unknown(number)));
  }

  /** As selectors read them: without a source, of any. */
  private static LabelSet labels(Collection<String> words) {
    List<Label> labels = new ArrayList<>();
    for (String word : words) {
      Label label = Label.parse(word.startsWith("$") ? "reserved:" + word.substring(1) : word);
      labels.add(
          label.source().equals(Label.UNSPECIFIED)
              ? new Label(Label.ANY, label.key(), label.value())
              : label);
    }
    return new LabelSet(labels);
  }

  private static int identityOf(AgentView view, String pod) throws Unanswerable {
    String[] parts = pod.split(":", -1);
    if (parts.length != 2) {
      throw new Unanswerable(
          "Improper identifier of pod \"" + pod + "\" provided; should be <namespace>:<pod name>");
    }
    int identity = view.podIdentity().applyAsInt(parts[0] + "/" + parts[1]);
    if (identity == 0) {
      throw new Unanswerable(
          "Cannot get security id from k8s pod name: unable to get pod "
              + parts[1]
              + " in namespace "
              + parts[0]);
    }
    return identity;
  }

  /** The labels that the pods of each object of a file would have. */
  private static List<LabelSet> inYaml(String text) throws Unanswerable {
    List<LabelSet> sides = new ArrayList<>();
    try {
      for (Object document : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text)) {
        if (document != null) {
          sides.add(podLabels(map(document)));
        }
      }
    } catch (YAMLException e) {
      throw new Unanswerable("unable to parse the YAML file: " + e.getMessage());
    }
    return sides;
  }

  private static LabelSet podLabels(Map<?, ?> object) throws Unanswerable {
    Map<?, ?> metadata = map(object.get("metadata"));
    String kind = String.valueOf(object.get("kind"));
    Map<?, ?> labels =
        switch (kind) {
          case "Pod" -> map(metadata.get("labels"));
          case "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController" ->
              map(map(map(map(object.get("spec")).get("template")).get("metadata")).get("labels"));
          default ->
              throw new Unanswerable(
                  "unsupported type \""
                      + kind
                      + "\" in the YAML file: use a Pod, or what has a template of pods");
        };
    List<Label> all = new ArrayList<>();
    Object namespace = metadata.get("namespace");
    all.add(
        Label.k8s(
            "io.kubernetes.pod.namespace", namespace == null ? "default" : namespace.toString()));
    labels.forEach((key, value) -> all.add(Label.k8s(key.toString(), String.valueOf(value))));
    return new LabelSet(all);
  }

  private static Map<?, ?> map(@Nullable Object value) {
    return value instanceof Map<?, ?> map ? map : Map.of();
  }

  // ---- where

  private static PortProtocol port(String text) throws Unanswerable {
    String[] parts = text.split("/", -1);
    if (parts.length > 2) {
      throw new Unanswerable(
          "Invalid destination port: invalid format \""
              + text
              + "\". Should be <port>[/<protocol>]");
    }
    String protocol = parts.length == 1 ? PortProtocol.ANY : parts[1].toUpperCase(Locale.ROOT);
    if (!List.of(PortProtocol.TCP, PortProtocol.UDP, PortProtocol.ANY).contains(protocol)) {
      throw new Unanswerable("Invalid destination port: invalid protocol \"" + protocol + "\"");
    }
    if (PortProtocol.isServiceName(parts[0])) {
      return new PortProtocol(parts[0], protocol);
    }
    int port = parts[0].matches("[0-9]{1,5}") ? Integer.parseInt(parts[0]) : -1;
    if (port < 0 || port > 0xffff) {
      throw new Unanswerable(
          "Invalid destination port: invalid port \"" + parts[0] + "\": a name, or 0 to 65535");
    }
    return new PortProtocol(Integer.toString(port), protocol);
  }
}
