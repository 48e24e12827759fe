package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.endpoint.EndpointState;
import dev.paramecium.agent.policy.ProxyState;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.reconciler.MapReconciler.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** {@code cilium status}, {@code cilium node list} and {@code cilium version}. */
final class StatusReport {

  private static final Duration TIMEOUT = Duration.ofSeconds(3);
  private static final String COMMIT = "1c466d2";
  private static final List<String> KUBERNETES_APIS =
      List.of(
          "cilium/v2::CiliumEndpoint",
          "cilium/v2::CiliumIdentity",
          "cilium/v2::CiliumNode",
          "core/v1::Namespace",
          "core/v1::Pods");

  /** One of the agent's loops; {@code error} is empty while it succeeds. */
  private record Controller(String name, String error) {}

  private StatusReport() {}

  static CompletionStage<CommandOutput> status(AgentView view, Arguments arguments) {
    CompletionStage<Progress> progress =
        AskPattern.ask(
            view.reconciler(), MapReconciler.ReadProgress::new, TIMEOUT, view.scheduler());
    return progress.thenCombine(
        HealthTables.ofStatus(view, arguments),
        (now, health) -> print(view, arguments, controllers(view, now), health));
  }

  private static List<Controller> controllers(AgentView view, Progress progress) {
    List<Controller> controllers = new ArrayList<>();
    if (view.health() != null) {
      controllers.add(new Controller("cilium-health-ep", ""));
    }
    new TreeMap<>(progress.entries())
        .keySet()
        .forEach(
            map -> {
              int errors = progress.errors().getOrDefault(map, 0);
              controllers.add(
                  new Controller(
                      "bpf-map-sync-" + map,
                      errors == 0 ? "" : errors + " entries could not be written"));
            });
    for (EndpointModel endpoint : view.endpoints()) {
      boolean stuck = endpoint.state() == EndpointState.NOT_READY;
      controllers.add(
          new Controller(
              "sync-to-k8s-ciliumendpoint (" + endpoint.spec().id() + ")",
              stuck ? "endpoint " + endpoint.spec().id() + " could not be regenerated" : ""));
    }
    return controllers;
  }

  private static String masquerading(AgentView view) {
    if (!view.options().isOn("enable-ipv4-masquerade")) {
      return "Disabled";
    }
    if (!view.options().isOn("enable-bpf-masquerade")) {
      return "IPTables [IPv4: Enabled, IPv6: Disabled]";
    }
    String exclusion = String.valueOf(view.options().values().get("ipv4-native-routing-cidr"));
    return (view.options().isOn("enable-ip-masq-agent") ? "BPF (ip-masq-agent)" : "BPF")
        + "\t[eth0]\t"
        + (exclusion.isEmpty() ? view.podCidr() : exclusion)
        + " [IPv4: Enabled, IPv6: Disabled]";
  }

  private static CommandOutput print(
      AgentView view, Arguments arguments, List<Controller> controllers, String health) {
    List<Controller> failing =
        controllers.stream().filter(controller -> !controller.error().isEmpty()).toList();
    String state = view.ready() ? "Ok" : "Failure";
    String version = view.ciliumVersion() + " (v" + view.ciliumVersion() + "-" + COMMIT + ")";
    if (arguments.json()) {
      return json(view, state, version, controllers);
    }
    int exitCode = view.ready() ? 0 : 1;
    if (arguments.has("brief")) {
      String trouble =
          !view.ready()
              ? "error in cilium: the node's datapath is not loaded yet\n"
              : failing.isEmpty()
                  ? "OK\n"
                  : "error in controller "
                      + failing.getFirst().name()
                      + ": "
                      + failing.getFirst().error()
                      + "\n";
      return new CommandOutput(trouble, "", exitCode);
    }
    boolean verbose = arguments.has("verbose");
    TabWriter table = new TabWriter(2, 3);
    String minor = view.kubernetesVersion().replaceFirst("^v(\\d+\\.\\d+).*", "$1");
    table.row("KVStore:", "Ok", "Disabled");
    table.row("Kubernetes:", "Ok", minor + " (" + view.kubernetesVersion() + ") [linux/amd64]");
    table.row("Kubernetes APIs:", "[\"" + String.join("\", \"", KUBERNETES_APIS) + "\"]");
    table.row("KubeProxyReplacement:", view.options().kubeProxyReplacement(), "");
    table.row("Host firewall:", "Disabled");
    table.row("CNI Chaining:", "none");
    table.row("Cilium:", state + "   " + version);
    table.row(
        "NodeMonitor:",
        "Listening for events on " + view.cpus() + " CPUs with 64x4096 of shared memory");
    if (view.health() != null) {
      table.row("Cilium health daemon:", "Ok", "");
    }
    table.row(
        "IPAM:",
        "IPv4: "
            + view.addresses().size()
            + "/"
            + view.capacity()
            + " allocated from "
            + view.podCidr()
            + ", ");
    if (verbose || arguments.has("all-addresses")) {
      table.line("Allocated addresses:");
      new TreeSet<>(lines(view.addresses())).forEach(table::line);
    }
    table.row("BandwidthManager:", "Disabled");
    table.row("Host Routing:", "Legacy");
    table.line("Masquerading:\t" + masquerading(view));
    if (verbose) {
      table.row("Clock Source for BPF:", "ktime");
    }
    table.row(
        "Controller Status:",
        (controllers.size() - failing.size()) + "/" + controllers.size() + " healthy");
    List<Controller> shown = verbose || arguments.has("all-controllers") ? controllers : failing;
    if (!shown.isEmpty()) {
      table.line("  Name\tMessage");
      shown.forEach(
          controller ->
              table.row(
                  "  " + controller.name(),
                  controller.error().isEmpty() ? "no error" : controller.error()));
    }
    proxy(view, arguments, table);
    table.row(
        "Global Identity Range:",
        "min " + ReservedIdentity.ALLOCATION_MIN + ", max " + ReservedIdentity.ALLOCATION_MAX);
    table.row("Hubble:", "Disabled");
    table.row("Encryption:", "Disabled");
    // The real command leaves before the health rows if the agent is not well.
    return new CommandOutput(table + (exitCode == 0 ? health : ""), "", exitCode);
  }

