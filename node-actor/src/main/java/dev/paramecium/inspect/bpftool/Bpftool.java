package dev.paramecium.inspect.bpftool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.inspect.JsonText;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.Tool;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.inspect.ToolOutput;
import java.util.ArrayList;
import java.util.List;

/** {@code bpftool}: options and the choice of the object. */
public final class Bpftool implements Tool {

  /** bpftool leaves with -1 for every failure. */
  static final int FAILURE = 255;

  private static final String USAGE =
      """
      Usage: bpftool [OPTIONS] OBJECT { COMMAND | help }
             bpftool version

             OBJECT := { prog | map | cgroup | net }
             OPTIONS := { {-j|--json} [{-p|--pretty}] | {-f|--bpffs} | {-V|--version} }\
      """;

  private final KernelView kernel;

  private Bpftool(KernelView kernel) {
    this.kernel = kernel;
  }

  public static Executable onNode(KernelView kernel) {
    return Tool.executable(new Bpftool(kernel));
  }

  /**
   * How results are printed.
   *
   * @param pinned whether the paths of pinned objects are shown (-f)
   */
  record Printer(ToolOutput output, boolean json, boolean pretty, boolean pinned) {

    void json(JsonNode node) {
      output.line(pretty ? JsonText.BPFTOOL.pretty(node) : node.toString());
    }
  }

  @Override
  public int run(List<String> arguments, ProcessContext process, ToolOutput output) {
    boolean json = false;
    boolean pretty = false;
    boolean pinned = false;
    boolean version = false;
    List<String> words = new ArrayList<>();
    for (String word : arguments) {
      switch (word) {
        case "-j", "--json" -> json = true;
        case "-p", "--pretty" -> {
          json = true;
          pretty = true;
        }
        case "-jp" -> {
          json = true;
          pretty = true;
        }
        case "-f", "--bpffs" -> pinned = true;
        case "-V", "--version" -> version = true;
        case "-h", "--help" -> throw new ToolError(0, USAGE);
        case "-m", "--mapcompat", "-n", "--nomount", "-d", "--debug", "-l", "--legacy" -> {}
        default -> {
          if (word.startsWith("-") && words.isEmpty()) {
            throw new ToolError(FAILURE, "Error: unrecognized option '" + word + "'\n" + USAGE);
          }
          words.add(word);
        }
      }
    }
    Printer printer = new Printer(output, json, pretty, pinned);
    try {
      if (version) {
        version(printer);
      } else {
        object(words, printer);
      }
      return 0;
    } catch (ToolError e) {
      if (!json || !e.text().startsWith("Error: ")) {
        throw e;
      }
      printer.json(
          JsonNodeFactory.instance
              .objectNode()
              .put("error", e.text().substring("Error: ".length())));
      return e.exitCode();
    }
  }

  private void object(List<String> words, Printer printer) {
    if (words.isEmpty()) {
      throw new ToolError(FAILURE, USAGE);
    }
    Words rest = new Words(words.subList(1, words.size()));
    String object = words.getFirst();
    if (isPrefix(object, "help")) {
      throw new ToolError(0, USAGE);
    } else if (isPrefix(object, "prog")) {
      new ProgCommand(kernel, printer).run(rest);
    } else if (isPrefix(object, "map")) {
      new MapCommand(kernel, printer).run(rest);
    } else if (isPrefix(object, "cgroup")) {
      new CgroupCommand(kernel, printer).run(rest);
    } else if (isPrefix(object, "net")) {
      new NetCommand(kernel, printer).run(rest);
    } else if (isPrefix(object, "version")) {
      version(printer);
    } else {
      throw new ToolError(FAILURE, USAGE);
    }
  }

  private static void version(Printer printer) {
    if (printer.json) {
      printer.json(
          JsonNodeFactory.instance
              .objectNode()
              .put("version", "7.1.0")
              .put("libbpf_version", "1.1")
              .set("features", JsonNodeFactory.instance.objectNode().put("libbpf_strict", true)));
    } else {
      printer.output.print("bpftool v7.1.0\nusing libbpf v1.1\nfeatures: libbpf_strict\n");
    }
  }

  /** bpftool takes any beginning of a word for the word. */
  static boolean isPrefix(String word, String full) {
    return !word.isEmpty() && full.startsWith(word);
  }

  static ToolError error(String message) {
    return new ToolError(FAILURE, "Error: " + message);
  }
}
