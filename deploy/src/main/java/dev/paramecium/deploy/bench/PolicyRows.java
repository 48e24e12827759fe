package dev.paramecium.deploy.bench;

import dev.paramecium.deploy.cluster.JavaCommand;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Policies on their way to all nodes, measured in a JVM of their own. */
public final class PolicyRows {

  /** The hidden command that measures in its own JVM. */
  public static final String COMMAND = "measure-policy";

  /** Of a cluster of 1,000 machines, Cilium 1.18's own figure; what ours may take. */
  private static final double REFERENCE_MS = 317;

  private static final double LIMIT_MS = 500;

  private static final Pattern FIGURE = Pattern.compile("(?m)^([a-z0-9-]+) ([0-9.]+)$");

  private PolicyRows() {}

  static void measure(PolicyBenchmark.Size size, Consumer<Row> rows) {
    String output =
        ReferenceProgram.run(
                JavaCommand.ofThisJvm()
                    .of(
                        List.of("-XX:+UseParallelGC", "-Xmx8g"),
                        List.of(
                            COMMAND,
                            Integer.toString(size.nodes()),
                            Integer.toString(size.pods()),
                            Integer.toString(size.policies()))))
            .output()
            .join();
    Map<String, Double> figures = new HashMap<>();
    // The logging library may speak before the first figure.
    Matcher line = FIGURE.matcher(output);
    while (line.find()) {
      figures.put(line.group(1), Double.parseDouble(line.group(2)));
    }
    String note =
        size.policies()
            + " policies, "
            + size.pods()
            + " pods, "
            + size.nodes()
            + " nodes, one JVM";
    String perNode =
        "one node: p50 "
            + figure(figures, "node-p50")
            + " ms, p99 "
            + figure(figures, "node-p99")
            + " ms";
    rows.accept(row("policy applied to all nodes, p50", figure(figures, "all-p50"), note, true));
    rows.accept(row("policy applied to all nodes, p99", figure(figures, "all-p99"), perNode, true));
    rows.accept(
        row(
            "all policies at once, to all nodes",
            figure(figures, "burst"),
            "until the last",
            false));
  }

  private static double figure(Map<String, Double> figures, String name) {
    Double figure = figures.get(name);
    if (figure == null) {
      throw new IllegalStateException(COMMAND + " printed no " + name);
    }
    return figure;
  }

  private static Row row(String what, double millis, String note, boolean judged) {
    return new Row(
        what,
        "ms",
        millis,
        "Cilium 1.18, 1,000 nodes",
        REFERENCE_MS,
        millis / REFERENCE_MS,
        judged ? LIMIT_MS / REFERENCE_MS : null,
        true,
        note);
  }
}
