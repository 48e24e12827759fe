package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.health.HealthProber;
import dev.paramecium.agent.health.HealthReport;
import dev.paramecium.agent.health.HealthReport.Node;
import dev.paramecium.agent.health.HealthReport.Path;
import dev.paramecium.agent.health.HealthReport.Probe;
import dev.paramecium.agent.health.HealthReport.Reachability;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code cilium-health}, and the cluster's health in {@code cilium status} ({@code
 * pkg/health/client}).
 */
final class HealthTables {

  static final String PROGRAM = "cilium-health";

  private static final Duration READ = Duration.ofSeconds(3);

  /** A little less than Cilium's clients wait. */
  private static final Duration PROBE = Duration.ofSeconds(29);

  /** How many nodes {@code cilium status} lists ({@code healthLines}). */
  private static final int LINES = 10;

  private static final DateTimeFormatter RFC3339 =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss'Z'").withZone(ZoneOffset.UTC);

  private static final String USAGE =
      """
      Cilium Health Client

      Usage:
        cilium-health [command]

      Available Commands:
        ping        Check whether the cilium-health API is up
        status      Display cilium connectivity to other nodes
      """;

  private HealthTables() {}

  static CompletionStage<CommandOutput> run(AgentView view, Arguments arguments) {
    ActorRef<HealthProber.Command> prober = view.health();
    String verb = arguments.word(0);
    if (verb.isEmpty() || verb.equals("help") || arguments.has("help", "h")) {
      return now(CommandOutput.of(USAGE));
    }
    if (prober == null) {
      return now(
          CommandOutput.error(
              "dial unix /var/run/cilium/health.sock: connect: no such file or directory\n"
                  + "enable-health-checking is off"));
    }
    return switch (verb) {
      case "ping" -> now(CommandOutput.of("OK\n"));
      case "status" ->
          report(view, prober, arguments.has("probe"))
              .thenApply(report -> status(report, arguments));
      default ->
          now(
              CommandOutput.error(
                  "unknown command \""
                      + verb
                      + "\" for \"cilium-health\": use one of ping, status"));
    };
  }

  private static CompletionStage<CommandOutput> now(CommandOutput output) {
    return CompletableFuture.completedFuture(output);
  }

  private static CompletionStage<HealthReport> report(
      AgentView view, ActorRef<HealthProber.Command> prober, boolean probeNow) {
    return probeNow
        ? AskPattern.ask(prober, HealthProber.ProbeNow::new, PROBE, view.scheduler())
        : AskPattern.ask(prober, HealthProber.Read::new, READ, view.scheduler());
  }

  /** The last rows of {@code cilium status}. */
  static CompletionStage<String> ofStatus(AgentView view, Arguments arguments) {
    ActorRef<HealthProber.Command> prober = view.health();
    if (prober == null) {
      return CompletableFuture.completedFuture(
          new TabWriter(2, 3).row("Cluster health:", "", "Probe disabled").toString());
    }
    boolean all = arguments.has("all-health", "verbose");
    return report(view, prober, false).thenApply(report -> succinct(report, all, LINES));
  }

  private static CommandOutput status(HealthReport report, Arguments arguments) {
    if (arguments.json()) {
      return json(report);
    }
    return CommandOutput.of(
        arguments.has("succinct")
            ? succinct(report, arguments.has("verbose"), 0)
            : full(report, arguments.has("verbose")));
  }

  // ---- one line a node

  /**
   * @param all the healthy ones too
   * @param maxLines how many nodes at most, 0 for all
   */
  private static String succinct(HealthReport report, boolean all, int maxLines) {
    TabWriter table = new TabWriter(2, 3);
    long healthy = report.healthy();
    int size = report.nodes().size();
    table.row("Cluster health:", healthy + "/" + size + " reachable", "(" + time(report) + ")");
    if (all || healthy < size) {
      table.row("  Name", "IP", "Node", "Endpoints");
    }
    int shown = 0;
    for (Node node : report.nodes()) {
      if (maxLines > 0 && shown++ >= maxLines) {
        break;
      }
      if (all || !node.isHealthy()) {
        table.row(
            "  " + title(report, node),
            node.host().ip().toString(),
            node.host().reachability().toString(),
            reachability(node.endpoint()).toString());
      }
    }
    return table + (maxLines > 0 && size - healthy > maxLines ? "  ..." : "");
  }

  private static Reachability reachability(@Nullable Path path) {
    return path == null ? Reachability.UNREACHABLE : path.reachability();
  }

  private static String title(HealthReport report, Node node) {
    return node.name() + (node.name().equals(report.self()) ? " (localhost)" : "");
  }

  private static String time(HealthReport report) {
    return RFC3339.format(report.startedAt());
  }

  // ---- everything

  private static String full(HealthReport report, boolean verbose) {
    TabWriter table = new TabWriter(0, 3);
    table.row("Probe time:", time(report));
    table.line("Nodes:");
    for (Node node : report.nodes()) {
      table.line("  " + title(report, node) + ":");
      path(table, "Host", node.host());
      if (node.endpoint() != null) {
        path(table, "Endpoint", node.endpoint());
      } else if (verbose) {
        table.row("    Endpoint connectivity:", "nil");
      }
    }
    return table.toString();
  }

  private static void path(TabWriter table, String name, Path path) {
    table.line("    " + name + " connectivity to " + path.ip() + ":");
    if (path.icmp() != null) {
      table.row("      ICMP to stack:", text(path.icmp()));
    }
    if (path.http() != null) {
      table.row("      HTTP to agent:", text(path.http()));
    }
  }

  private static String text(Probe probe) {
    return probe.failure().isEmpty()
        ? "OK, RTT=" + GoDuration.text(probe.latencyNs())
        : probe.failure();
  }

  // ---- JSON

  private static CommandOutput json(HealthReport report) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.putObject("local").put("name", report.self());
    ArrayNode nodes = json.putArray("nodes");
    for (Node node : report.nodes()) {
      ObjectNode object = nodes.addObject();
      if (node.endpoint() != null) {
        object.putObject("health-endpoint").set("primary-address", json(node.endpoint()));
      }
      object.putObject("host").set("primary-address", json(node.host()));
      object.put("name", node.name());
    }
    json.put("timestamp", time(report));
    return Json.print(json);
  }

  private static ObjectNode json(Path path) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    probe(json, "http", path.http());
    probe(json, "icmp", path.icmp());
    return json.put("ip", path.ip().toString());
  }

  private static void probe(ObjectNode json, String name, @Nullable Probe probe) {
    if (probe == null) {
      return;
    }
    ObjectNode object = json.putObject(name);
    if (probe.failure().isEmpty()) {
      object.put("latency", probe.latencyNs());
    } else {
      object.put("status", probe.failure());
    }
  }
}
