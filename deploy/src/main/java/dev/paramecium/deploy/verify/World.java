package dev.paramecium.deploy.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.Replacement;
import dev.paramecium.deploy.client.Resources;
import dev.paramecium.deploy.client.Waiting;
import dev.paramecium.deploy.verify.ConnectivityTest.Labelling;
import dev.paramecium.deploy.verify.ConnectivityTest.Target;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The cluster's objects as a test changes them; it remembers what it made, and can remove it. */
public final class World {

  private static final Pattern POD_ADDRESS =
      Pattern.compile("\\$\\{ip:([-a-z0-9.]+)/([-a-z0-9.]+)}");
  private static final Duration GONE_LIMIT = Duration.ofSeconds(60);
  private static final String NAMESPACE = "Namespace";
  private static final String POD = "Pod";

  private record Made(String kind, String path) {}

  /** How an object that was there before was changed. */
  private sealed interface Changed {

    record Spec(String path, ObjectNode before) implements Changed {}

    /**
     * @param before the labels that were touched; null for one that was not there
     */
    record Labels(String path, ObjectNode before) implements Changed {}
  }

  private final ApiHttp api;
  private final Resources resources;
  private final List<Made> made = new ArrayList<>();
  private final List<Changed> changed = new ArrayList<>();
  private final Set<String> namespaces = new TreeSet<>();
  private final List<String> notes = new ArrayList<>();

  /** A world in which nothing was changed yet. */
  public World(ApiHttp api) {
    this.api = api;
    this.resources = Resources.discover(api);
  }

  /** Says that what is in a namespace matters; answers whether that is news. */
  public boolean touch(String namespace) {
    return namespaces.add(namespace);
  }

  /** Waits until every node has in its maps what the API server has now. */
  public void settle(Duration limit) {
    new Settlement(api, namespaces).await(limit);
  }

  /** What the server and the agents remarked since the last call. */
  public List<String> takeNotes() {
    List<String> taken = List.copyOf(notes);
    notes.clear();
    return taken;
  }

  // ---- changes

  /**
   * Creates an object, or gives the one of its name its spec. {@code ${ip:NAMESPACE/POD}} stands
   * for that pod's address.
   */
  public void apply(ObjectNode given) {
    ObjectNode object = withAddresses(given);
    Resources.Resource resource =
        resources.of(object.path("apiVersion").asText(), object.path("kind").asText());
    ObjectNode metadata = object.withObject("/metadata");
    String namespace = "";
    if (resource.namespaced()) {
      namespace = metadata.path("namespace").asText("default");
      metadata.put("namespace", namespace);
      touch(namespace);
    } else if (resource.kind().equals(NAMESPACE)) {
      touch(metadata.path("name").asText());
    }
    String collection = resource.path(namespace);
    String path = collection + "/" + metadata.path("name").asText();
    JsonNode existing = present(path);
    if (existing.isMissingNode()) {
      note(api.write("POST", collection, object));
      made.add(new Made(resource.kind(), path));
    } else if (resource.kind().equals(POD) || resource.kind().equals(NAMESPACE)) {
      api.mergePatch(path, object);
    } else {
      if (isForeign(path)) {
        changed.add(new Changed.Spec(path, (ObjectNode) existing.deepCopy()));
      }
      note(api.write("PUT", path, Replacement.of(existing, object)));
    }
  }

  /** An object that is on its way out is waited for. */
  private JsonNode present(String path) {
    JsonNode existing = api.find(path);
    if (existing.path("metadata").hasNonNull("deletionTimestamp")) {
      awaitGone(List.of(path));
      return api.find(path);
    }
    return existing;
  }

  private void note(ApiHttp.Written written) {
    for (String warning : written.warnings()) {
      JsonNode metadata = written.object().path("metadata");
      notes.add(
          new Target(
                  written.object().path("kind").asText(),
                  metadata.path("namespace").asText(),
                  metadata.path("name").asText())
              + ": "
              + warning);
    }
  }

  private ObjectNode withAddresses(ObjectNode object) {
    String text = object.toString();
    if (!text.contains("${ip:")) {
      return object.deepCopy();
    }
    Matcher matcher = POD_ADDRESS.matcher(text);
    StringBuilder replaced = new StringBuilder();
    while (matcher.find()) {
      Pods.Pod pod = Pods.awaitReady(api, matcher.group(1), matcher.group(2), GONE_LIMIT);
      matcher.appendReplacement(replaced, pod.address().toString());
    }
    matcher.appendTail(replaced);
    if (replaced.indexOf("${ip:") >= 0) {
      throw new UserError(
          UserError.FAILED,
          object.path("kind").asText()
              + " "
              + object.path("metadata").path("name").asText()
              + " has a ${ip:…} that names no pod: write ${ip:NAMESPACE/POD}.");
    }
    try {
      return (ObjectNode) ApiHttp.JSON.readTree(replaced.toString());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("an address broke a JSON text", e);
    }
  }

