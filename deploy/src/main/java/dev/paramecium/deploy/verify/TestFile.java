package dev.paramecium.deploy.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.verify.Check.Pair;
import dev.paramecium.deploy.verify.Check.Protocol;
import dev.paramecium.deploy.verify.ConnectivityTest.Labelling;
import dev.paramecium.deploy.verify.ConnectivityTest.Step;
import dev.paramecium.deploy.verify.ConnectivityTest.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Reads files of kind ConnectivityTest; every mistake is named with its place and its remedy. */
public final class TestFile {

  private static final String API_VERSION = "paramecium.dev/v1alpha1";
  private static final String KIND = "ConnectivityTest";

  private final String source;

  private TestFile(String source) {
    this.source = source;
  }

  /**
   * All tests of a file, or of a folder's files.
   *
   * @throws UserError naming the file, the field and what is allowed
   */
  public static List<ConnectivityTest> read(String source) {
    return Manifests.read(source).stream().map(document -> parse(source, document)).toList();
  }

  static ConnectivityTest parse(String source, ObjectNode document) {
    return new TestFile(source).test(document);
  }

  private ConnectivityTest test(ObjectNode document) {
    require(document, "apiVersion", API_VERSION);
    require(document, "kind", KIND);
    onlyFields(document, "", Set.of("apiVersion", "kind", "metadata", "setup", "steps", "cleanup"));
    List<Step> steps = new ArrayList<>();
    List<JsonNode> items = list(document, "", "steps");
    if (items.isEmpty()) {
      throw wrong("steps", "has nothing to ask: write at least one step with an expect");
    }
    for (int i = 0; i < items.size(); i++) {
      steps.add(step(mapping(items.get(i), "steps[" + i + "]"), "steps[" + i + "]", i + 1));
    }
    JsonNode cleanup = document.path("cleanup");
    if (!cleanup.isMissingNode() && !cleanup.isBoolean()) {
      throw wrong("cleanup", "is " + cleanup + ": use true or false");
    }
    return new ConnectivityTest(
        source,
        document.path("metadata").path("name").asText(),
        objects(document, "", "setup"),
        steps,
        cleanup.asBoolean(true));
  }

  private Step step(ObjectNode step, String at, int number) {
    onlyFields(step, at, Set.of("name", "apply", "label", "delete", "expect"));
    List<Labelling> labels = new ArrayList<>();
    List<JsonNode> labelled = list(step, at, "label");
    for (int i = 0; i < labelled.size(); i++) {
      labels.add(labelling(labelled.get(i), at + ".label[" + i + "]"));
    }
    List<Target> deletions = new ArrayList<>();
    List<JsonNode> deleted = list(step, at, "delete");
    for (int i = 0; i < deleted.size(); i++) {
      String place = at + ".delete[" + i + "]";
      ObjectNode target = mapping(deleted.get(i), place);
      onlyFields(target, place, Set.of("apiVersion", "kind", "namespace", "name"));
      deletions.add(target(target, place));
    }
    return new Step(
        step.path("name").asText("step " + number),
        objects(step, at, "apply"),
        labels,
        deletions,
        checks(list(step, at, "expect"), at + ".expect"));
  }

  private Labelling labelling(JsonNode item, String at) {
    ObjectNode labelling = mapping(item, at);
    onlyFields(labelling, at, Set.of("kind", "namespace", "name", "labels"));
    Target target = target(labelling, at);
    if (!target.kind().equals("Pod") && !target.kind().equals("Namespace")) {
      throw wrong(at + ".kind", "is \"" + target.kind() + "\": use Pod or Namespace");
    }
    ObjectNode labels = mapping(labelling.path("labels"), at + ".labels");
    for (Map.Entry<String, JsonNode> label : labels.properties()) {
      if (!label.getValue().isNull() && !label.getValue().isTextual()) {
        throw wrong(
            at + ".labels." + label.getKey(),
            "is " + label.getValue() + ": a label's value is a text, or null to remove it");
      }
    }
    return new Labelling(target, labels);
  }

  private Target target(ObjectNode item, String at) {
    String kind = text(item, at, "kind");
    String namespace = kind.equals("Namespace") ? "" : item.path("namespace").asText("default");
    return new Target(kind, namespace, text(item, at, "name"));
  }

  // ---- objects

  private List<ObjectNode> objects(ObjectNode parent, String at, String field) {
    List<ObjectNode> objects = new ArrayList<>();
    List<JsonNode> items = list(parent, at, field);
    for (int i = 0; i < items.size(); i++) {
      String place = join(at, field) + "[" + i + "]";
      ObjectNode item = mapping(items.get(i), place);
      if (item.has("file")) {
        onlyFields(item, place, Set.of("file"));
        objects.addAll(Manifests.read(beside(item.path("file").asText())));
        continue;
      }
      text(item, place, "apiVersion");
      text(item, place, "kind");
      text(mapping(item.path("metadata"), place + ".metadata"), place + ".metadata", "name");
      objects.add(item);
    }
    return objects;
  }

  /** A file named in a test is looked for beside it. */
  private String beside(String file) {
    Path folder = source.equals("-") ? null : Path.of(source).toAbsolutePath();
    if (folder != null && !java.nio.file.Files.isDirectory(folder)) {
      folder = folder.getParent();
    }
    return folder == null ? file : folder.resolve(file).normalize().toString();
  }

  // ---- questions

