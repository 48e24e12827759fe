package dev.paramecium.deploy.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * Kubernetes objects from YAML or JSON files, folders, or standard input; a {@code List} is taken
 * apart.
 */
public final class Manifests {

  private Manifests() {}

  /**
   * Reads every object.
   *
   * @param source a file, a folder (its .yaml, .yml and .json files), or {@code -} for standard
   *     input
   * @throws UserError naming the file and what is wrong with it
   */
  public static List<ObjectNode> read(String source) {
    try {
      if (source.equals("-")) {
        return parse(
            "standard input", new String(System.in.readAllBytes(), StandardCharsets.UTF_8));
      }
      Path path = Path.of(source);
      if (!Files.exists(path)) {
        throw new UserError(UserError.FAILED, "the path \"" + source + "\" does not exist");
      }
      if (!Files.isDirectory(path)) {
        return parse(source, Files.readString(path));
      }
      List<ObjectNode> objects = new ArrayList<>();
      try (Stream<Path> files = Files.list(path)) {
        for (Path file :
            files.sorted().filter(f -> f.toString().matches(".*\\.(ya?ml|json)")).toList()) {
          objects.addAll(parse(file.toString(), Files.readString(file)));
        }
      }
      return objects;
    } catch (IOException e) {
      throw new UserError(UserError.FAILED, "cannot read " + source + ": " + e.getMessage() + ".");
    }
  }

  /** Parses the documents of one text. */
  public static List<ObjectNode> parse(String source, String text) {
    List<ObjectNode> objects = new ArrayList<>();
    try {
      LoaderOptions options = new LoaderOptions();
      options.setCodePointLimit(64 * 1024 * 1024);
      for (Object document : new Yaml(new SafeConstructor(options)).loadAll(text)) {
        if (document != null) {
          add(source, ApiHttp.JSON.valueToTree(document), objects);
        }
      }
    } catch (YAMLException e) {
      throw new UserError(
          UserError.FAILED,
          "error parsing " + source + ": " + String.valueOf(e.getMessage()).replace("\n", " "));
    }
    if (objects.isEmpty()) {
      throw new UserError(
          UserError.FAILED, "error: no objects passed to apply: " + source + " is empty");
    }
    return objects;
  }

  private static void add(String source, JsonNode document, List<ObjectNode> objects) {
    if (!(document instanceof ObjectNode object)) {
      throw new UserError(
          UserError.FAILED, "error parsing " + source + ": a document is not a mapping");
    }
    for (String field : List.of("apiVersion", "kind")) {
      if (object.path(field).asText().isEmpty()) {
        throw new UserError(
            UserError.FAILED, "error validating " + source + ": " + field + " not set");
      }
    }
    if (object.path("kind").asText().equals("List")) {
      object.path("items").forEach(item -> add(source, item, objects));
      return;
    }
    boolean named = !object.path("metadata").path("name").asText().isEmpty();
    boolean generated = !object.path("metadata").path("generateName").asText().isEmpty();
    if (!named && !generated) {
      throw new UserError(
          UserError.FAILED,
          "error validating "
              + source
              + ": "
              + object.path("kind").asText()
              + " has no metadata.name");
    }
    objects.add(object);
  }
}