  /** Gives an object other labels; a null value removes one. */
  public void label(Labelling labelling) {
    Target target = labelling.target();
    touch(target.namespace().isEmpty() ? target.name() : target.namespace());
    String path = path(target);
    if (isForeign(path)) {
      Map<String, String> before = labels(api.get(path));
      ObjectNode touched = ApiHttp.JSON.createObjectNode();
      labelling.labels().fieldNames().forEachRemaining(key -> touched.put(key, before.get(key)));
      changed.add(new Changed.Labels(path, touched));
    }
    api.mergePatch(path, labelsPatch(labelling.labels()));
  }

  private static ObjectNode labelsPatch(ObjectNode labels) {
    ObjectNode patch = ApiHttp.JSON.createObjectNode();
    patch.putObject("metadata").set("labels", labels);
    return patch;
  }

  /** Whether somebody else made it, so that it stays, as it was. */
  private boolean isForeign(String path) {
    return made.stream().noneMatch(object -> object.path().equals(path));
  }

  /** Deletes an object and waits until it is gone. */
  public void delete(Target target) {
    if (!target.namespace().isEmpty()) {
      touch(target.namespace());
    }
    String path = path(target);
    api.delete(path, options(target.kind()));
    awaitGone(List.of(path));
    made.removeIf(object -> object.path().equals(path));
  }

  private String path(Target target) {
    Resources.Resource resource = resources.named(target.kind());
    return resource.path(resource.namespaced() ? target.namespace() : "") + "/" + target.name();
  }

  private static ObjectNode options(String kind) {
    ObjectNode options = ApiHttp.JSON.createObjectNode().put("propagationPolicy", "Background");
    if (kind.equalsIgnoreCase(POD)) {
      options.put("gracePeriodSeconds", 0);
    }
    return options;
  }

  // ---- cleaning up

  /**
   * Undoes what was done to objects of others; removes what was made, pods without grace,
   * namespaces last, and waits until it is gone. What was deleted stays deleted.
   */
  public void cleanUp() {
    for (Changed change : changed.reversed()) {
      restore(change);
    }
    changed.clear();
    List<Made> ordered = new ArrayList<>(made.reversed());
    made.clear();
    Set<String> ownNamespaces = new TreeSet<>();
    for (Made object : ordered) {
      if (object.kind().equals(NAMESPACE)) {
        ownNamespaces.add(object.path().substring(object.path().lastIndexOf('/') + 1));
      } else {
        remove(object.kind(), object.path());
      }
    }
    for (String namespace : ownNamespaces) {
      for (JsonNode pod : api.get(Pods.path(namespace, "")).path("items")) {
        remove(POD, Pods.path(namespace, pod.path("metadata").path("name").asText()));
      }
    }
    ordered.stream()
        .filter(object -> object.kind().equals(NAMESPACE))
        .forEach(object -> remove(NAMESPACE, object.path()));
    awaitGone(ordered.stream().map(Made::path).toList());
  }

  private void restore(Changed change) {
    switch (change) {
      case Changed.Spec(String path, ObjectNode before) -> {
        JsonNode now = api.find(path);
        if (!now.isMissingNode()) {
          api.write("PUT", path, Replacement.of(now, before));
        }
      }
      case Changed.Labels(String path, ObjectNode before) -> {
        if (!api.find(path).isMissingNode()) {
          api.mergePatch(path, labelsPatch(before));
        }
      }
    }
  }

  /** What went with something else is gone already. */
  private void remove(String kind, String path) {
    if (!api.find(path).isMissingNode()) {
      try {
        api.delete(path, options(kind));
      } catch (UserError e) {
        if (!api.find(path).isMissingNode()) {
          throw e;
        }
      }
    }
  }

  private void awaitGone(List<String> paths) {
    List<String> remaining = new ArrayList<>(paths);
    Waiting.until(
        GONE_LIMIT,
        () -> {
          remaining.removeIf(path -> api.find(path).isMissingNode());
          return remaining.isEmpty();
        },
        () -> remaining.getFirst() + " is still there after " + GONE_LIMIT.toSeconds() + " s.");
  }

  /** An object's labels. */
  static Map<String, String> labels(JsonNode object) {
    Map<String, String> labels = new TreeMap<>();
    object
        .path("metadata")
        .path("labels")
        .properties()
        .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
    return labels;
  }
}
