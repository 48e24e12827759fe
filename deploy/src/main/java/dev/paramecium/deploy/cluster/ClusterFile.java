package dev.paramecium.deploy.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What {@code up} started, in {@code cluster.json}: enough to find it again, and to stop exactly
 * that and nothing else.
 *
 * @param apiServer the API server's URL
 */
public record ClusterFile(String apiServer, List<Process> processes) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * One JVM of the cluster.
   *
   * @param role what it runs, by the name of the command: control-plane, node, world
   * @param name the node's, or for several nodes the first one's and how many there are beside it,
   *     as in {@code node-1+49}
   * @param address where its cluster link listens
   * @param nodes the names of its nodes; none of a control plane or a world
   * @param startedAt the operating system's start time of the process; a pid is reused, a pid and a
   *     start time are not
   * @param command how it was started
   * @param log the file that its output is appended to
   */
  public record Process(
      String role,
      String name,
      String address,
      List<String> nodes,
      long pid,
      Instant startedAt,
      List<String> command,
      String log) {

    public Process {
      nodes = List.copyOf(nodes);
      command = List.copyOf(command);
    }

    /** The same one as another process of the operating system. */
    Process at(ProcessHandle handle) {
      Instant since = handle.info().startInstant().orElseGet(() -> Instant.ofEpochSecond(0));
      return new Process(role, name, address, nodes, handle.pid(), since, command, log);
    }

    /** Whether it is the process called {@code name}, or runs the node of that name. */
    public boolean runs(String name) {
      return this.name.equals(name) || nodes.contains(name);
    }

    /** The process if it still runs, and is not another one that was given the same pid. */
    public Optional<ProcessHandle> handle() {
      return ProcessHandle.of(pid)
          .filter(ProcessHandle::isAlive)
          .filter(process -> process.info().startInstant().map(startedAt::equals).orElse(true));
    }
  }

  public ClusterFile {
    processes = List.copyOf(processes);
  }

  /** The process that is called {@code name}, or runs the node of that name. */
  Optional<Process> of(String name) {
    return processes.stream().filter(process -> process.runs(name)).findFirst();
  }

  static Path path(Path home) {
    return home.resolve("cluster.json");
  }

  /** The cluster whose state is under {@code home}, if one was started there and not stopped. */
  public static Optional<ClusterFile> read(Path home) {
    Path file = path(home);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      JsonNode root = JSON.readTree(file.toFile());
      List<Process> processes = new ArrayList<>();
      for (JsonNode process : root.path("processes")) {
        processes.add(
            new Process(
                process.path("role").asText(),
                process.path("name").asText(),
                process.path("address").asText(),
                texts(process.path("nodes")),
                process.path("pid").asLong(),
                Instant.parse(process.path("startedAt").asText()),
                texts(process.path("command")),
                process.path("log").asText()));
      }
      return Optional.of(new ClusterFile(root.path("apiServer").asText(), processes));
    } catch (IOException | java.time.DateTimeException e) {
      throw new UserError(
          UserError.FAILED,
          file + " cannot be read (" + e.getMessage() + "). If no cluster runs, delete it.");
    }
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  /** Writes the file in one step: a reader sees the old one or the new one. */
  public void write(Path home) {
    ObjectNode root = JSON.createObjectNode();
    root.put("apiServer", apiServer);
    ArrayNode list = root.putArray("processes");
    for (Process process : processes) {
      ObjectNode entry =
          list.addObject()
              .put("role", process.role())
              .put("name", process.name())
              .put("address", process.address())
              .put("pid", process.pid())
              .put("startedAt", process.startedAt().toString())
              .put("log", process.log());
      process.nodes().forEach(entry.putArray("nodes")::add);
      process.command().forEach(entry.putArray("command")::add);
    }
    try {
      Files.createDirectories(home);
      Path next = home.resolve("cluster.json.new");
      Files.writeString(next, toText(root));
      Files.move(
          next, path(home), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + path(home), e);
    }
  }

  private static String toText(ObjectNode root) throws JsonProcessingException {
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
  }

  static void delete(Path home) {
    try {
      Files.deleteIfExists(path(home));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + path(home), e);
    }
  }
}
