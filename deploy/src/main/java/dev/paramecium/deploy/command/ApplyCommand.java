package dev.paramecium.deploy.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.client.Resources;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Creates objects, or changes those that exist to what the manifest says. */
@Command(
    name = "apply",
    mixinStandardHelpOptions = true,
    description = "Creates the objects of a manifest, or changes those that exist.")
final class ApplyCommand implements Callable<Integer> {

  private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Option(
      names = {"-f", "--filename"},
      required = true,
      paramLabel = "FILE",
      description = "a YAML or JSON file, a folder, or - for standard input")
  private List<String> files = List.of();

  @Option(
      names = {"-n", "--namespace"},
      defaultValue = "default",
      description = "for objects that name none; default: default")
  private String namespace = "default";

  @Override
  public Integer call() {
    ApiHttp api = cluster.api();
    List<ObjectNode> objects =
        files.stream().flatMap(file -> Manifests.read(file).stream()).toList();
    Resources resources = Resources.discover(api);
    for (ObjectNode object : objects) {
      System.out.println(apply(api, resources, object, namespace));
    }
    return 0;
  }

  /** Applies one object and answers the line that kubectl prints. */
  static String apply(
      ApiHttp api, Resources resources, ObjectNode manifest, String defaultNamespace) {
    Resources.Resource resource =
        resources.of(manifest.path("apiVersion").asText(), manifest.path("kind").asText());
    ObjectNode metadata = manifest.withObject("/metadata");
    if (resource.namespaced() && metadata.path("namespace").asText().isEmpty()) {
      metadata.put("namespace", defaultNamespace);
    }
    String name = metadata.path("name").asText();
    String collection = resource.path(metadata.path("namespace").asText());
    String lastApplied = manifest.toString();
    metadata.withObject("/annotations").put(LAST_APPLIED, lastApplied);
    if (name.isEmpty()) {
      return resource.display(api.post(collection, manifest).path("metadata").path("name").asText())
          + " created";
    }
    JsonNode existing = api.find(collection + "/" + name);
    if (existing.isMissingNode()) {
      api.post(collection, manifest);
      return resource.display(name) + " created";
    }
    if (existing
        .path("metadata")
        .path("annotations")
        .path(LAST_APPLIED)
        .asText()
        .equals(lastApplied)) {
      return resource.display(name) + " unchanged";
    }
    JsonNode before =
        parse(existing.path("metadata").path("annotations").path(LAST_APPLIED).asText());
    api.mergePatch(collection + "/" + name, removalsAsNull(before, manifest));
    return resource.display(name) + " configured";
  }

  private static JsonNode parse(String json) {
    try {
      return ApiHttp.JSON.readTree(json.isEmpty() ? "{}" : json);
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      return ApiHttp.JSON.createObjectNode();
    }
  }

  /**
   * The manifest as a merge patch (RFC 7386) in which what was applied before and is gone now is
   * null.
   */
  static ObjectNode removalsAsNull(JsonNode before, ObjectNode now) {
    ObjectNode patch = now.deepCopy();
    before
        .properties()
        .forEach(
            field -> {
              JsonNode current = now.get(field.getKey());
              if (current == null) {
                patch.putNull(field.getKey());
              } else if (current instanceof ObjectNode object && field.getValue().isObject()) {
                patch.set(field.getKey(), removalsAsNull(field.getValue(), object));
              }
            });
    return patch;
  }
}
