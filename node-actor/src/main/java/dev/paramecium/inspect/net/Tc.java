package dev.paramecium.inspect.net;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.inspect.JsonText;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.Tool;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.inspect.ToolOutput;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code tc qdisc show} and {@code tc filter show} ({@code tc/f_bpf.c}). */
public final class Tc implements Tool {

  private static final String USAGE =
      """
      Usage:	tc [ OPTIONS ] OBJECT { COMMAND | help }
      where  OBJECT := { qdisc | class | filter }
             OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -j[son] | -p[retty] }\
      """;

  private final KernelView kernel;

  private Tc(KernelView kernel) {
    this.kernel = kernel;
  }

  public static Executable onNode(KernelView kernel) {
    return Tool.executable(new Tc(kernel));
  }

  private record Options(boolean json, boolean pretty, boolean statistics) {}

  @Override
  public int run(List<String> arguments, ProcessContext process, ToolOutput output) {
    boolean json = false;
    boolean pretty = false;
    boolean statistics = false;
    int at = 0;
    for (; at < arguments.size() && arguments.get(at).startsWith("-"); at++) {
      switch (arguments.get(at)) {
        case "-V", "-Version" -> {
          output.line("tc utility, iproute2-6.1.0, libbpf 1.1.2");
          return 0;
        }
        case "-j", "-json" -> json = true;
        case "-p", "-pretty" -> pretty = true;
        case "-s", "-stats", "-statistics" -> statistics = true;
        case "-d", "-details", "-r", "-raw", "-n", "-N" -> {}
        default ->
            throw new ToolError(
                255, "Option \"" + arguments.get(at) + "\" is unknown, try \"tc -help\".");
      }
    }
    if (at == arguments.size()) {
      throw new ToolError(0, USAGE);
    }
    Options options = new Options(json, pretty, statistics);
    List<String> rest = arguments.subList(at + 1, arguments.size());
    String object = arguments.get(at);
    if (Arguments.matches(object, "qdisc")) {
      return qdiscs(command("qdisc", rest), options, output);
    }
    if (Arguments.matches(object, "class")) {
      device(command("class", rest));
      return 0;
    }
    if (Arguments.matches(object, "filter")) {
      return filters(command("filter", rest), options, output);
    }
    if (object.equals("help")) {
      throw new ToolError(0, USAGE);
    }
    throw new ToolError(1, "Object \"" + object + "\" is unknown, try \"tc help\".");
  }

  /** The words after {@code show}. */
  private static List<String> command(String object, List<String> words) {
    if (words.isEmpty()) {
      return words;
    }
    String command = words.getFirst();
    if (Arguments.matches(command, "show")
        || Arguments.matches(command, "list")
        || command.equals("ls")
        || command.equals("lst")) {
      return words.subList(1, words.size());
    }
    if (command.equals("help")) {
      throw new ToolError(1, "Usage: tc " + object + " show [ dev STRING ]");
    }
    if (Set.of("add", "del", "delete", "replace", "change", "get", "link").contains(command)) {
      throw Arguments.readOnly("tc " + object + " " + command);
    }
    throw new ToolError(
        1, "Command \"" + command + "\" is unknown, try \"tc " + object + " help\".");
  }

  /** The device named by {@code dev X}, or null; other words are left to the caller. */
  private KernelView.@Nullable Link device(List<String> words) {
    int dev = words.indexOf("dev");
    if (dev < 0) {
      return null;
    }
    if (dev + 1 == words.size()) {
      throw new ToolError(255, "Command line is not complete. Try option \"help\"");
    }
    String name = words.get(dev + 1);
    return hostLinks().stream()
        .filter(link -> link.info().name().equals(name))
        .findFirst()
        .orElseThrow(() -> Arguments.cannotFindDevice(name));
  }

  private List<KernelView.Link> hostLinks() {
    return kernel.links().stream().filter(link -> link.info().netns().isEmpty()).toList();
  }

  // ---- qdisc