  private List<Check> checks(List<JsonNode> items, String at) {
    Map<Pair, Boolean> named = new LinkedHashMap<>();
    Set<Pair> byDefault = new HashSet<>();
    for (int i = 0; i < items.size(); i++) {
      String place = at + "[" + i + "]";
      ObjectNode item = mapping(items.get(i), place);
      if (item.has("default") || item.has("among")) {
        others(item, place, named, byDefault);
      } else {
        pairs(item, place, named, byDefault);
      }
    }
    return named.entrySet().stream()
        .map(entry -> new Check(entry.getKey(), entry.getValue()))
        .toList();
  }

  /** A pair that is named counts more than a default, wherever that stands. */
  private void pairs(ObjectNode item, String at, Map<Pair, Boolean> named, Set<Pair> byDefault) {
    onlyFields(item, at, Set.of("from", "to", "port", "protocol", "result"));
    boolean allowed = result(item, at, "result");
    Protocol protocol = protocol(item, at);
    int port = port(item, at, protocol);
    for (String from : texts(item, at, "from")) {
      for (String to : texts(item, at, "to")) {
        Pair pair = new Pair(pod(from, at + ".from"), destination(to, at), protocol, port);
        Boolean earlier = named.put(pair, allowed);
        if (!byDefault.remove(pair) && earlier != null && earlier != allowed) {
          throw wrong(at, "expects " + pair + " otherwise than an earlier line of the step");
        }
      }
    }
  }

  private void others(ObjectNode item, String at, Map<Pair, Boolean> named, Set<Pair> byDefault) {
    onlyFields(item, at, Set.of("default", "among", "port", "protocol"));
    boolean allowed = result(item, at, "default");
    Protocol protocol = protocol(item, at);
    int port = port(item, at, protocol);
    List<PodName> pods = texts(item, at, "among").stream().map(p -> pod(p, at + ".among")).toList();
    for (PodName from : pods) {
      for (PodName to : pods) {
        Pair pair = new Pair(from, new Destination.OfPod(to), protocol, port);
        if (!from.equals(to) && named.putIfAbsent(pair, allowed) == null) {
          byDefault.add(pair);
        }
      }
    }
  }

  private boolean result(ObjectNode item, String at, String field) {
    String text = text(item, at, field);
    if (!text.equals("allowed") && !text.equals("denied")) {
      throw wrong(at + "." + field, "is \"" + text + "\": use allowed or denied");
    }
    return text.equals("allowed");
  }

  private Protocol protocol(ObjectNode item, String at) {
    try {
      return Protocol.parse(item.path("protocol").asText("TCP"));
    } catch (UserError e) {
      throw wrong(at + ".protocol", String.valueOf(e.getMessage()));
    }
  }

  private int port(ObjectNode item, String at, Protocol protocol) {
    JsonNode port = item.path("port");
    if (protocol == Protocol.ICMP) {
      if (!port.isMissingNode()) {
        throw wrong(at + ".port", "is not for ICMP: leave it out");
      }
      return 0;
    }
    if (!port.isInt() || port.asInt() < 1 || port.asInt() > 65535) {
      throw wrong(
          at + ".port",
          (port.isMissingNode() ? "is not set" : "is " + port) + ": use a number from 1 to 65535");
    }
    return port.asInt();
  }

  private PodName pod(String text, String at) {
    try {
      return PodName.parse(text);
    } catch (UserError e) {
      throw wrong(at, String.valueOf(e.getMessage()));
    }
  }

  private Destination destination(String text, String at) {
    try {
      return Destination.parse(text);
    } catch (UserError e) {
      throw wrong(at + ".to", String.valueOf(e.getMessage()));
    }
  }

  // ---- fields

  private List<String> texts(ObjectNode parent, String at, String field) {
    JsonNode value = parent.path(field);
    List<String> texts = new ArrayList<>();
    (value.isArray() ? value : List.of(value))
        .forEach(
            item -> {
              if (!item.isTextual() || item.asText().isBlank()) {
                throw wrong(
                    at + "." + field,
                    (item.isMissingNode() ? "is not set" : "has " + item)
                        + ": use a name or a list of names");
              }
              texts.add(item.asText().strip());
            });
    if (texts.isEmpty()) {
      throw wrong(at + "." + field, "is empty: use a name or a list of names");
    }
    return texts;
  }

  private List<JsonNode> list(ObjectNode parent, String at, String field) {
    JsonNode value = parent.path(field);
    if (!value.isMissingNode() && !value.isNull() && !value.isArray()) {
      throw wrong(join(at, field), "must be a list");
    }
    List<JsonNode> items = new ArrayList<>();
    value.forEach(items::add);
    return items;
  }

  private ObjectNode mapping(JsonNode value, String at) {
    if (value instanceof ObjectNode object) {
      return object;
    }
    throw wrong(at, value.isMissingNode() ? "is not set" : "must be a mapping");
  }

  private String text(ObjectNode parent, String at, String field) {
    JsonNode value = parent.path(field);
    if (!value.isTextual() || value.asText().isEmpty()) {
      throw wrong(join(at, field), value.isMissingNode() ? "is not set" : "must be a text");
    }
    return value.asText();
  }

  private void require(ObjectNode document, String field, String expected) {
    if (!document.path(field).asText().equals(expected)) {
      throw wrong(field, "is \"" + document.path(field).asText() + "\": it must be " + expected);
    }
  }

  private void onlyFields(ObjectNode parent, String at, Set<String> known) {
    parent
        .fieldNames()
        .forEachRemaining(
            field -> {
              if (!known.contains(field)) {
                throw wrong(
                    join(at, field),
                    "is not a field: use " + String.join(", ", new TreeSet<>(known)));
              }
            });
  }

  private static String join(String at, String field) {
    return at.isEmpty() ? field : at + "." + field;
  }

  private UserError wrong(String at, String what) {
    return new UserError(UserError.USAGE, source + ": " + at + " " + what + ".");
  }
}
