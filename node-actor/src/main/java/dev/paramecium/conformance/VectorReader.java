package dev.paramecium.conformance;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** Finds vector files and reads them. */
final class VectorReader {

  private static final String SEQUENCES = ".jsonl.gz";
  private static final String NODES = "nodes.json";

  /** Of sequences, which do not say it. */
  private static final int MEDIUM = 3;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Takes vectors one by one. */
  interface Sink {
    void accept(Path file, Vector vector) throws MalformedVectorException;
  }

  private VectorReader() {}

  /** The vector files at a path: itself, or all below it, by name. */
  static List<Path> files(Path path) throws MalformedVectorException {
    if (Files.isRegularFile(path)) {
      return List.of(path);
    }
    if (!Files.isDirectory(path)) {
      throw new MalformedVectorException(path + ": there is no such file or folder");
    }
    try (Stream<Path> all = Files.walk(path)) {
      List<Path> found = all.filter(VectorReader::isVectorFile).sorted().toList();
      if (found.isEmpty()) {
        throw new MalformedVectorException(
            path + ": no vector files (*.json, *" + SEQUENCES + ") are in this folder");
      }
      return found;
    } catch (IOException e) {
      throw new MalformedVectorException(path + ": cannot be listed: " + e.getMessage());
    }
  }

  private static boolean isVectorFile(Path file) {
    String name = file.getFileName().toString();
    return Files.isRegularFile(file)
        && (name.endsWith(SEQUENCES) || name.endsWith(".json") && !name.equals(NODES));
  }

  static void read(Path file, Sink sink) throws MalformedVectorException {
    if (file.getFileName().toString().endsWith(SEQUENCES)) {
      readSequences(file, sink);
    } else {
      sink.accept(file, named(file));
    }
  }

  private static Vector named(Path file) throws MalformedVectorException {
    Fields fields = Fields.root(file.toString(), parse(file.toString(), text(file)));
    return new Vector(
        fields.text("name"),
        fields.object("node_config"),
        fields.optionalText("datapath_options"),
        fields.small("monitor_aggregation", 4),
        fields.object("maps_before"),
        List.of(fields));
  }

  private static void readSequences(Path file, Sink sink) throws MalformedVectorException {
    Path nodesFile = file.resolveSibling(NODES);
    Fields nodes = Fields.root(nodesFile.toString(), parse(nodesFile.toString(), text(nodesFile)));
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
      int number = 0;
      for (@Nullable String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (!line.isBlank()) {
          sink.accept(file, sequence(file + ":" + number, line, nodes));
        }
      }
    } catch (IOException e) {
      throw new MalformedVectorException(file + ": cannot be read: " + e.getMessage());
    }
  }

  private static Vector sequence(String where, String line, Fields nodes)
      throws MalformedVectorException {
    Fields fields = Fields.root(where, parse(where, line));
    List<Fields> steps = fields.objects("steps");
    if (steps.isEmpty()) {
      throw fields.unknown("steps", "must hold at least one step");
    }
    return new Vector(
        "seed " + fields.number("seed"),
        nodes.object(fields.text("node")),
        fields.optionalText("datapath_options"),
        (int) fields.number("monitor_aggregation", MEDIUM),
        fields.object("maps_before"),
        steps);
  }

  private static String text(Path file) throws MalformedVectorException {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new MalformedVectorException(file + ": there is no such file");
    } catch (IOException e) {
      throw new MalformedVectorException(file + ": cannot be read: " + e.getMessage());
    }
  }

  private static JsonNode parse(String where, String text) throws MalformedVectorException {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new MalformedVectorException(where + ": is no JSON: " + e.getOriginalMessage());
    }
  }
}
