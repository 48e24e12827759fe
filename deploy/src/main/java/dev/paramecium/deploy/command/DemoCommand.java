package dev.paramecium.deploy.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.Resources;
import dev.paramecium.deploy.client.TraceStream;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import dev.paramecium.deploy.walk.Walk;
import dev.paramecium.deploy.walk.WalkPrinter;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** The packet walk: two nodes, two pods, one request, every step of it and of its reply. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description =
        "The packet walk: starts a control plane and two nodes, sends one request from pod to pod,"
            + " shows every step of it and of its reply, tears down.")
public final class DemoCommand implements Callable<Integer> {

  private static final Duration POD_LIMIT = Duration.ofSeconds(30);
  private static final Duration WALK_LIMIT = Duration.ofSeconds(5);
  private static final int TCP = 6;
  private static final int HTTP = 80;

  @Override
  public Integer call() {
    long start = System.nanoTime();
    Path home = ClusterOptions.home().resolve("demo-" + ProcessHandle.current().pid());
    Ipv4Address block = LocalCluster.freeLoopbackBlock(2);
    Topology topology = Topology.of(2, block.plus(1), LocalCluster.freePort());
    say(
        start,
        "starting a control plane on "
            + block
            + " and nodes on "
            + block.plus(1)
            + " and "
            + block.plus(2));
    Thread cleanup = new Thread(() -> LocalCluster.kill(home), "demo cleanup");
    Runtime.getRuntime().addShutdownHook(cleanup);
    try {
      LocalCluster cluster =
          LocalCluster.start(home, topology, block.toString(), line -> say(start, line));
      cluster.awaitReady(line -> say(start, line));
      boolean complete = walk(new ApiHttp(cluster.apiServer()), topology, line -> say(start, line));
      say(start, "stopping " + cluster.pids().size() + " JVMs (pids " + join(cluster.pids()) + ")");
      return complete ? 0 : UserError.FAILED;
    } finally {
      LocalCluster.kill(home);
      DownCommand.deleteTree(home);
      Runtime.getRuntime().removeShutdownHook(cleanup);
    }
  }

  private static String join(List<Long> pids) {
    return String.join(", ", pids.stream().map(String::valueOf).toList());
  }

  private static void say(long start, String line) {
    System.out.printf("%5.1f s  %s%n", (System.nanoTime() - start) / 1e9, line);
    System.out.flush();
  }

  /** What the demo tells on its way. */
  interface Progress {
    void say(String line);
  }

  /**
   * Applies the two pods, runs the request under a trace, and tells what was seen.
   *
   * @return whether the reply arrived and all steps of request and reply were seen in order
   */
  static boolean walk(ApiHttp api, Topology topology, Progress progress) {
    String first = topology.nodes().get(0).name();
    String second = topology.nodes().get(1).name();
    Resources resources = Resources.discover(api);
    for (ObjectNode pod : Manifests.parse("the demo's manifest", manifest(first, second))) {
      progress.say(ApplyCommand.apply(api, resources, pod, "default"));
    }
    Pods.Pod curl = Pods.awaitReady(api, "default", "curl", POD_LIMIT);
    Pods.Pod httpbin = Pods.awaitReady(api, "default", "httpbin", POD_LIMIT);
    progress.say(
        "curl is "
            + curl.address()
            + " on "
            + curl.node()
            + ", httpbin is "
            + httpbin.address()
            + " on "
            + httpbin.node());
    Pods.awaitSynced(api, topology.nodes().size(), POD_LIMIT);
    String url = "http://" + httpbin.address() + ":" + HTTP + "/get";
    progress.say("kubectl exec curl -n default -- curl " + url);

    TraceFilter filter = new TraceFilter(curl.address(), httpbin.address(), TCP, 0, HTTP);
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    int exitCode;
    List<Observation> seen;
    try (TraceStream trace = TraceStream.open(api, filter)) {
      exitCode =
          ExecSession.run(
              api,
              curl.execPath() + ExecSession.query(List.of("curl", "-sS", url), "", false, false),
              null,
              body,
              errors);
      trace.await(
          observations -> data(observations, true).map(Walk::isComplete).orElse(false), WALK_LIMIT);
      seen = trace.observations();
    }
    showWhatThePodSees(api, curl, httpbin);
    return tell(
        exitCode,
        body.toString(StandardCharsets.UTF_8),
        errors.toString(StandardCharsets.UTF_8),
        seen,
        progress);
  }

  /**
   * Step 1 as an operator looks at it: the route, the neighbour and the interface that the request
   * left by.
   */
  private static void showWhatThePodSees(ApiHttp api, Pods.Pod curl, Pods.Pod httpbin) {
    System.out.println();
    for (List<String> command :
        List.of(
            List.of("ip", "route", "get", httpbin.address().toString()),
            List.of("arp", "-n"),
            List.of("ip", "link", "show", "eth0"))) {
      System.out.println("$ kubectl exec curl -- " + String.join(" ", command));
      System.out.flush();
      ExecSession.run(
          api,
          curl.execPath() + ExecSession.query(command, "", false, false),
          null,
          System.out,
          System.err);
    }
  }

  private static boolean tell(
      int exitCode, String body, String errors, List<Observation> seen, Progress progress) {
    WalkPrinter printer = new WalkPrinter(System.out, WalkPrinter.coloursWanted());
    boolean complete = exitCode == 0;
    complete &= tell(printer, "The request", data(seen, false));
    complete &= tell(printer, "The reply", data(seen, true));
    System.out.println();
    System.out.print(body);
    System.out.flush();
    if (exitCode != 0) {
      System.err.println(
          "paramecium: curl ended with exit code " + exitCode + ": " + errors.strip());
    }
    progress.say(
        complete
            ? "the request and its reply crossed all "
                + Walk.STEPS
                + " steps, in order, on two nodes"
            : "the walk is not complete");
    return complete;
  }

  private static boolean tell(WalkPrinter printer, String title, Optional<Walk> walk) {
    if (walk.isEmpty()) {
      System.err.println(
          "paramecium: " + title.toLowerCase(java.util.Locale.ROOT) + " was not seen anywhere.");
      return false;
    }
    printer.print(title, walk.get());
    if (!walk.get().isComplete()) {
      System.err.println(
          "paramecium: "
              + title.toLowerCase(java.util.Locale.ROOT)
              + " was not seen at step "
              + walk.get().missingSteps()
              + ", or out of order.");
      return false;
    }
    return true;
  }

  /**
   * The first packet with payload in one direction: the HTTP request, or the first segment of its
   * response.
   */
  private static Optional<Walk> data(List<Observation> seen, boolean reply) {
    return Walk.first(Walk.byPacket(seen), reply, Walk::carriesData);
  }

  private static String manifest(String curlNode, String httpbinNode) {
    return """
    apiVersion: v1
    kind: Pod
    metadata: {name: curl, labels: {app: curl}}
    spec:
      nodeName: %s
      containers:
      - {name: curl, image: curlimages/curl, command: [sleep, 365d]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: httpbin, labels: {app: httpbin}}
    spec:
      nodeName: %s
      containers:
      - {name: httpbin, image: kennethreitz/httpbin, ports: [{containerPort: 80}]}
    """
        .formatted(curlNode, httpbinNode);
  }
}
