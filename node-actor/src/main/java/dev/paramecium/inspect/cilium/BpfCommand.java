package dev.paramecium.inspect.cilium;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.inspect.IdentityLabels;
import dev.paramecium.inspect.JsonText;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.Tool;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.inspect.ToolOutput;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code cilium bpf}: options and the choice of the map. */
final class BpfCommand implements Tool {

  private static final String USAGE =
      """
      Direct access to local BPF maps

      Usage:
        cilium bpf [command]

      Available Commands:
        ct          Connection tracking tables
        endpoint    Local endpoint map
        ipcache     Manage the IPCache mappings for IP/CIDR <-> Identity
        ipmasq      ip-masq-agent CIDRs
        lb          Load-balancing configuration
        metrics     BPF datapath traffic metrics
        nat         NAT mapping tables
        policy      Manage policy related BPF maps
        tunnel      Tunnel endpoint map

      Flags:
        -o, --output string   json| yaml| jsonpath='{}'\
      """;

  private final KernelView kernel;
  private final IdentityLabels labels;

  BpfCommand(KernelView kernel, IdentityLabels labels) {
    this.kernel = kernel;
    this.labels = labels;
  }

  /** What a sub-command works with. */
  record Request(
      KernelView kernel,
      IdentityLabels labels,
      List<String> arguments,
      Set<String> flags,
      boolean json,
      ToolOutput output) {

    boolean has(String... names) {
      for (String name : names) {
        if (flags.contains(name)) {
          return true;
        }
      }
      return false;
    }

    @Nullable BpfMap find(String name) {
      return kernel.maps().stream().filter(m -> m.name().equals(name)).findFirst().orElse(null);
    }

    /** As Go's {@code os.Open} fails on a pinned map that is not there. */
    BpfMap map(String name) {
      BpfMap map = find(name);
      if (map == null) {
        throw new ToolError(
            1,
            "error dumping contents of map: unable to open map "
                + MapNames.PIN_DIRECTORY
                + name
                + ": no such file or directory");
      }
      return map;
    }

    void printJson(JsonNode node) {
      output.line(JsonText.GO.pretty(node));
    }
  }

  @Override
  public int run(List<String> arguments, ProcessContext process, ToolOutput output) {
    List<String> words = new ArrayList<>();
    Set<String> flags = new LinkedHashSet<>();
    boolean json = false;
    for (int i = 1; i < arguments.size(); i++) {
      String word = arguments.get(i);
      if (word.equals("-o") || word.equals("--output")) {
        i++;
        json = isJson(i < arguments.size() ? arguments.get(i) : "");
      } else if (word.startsWith("--output=")) {
        json = isJson(word.substring("--output=".length()));
      } else if (word.startsWith("-o") && word.length() > 2) {
        json = isJson(word.substring(2));
      } else if (word.startsWith("-")) {
        flags.add(word);
      } else {
        words.add(word);
      }
    }
    if (words.isEmpty() || flags.contains("-h") || flags.contains("--help")) {
      output.line(USAGE);
      return 0;
    }
    String object = words.getFirst();
    String command = words.size() > 1 ? words.get(1) : "";
    List<String> rest = words.subList(Math.min(2, words.size()), words.size());
    Request request = new Request(kernel, labels, rest, flags, json, output);
    switch (object + " " + (command.equals("ls") ? "list" : command)) {
      case "ipcache list" -> TableCommands.ipcacheList(checked(request, object));
      case "ipcache get" -> TableCommands.ipcacheGet(checked(request, object));
      case "ipmasq list" -> TableCommands.ipmasqList(checked(request, object));
      case "endpoint list" -> TableCommands.endpointList(checked(request, object));
      case "tunnel list" -> TableCommands.tunnelList(checked(request, object));
      case "metrics list" -> TableCommands.metricsList(checked(request, object));
      case "ct list" -> ConntrackCommands.list(checked(request, object, "-d", "--time-diff"));
      case "ct flush" -> ConntrackCommands.flush(checked(request, object));
      case "nat flush" -> ConntrackCommands.natFlush(checked(request, object));
      case "nat list" -> ConntrackCommands.natList(checked(request, object));
      case "policy get", "policy list" ->
          PolicyCommand.get(checked(request, object, "-n", "--numeric", "--all"));
      case "lb list" ->
          LoadBalancerCommand.list(
              checked(request, object, "--frontends", "--backends", "--revnat", "--source-ranges"));
      case "lb maglev" -> LoadBalancerCommand.maglev(checked(request, object));
      default -> throw unknown(object, command);
    }
    return 0;
  }

  private static boolean isJson(String format) {
    if (format.equals("json")) {
      return true;
    }
    throw new ToolError(
        1,
        "Error: output format \""
            + format
            + "\" is not supported here: use -o json, and a program such as jq on it");
  }

  private static Request checked(Request request, String object, String... known) {
    for (String flag : request.flags) {
      if (!List.of(known).contains(flag) && !flag.equals("-D") && !flag.equals("--debug")) {
        throw new ToolError(
            1,
            (flag.startsWith("--")
                    ? "Error: unknown flag: " + flag
                    : "Error: unknown shorthand flag: '" + flag.substring(1) + "' in " + flag)
                + "\nRun 'cilium bpf "
                + object
                + " --help' for usage.");
      }
    }
    return request;
  }

  private static ToolError unknown(String object, String command) {
    if (!List.of("ct", "endpoint", "ipcache", "ipmasq", "lb", "metrics", "nat", "policy", "tunnel")
        .contains(object)) {
      return new ToolError(
          1,
          "Error: unknown command \""
              + object
              + "\" for \"cilium bpf\"\nRun 'cilium bpf --help' for usage.");
    }
    String commands =
        switch (object) {
          case "ct", "nat" -> "list, flush";
          case "lb" -> "list, maglev";
          case "ipcache" -> "list, get";
          case "policy" -> "get";
          default -> "list";
        };
    return new ToolError(
        1,
        command.isEmpty()
            ? "Usage:\n  cilium bpf " + object + " [command]\n\nAvailable Commands: " + commands
            : "Error: unknown command \""
                + command
                + "\" for \"cilium bpf "
                + object
                + "\": available are "
                + commands);
  }
}