  private static void proxy(AgentView view, Arguments arguments, TabWriter table) {
    ProxyState proxy = view.proxy();
    if (proxy.address() == null) {
      table.row("Proxy Status:", "No managed proxy redirect");
      return;
    }
    List<ProxyState.Redirect> redirects = proxy.redirects();
    table.row(
        "Proxy Status:",
        "OK, ip "
            + proxy.address()
            + ", "
            + redirects.size()
            + " redirects active on ports 10000-20000");
    if ((arguments.has("verbose") || arguments.has("all-redirects")) && !redirects.isEmpty()) {
      table.row("  Protocol", "Redirect", "Proxy Port");
      redirects.stream()
          .sorted(
              Comparator.comparing(ProxyState.Redirect::listener)
                  .thenComparing(ProxyState.Redirect::name))
          .forEach(
              redirect ->
                  table.row(
                      "  " + redirect.listener(),
                      redirect.name(),
                      Integer.toString(redirect.port())));
    }
  }

  private static List<String> lines(Map<Ipv4Address, String> addresses) {
    List<String> lines = new ArrayList<>();
    addresses.forEach((address, owner) -> lines.add("  " + address + " (" + owner + ")"));
    return lines;
  }

  private static CommandOutput json(
      AgentView view, String state, String version, List<Controller> controllers) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.putObject("cilium").put("msg", version).put("state", state);
    json.set("cluster", cluster(view));
    ArrayNode array = json.putArray("controllers");
    for (Controller controller : controllers) {
      ObjectNode node = array.addObject().put("name", controller.name());
      ObjectNode status = node.putObject("status");
      if (!controller.error().isEmpty()) {
        status.put("last-failure-msg", controller.error());
      }
    }
    ObjectNode ipam = json.putObject("ipam");
    ObjectNode allocations = ipam.putObject("allocations");
    new TreeMap<>(view.addresses())
        .forEach((address, owner) -> allocations.put(address.toString(), owner));
    ipam.put(
        "status",
        "IPv4: "
            + view.addresses().size()
            + "/"
            + view.capacity()
            + " allocated from "
            + view.podCidr()
            + ", ");
    json.putObject("kubernetes").put("msg", view.kubernetesVersion()).put("state", "Ok");
    json.putObject("nodeMonitor").put("cpus", view.cpus()).put("npages", 64).put("pagesize", 4096);
    return Json.print(json);
  }

  private static ObjectNode cluster(AgentView view) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode nodes = json.putArray("nodes");
    for (AgentView.Node node : view.nodes()) {
      ObjectNode ipv4 =
          nodes.addObject().put("name", node.name()).putObject("primary-address").putObject("ipv4");
      ipv4.put("alloc-range", node.podCidr());
      ipv4.put("enabled", true);
      ipv4.put("ip", node.address());
    }
    json.put("self", view.nodeName());
    return json;
  }

  static CommandOutput nodes(AgentView view, Arguments arguments) {
    if (arguments.json()) {
      return Json.print(cluster(view));
    }
    List<String> lines = new ArrayList<>();
    lines.add("Name\tIPv4 Address\tEndpoint CIDR\tIPv6 Address\tEndpoint CIDR");
    for (AgentView.Node node : view.nodes()) {
      lines.add(node.name() + "\t" + node.address() + "\t" + node.podCidr() + "\t\t");
    }
    if (lines.size() == 1) {
      return CommandOutput.of("");
    }
    // The real command sorts the header among the nodes too; it comes first by its capital.
    lines.sort(String::compareTo);
    TabWriter table = new TabWriter(0, 3);
    lines.forEach(table::line);
    return CommandOutput.of(table.toString());
  }

  static CommandOutput version(AgentView view, Arguments arguments) {
    String version = view.ciliumVersion() + " " + COMMIT + " go version go1.18.7 linux/amd64";
    if (arguments.json()) {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      for (String side : List.of("Client", "Daemon")) {
        json.putObject(side)
            .put("Version", view.ciliumVersion())
            .put("Revision", COMMIT)
            .put("GoRuntimeVersion", "go1.18.7")
            .put("Arch", "amd64");
      }
      return Json.print(json);
    }
    return CommandOutput.of("Client: " + version + "\nDaemon: " + version + "\n");
  }
}
