package dev.paramecium.inspect.net;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.inspect.JsonText;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.Tool;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.inspect.ToolOutput;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code ip}: options and the choice of the object; it only shows, it changes nothing. */
public final class Ip implements Tool {

  static final String VERSION = "ip utility, iproute2-6.1.0, libbpf 1.1.2";

  private static final String USAGE =
      """
      Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
      where  OBJECT := { address | link | neighbour | netns | route | rule }
             OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -j[son] | -p[retty] |
                          -f[amily] { inet | inet6 | link } | -4 | -6 | -0 |
                          -br[ief] | -o[neline] | -n[etns] name | -N[umeric] |
                          -h[uman-readable] | -r[esolve] | -c[olor] }
      """;

  private final @Nullable KernelView kernel;

  private Ip(@Nullable KernelView kernel) {
    this.kernel = kernel;
  }

  /** The node's {@code ip}. */
  public static Executable onNode(KernelView kernel) {
    return Tool.executable(new Ip(kernel));
  }

  /** A pod's {@code ip}; it sees its own namespace and nothing of the node. */
  public static Executable inPod() {
    return Tool.executable(new Ip(null));
  }

  @Override
  public int run(List<String> arguments, ProcessContext process, ToolOutput output) {
    Arguments words = new Arguments(arguments);
    Options options = new Options();
    while (words.hasNext()) {
      String word = words.next();
      if (!word.startsWith("-")) {
        return object(word, new IpContext(kernel, options, process, output), words);
      }
      if (!options.take(word, words)) {
        output.line(VERSION);
        return 0;
      }
    }
    throw new ToolError(Arguments.USAGE, USAGE.stripTrailing());
  }

  private static int object(String object, IpContext ip, Arguments words) {
    if (Arguments.matches(object, "address")) {
      return IpLink.addresses(ip, words);
    }
    if (Arguments.matches(object, "route")) {
      return IpRoute.run(ip, words);
    }
    if (Arguments.matches(object, "rule")) {
      return IpNamespaces.rules(ip, words);
    }
    if (Arguments.matches(object, "neighbor") || Arguments.matches(object, "neighbour")) {
      return IpNeighbour.run(ip, words);
    }
    if (Arguments.matches(object, "link")) {
      return IpLink.links(ip, words);
    }
    if (Arguments.matches(object, "netns")) {
      return IpNamespaces.netns(ip, words);
    }
    if (Arguments.matches(object, "help")) {
      throw new ToolError(Arguments.USAGE, USAGE.stripTrailing());
    }
    throw new ToolError(1, "Object \"" + object + "\" is unknown, try \"ip help\".");
  }

  /** What the options before the object say. */
  static final class Options {
    boolean inetOnly;
    boolean inet6Only;
    boolean linkOnly;
    boolean oneLine;
    boolean brief;
    boolean statistics;
    boolean details;
    boolean json;
    boolean pretty;
    String netns = "";

    /** False for -V, which ends the command. */
    private boolean take(String word, Arguments words) {
      String option = word.startsWith("--") ? word.substring(1) : word;
      switch (option) {
        case "-4" -> inetOnly = true;
        case "-6" -> inet6Only = true;
        case "-0" -> linkOnly = true;
        case "-o" -> oneLine = true;
        case "-c", "-N", "-r", "-h", "-t", "-ts", "-iec", "-a" -> {}
        case "-j" -> json = true;
        case "-p" -> pretty = true;
        case "-s" -> statistics = true;
        case "-d" -> details = true;
        case "-n" -> netns = words.next();
        case "-f" -> family(words.next());
        case "-V" -> {
          return false;
        }
        default -> {
          return takeLong(option, words);
        }
      }
      return true;
    }

    private boolean takeLong(String option, Arguments words) {
      if (option.length() < 3) {
        throw unknown(option);
      } else if ("-oneline".startsWith(option)) {
        oneLine = true;
      } else if ("-brief".startsWith(option)) {
        brief = true;
      } else if ("-statistics".startsWith(option) || "-stats".startsWith(option)) {
        statistics = true;
      } else if ("-details".startsWith(option)) {
        details = true;
      } else if ("-json".startsWith(option)) {
        json = true;
      } else if ("-pretty".startsWith(option)) {
        pretty = true;
      } else if ("-family".startsWith(option)) {
        family(words.next());
      } else if ("-netns".startsWith(option)) {
        netns = words.next();
      } else if ("-Version".startsWith(option)) {
        return false;
      } else if ("-help".startsWith(option)) {
        throw new ToolError(Arguments.USAGE, USAGE.stripTrailing());
      } else if (!"-Numeric".startsWith(option)
          && !"-resolve".startsWith(option)
          && !"-human-readable".startsWith(option)
          && !option.startsWith("-color")
          && !"-timestamp".startsWith(option)) {
        throw unknown(option);
      }
      return true;
    }

    private void family(String name) {
      switch (name) {
        case "inet" -> inetOnly = true;
        case "inet6" -> inet6Only = true;
        case "link" -> linkOnly = true;
        default ->
            throw new ToolError(
                Arguments.USAGE,
                "Error: argument \"" + name + "\" is wrong: invalid protocol family");
      }
    }

    private static ToolError unknown(String option) {
      return new ToolError(
          Arguments.USAGE, "Option \"" + option + "\" is unknown, try \"ip -help\".");
    }
  }

  /**
   * What every object needs.
   *
   * @param kernel null in a pod
   */
  record IpContext(
      @Nullable KernelView kernel, Options options, ProcessContext process, ToolOutput output) {

    /** The devices of the namespace that the command is about. */
    List<Device> devices() {
      if (options.netns.isEmpty()) {
        String own = "";
        return Device.list(kernel, own, process.namespace());
      }
      if (kernel == null || !kernel.namespaces().contains(options.netns)) {
        throw noSuchNamespace();
      }
      return Device.list(kernel, options.netns, process.namespace());
    }

    /** Refuses {@code -n} for what only the namespace's own actor knows. */
    void requireOwnNamespace(String object) {
      if (options.netns.isEmpty()) {
        return;
      }
      if (kernel == null || !kernel.namespaces().contains(options.netns)) {
        throw noSuchNamespace();
      }
      throw new ToolError(
          1,
          "ip -n shows links only; for its "
              + object
              + " run ip in the pod: kubectl exec POD -- ip "
              + object);
    }

    private ToolError noSuchNamespace() {
      return new ToolError(
          Arguments.USAGE,
          "Cannot open network namespace \"" + options.netns + "\": No such file or directory");
    }

    /** Prints JSON, pretty if asked for. */
    void printJson(ArrayNode array) {
      output.line(options.pretty ? JsonText.IPROUTE2.pretty(array) : array.toString());
    }

    /** One record; with -o its lines are joined by backslashes. */
    void printRecord(String text) {
      output.line(options.oneLine ? text.replace("\n", "\\") : text);
    }
  }
}