  private int qdiscs(List<String> words, Options options, ToolOutput output) {
    KernelView.Link only = device(words);
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (KernelView.Link link : only == null ? hostLinks() : List.of(only)) {
      String dev = only == null ? "dev " + link.info().name() + " " : "";
      if (options.json) {
        json.add(qdisc(link, only == null, link.qdisc(), "0:"));
        if (link.clsact()) {
          json.add(qdisc(link, only == null, "clsact", "ffff:"));
        }
        continue;
      }
      output.line("qdisc " + link.qdisc() + " 0: " + dev + "root refcnt 2 ");
      if (options.statistics) {
        output.print(noStatistics());
      }
      if (link.clsact()) {
        output.line("qdisc clsact ffff: " + dev + "parent ffff:fff1 ");
        if (options.statistics) {
          output.print(noStatistics());
        }
      }
    }
    if (options.json) {
      output.line(options.pretty ? JsonText.IPROUTE2.pretty(json) : json.toString());
    }
    return 0;
  }

  /** Neither noqueue nor clsact queues, so neither counts. */
  private static String noStatistics() {
    return " Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0) \n backlog 0b 0p requeues 0\n";
  }

  private static ObjectNode qdisc(
      KernelView.Link link, boolean withDevice, String kind, String handle) {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("kind", kind).put("handle", handle);
    if (withDevice) {
      json.put("dev", link.info().name());
    }
    if (handle.equals("0:")) {
      json.put("root", true).put("refcnt", 2);
    } else {
      json.put("parent", "ffff:fff1");
    }
    json.putObject("options");
    return json;
  }

  // ---- filter

  private int filters(List<String> words, Options options, ToolOutput output) {
    KernelView.Link link = device(words);
    if (link == null) {
      throw new ToolError(255, "Must specify netdevice, or block index");
    }
    List<KernelView.AttachPoint> points = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      switch (words.get(i)) {
        case "dev" -> i++;
        case "ingress" -> points.add(KernelView.AttachPoint.INGRESS);
        case "egress" -> points.add(KernelView.AttachPoint.EGRESS);
        case "root" -> {}
        default ->
            throw new ToolError(255, "What is \"" + words.get(i) + "\"? Try \"tc filter help\"");
      }
    }
    // Without a direction tc asks for the root qdisc's filters, of which there are none.
    if (points.isEmpty() && link.clsact()) {
      points = List.of(KernelView.AttachPoint.INGRESS, KernelView.AttachPoint.EGRESS);
    }
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (KernelView.AttachPoint point : points) {
      kernel.attachments().stream()
          .filter(a -> a.ifindex() == link.info().ifindex() && a.point() == point)
          .sorted(Comparator.comparingInt(KernelView.Attachment::pref))
          .forEach(a -> filter(a, options, output, json));
    }
    if (options.json) {
      output.line(options.pretty ? JsonText.IPROUTE2.pretty(json) : json.toString());
    }
    return 0;
  }

  private void filter(
      KernelView.Attachment attachment, Options options, ToolOutput output, ArrayNode json) {
    KernelView.ProgramInfo program =
        kernel.programs().stream()
            .filter(p -> p.id() == attachment.programId())
            .findFirst()
            .orElse(null);
    if (program == null) {
      return; // Replaced between the two snapshots; the next look shows its successor.
    }
    String name = program.objectFile() + ":[" + program.section() + "]";
    String tag = String.format(Locale.ROOT, "%016x", program.tag());
    String handle = "0x" + Integer.toHexString(attachment.handle());
    if (options.json) {
      json.addObject()
          .put("protocol", "all")
          .put("pref", attachment.pref())
          .put("kind", "bpf")
          .put("chain", 0);
      ObjectNode entry = json.addObject().put("protocol", "all").put("pref", attachment.pref());
      entry.put("kind", "bpf").put("chain", 0);
      ObjectNode details = entry.putObject("options").put("handle", handle);
      details.put("bpf_name", name).put("direct-action", true).put("not_in_hw", true);
      details.putObject("prog").put("id", program.id()).put("tag", tag).put("jited", 1);
      return;
    }
    String head = "filter protocol all pref " + attachment.pref() + " bpf chain 0 ";
    output.line(head);
    output.line(
        head
            + "handle "
            + handle
            + " "
            + name
            + " direct-action not_in_hw id "
            + program.id()
            + " tag "
            + tag
            + " jited ");
  }
}
