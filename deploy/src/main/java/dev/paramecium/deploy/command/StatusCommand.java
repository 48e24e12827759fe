package dev.paramecium.deploy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.TablePrinter;
import dev.paramecium.deploy.cluster.ClusterFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows processes, nodes, pods and how far each node's maps follow the API server. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    description = "Shows the cluster's processes, nodes, pods and map synchronisation.")
final class StatusCommand implements Callable<Integer> {

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Mixin private final JsonOption format = new JsonOption();

  @Override
  public Integer call() throws JsonProcessingException {
    boolean json = format.wanted();
    ObjectNode status = ApiHttp.JSON.createObjectNode();
    Optional<ClusterFile> file = ClusterFile.read(ClusterOptions.home());
    ArrayNode processes = status.putArray("processes");
    file.ifPresent(
        found ->
            found
                .processes()
                .forEach(
                    process -> {
                      ObjectNode entry =
                          processes
                              .addObject()
                              .put("name", process.name())
                              .put("role", process.role())
                              .put("address", process.address())
                              .put("pid", process.pid())
                              .put("running", process.handle().isPresent());
                      ArrayNode nodes = entry.putArray("nodes");
                      process.nodes().forEach(nodes::add);
                    }));
    ApiHttp api = cluster.api();
    status.put("apiServer", api.server());
    boolean answers = api.isReady();
    status.put("apiServerReady", answers);
    if (answers) {
      status.set("nodes", api.get("/apis/paramecium.dev/v1alpha1/status").path("nodes"));
      status.put("readyNodes", api.readyNodes());
      status.put("pods", api.get("/api/v1/pods").path("items").size());
    }
    if (json) {
      System.out.println(ApiHttp.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(status));
    } else {
      print(status);
    }
    boolean allRun = true;
    for (JsonNode process : processes) {
      allRun &= process.path("running").asBoolean();
    }
    return answers && allRun ? 0 : UserError.FAILED;
  }

  private static void print(JsonNode status) {
    if (!status.path("processes").isEmpty()) {
      List<List<String>> lines = new ArrayList<>();
      lines.add(List.of("PROCESS", "PID", "ADDRESS", "NODES", "STATE"));
      for (JsonNode process : status.path("processes")) {
        lines.add(
            List.of(
                process.path("name").asText(),
                process.path("pid").asText(),
                process.path("address").asText(),
                process.path("nodes").isEmpty() ? "-" : nodes(process.path("nodes")),
                process.path("running").asBoolean() ? "running" : "gone"));
      }
      TablePrinter.print(lines, System.out);
      System.out.println();
    }
    System.out.println(
        "API server "
            + status.path("apiServer").asText()
            + (status.path("apiServerReady").asBoolean()
                ? ", "
                    + status.path("readyNodes").asInt()
                    + " nodes Ready, "
                    + status.path("pods").asInt()
                    + " pods"
                : " does not answer"));
    if (!status.path("nodes").isEmpty()) {
      System.out.println();
      List<List<String>> lines = new ArrayList<>();
      lines.add(
          List.of("NODE", "ENDPOINTS", "REVISION", "PENDING", "BUFFERS IN USE", "PACKETS DROPPED"));
      for (JsonNode node : status.path("nodes")) {
        lines.add(
            List.of(
                node.path("name").asText(),
                node.path("endpoints").asText(),
                node.path("appliedRevision").asText(),
                node.path("pending").asText(),
                node.path("counters").path("buffers_in_use").asText("-"),
                Long.toString(drops(node.path("counters")))));
      }
      TablePrinter.print(lines, System.out);
    }
  }

  /** One by its name, several by the first, the last and how many. */
  private static String nodes(JsonNode names) {
    return names.size() == 1
        ? names.path(0).asText()
        : names.path(0).asText()
            + " ... "
            + names.path(names.size() - 1).asText()
            + " ("
            + names.size()
            + ")";
  }

  /**
   * What was dropped anywhere on a node, by a program's verdict, a full queue or a malformed frame.
   */
  private static long drops(JsonNode counters) {
    long drops = 0;
    for (var counter : counters.properties()) {
      if (counter.getKey().startsWith("drop_") || counter.getKey().startsWith("queue_drop_")) {
        drops += counter.getValue().asLong();
      }
    }
    return drops;
  }
}
