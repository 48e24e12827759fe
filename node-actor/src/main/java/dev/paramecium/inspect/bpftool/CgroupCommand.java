package dev.paramecium.inspect.bpftool;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.ToolError;
import java.util.List;
import java.util.Locale;

/** {@code bpftool cgroup} ({@code cgroup.c}). */
final class CgroupCommand {

  private static final String ROOT = "/sys/fs/cgroup";

  private static final String USAGE =
      """
      Usage: bpftool cgroup { show | list } CGROUP [**effective**]
             bpftool cgroup tree [CGROUP_ROOT] [**effective**]
             bpftool cgroup help\
      """;

  /** init.sh attaches with neither BPF_F_ALLOW_MULTI nor BPF_F_ALLOW_OVERRIDE. */
  private static final String NO_FLAGS = "";

  private final KernelView kernel;
  private final Bpftool.Printer printer;

  CgroupCommand(KernelView kernel, Bpftool.Printer printer) {
    this.kernel = kernel;
    this.printer = printer;
  }

  void run(Words words) {
    if (words.take("show") || words.take("list")) {
      words.require("show", 1);
      show(words.next());
    } else if (words.take("tree")) {
      tree(words.hasNext() ? words.next() : ROOT);
    } else {
      throw new ToolError(words.take("help") ? 0 : Bpftool.FAILURE, USAGE);
    }
  }

  private void show(String path) {
    String cgroup = withoutSlash(path);
    if (!cgroup.equals(ROOT) && under(cgroup).isEmpty()) {
      throw Bpftool.error("can't open cgroup " + path);
    }
    List<KernelView.CgroupAttachment> attachments =
        kernel.cgroupAttachments().stream()
            .filter(a -> withoutSlash(a.cgroup()).equals(cgroup))
            .toList();
    if (printer.json()) {
      ArrayNode json = JsonNodeFactory.instance.arrayNode();
      attachments.forEach(a -> json.add(toJson(a)));
      printer.json(json);
      return;
    }
    if (attachments.isEmpty()) {
      return;
    }
    printer.output().line(header());
    attachments.forEach(a -> printer.output().line(row(a)));
  }

  private void tree(String path) {
    List<String> cgroups =
        under(withoutSlash(path)).stream()
            .map(a -> withoutSlash(a.cgroup()))
            .distinct()
            .sorted()
            .toList();
    if (printer.json()) {
      ArrayNode json = JsonNodeFactory.instance.arrayNode();
      for (String cgroup : cgroups) {
        ArrayNode programs = json.addObject().put("cgroup", cgroup).putArray("programs");
        kernel.cgroupAttachments().stream()
            .filter(a -> withoutSlash(a.cgroup()).equals(cgroup))
            .forEach(a -> programs.add(toJson(a)));
      }
      printer.json(json);
      return;
    }
    printer.output().line("CgroupPath").line(header());
    for (String cgroup : cgroups) {
      printer.output().line(cgroup);
      kernel.cgroupAttachments().stream()
          .filter(a -> withoutSlash(a.cgroup()).equals(cgroup))
          .forEach(a -> printer.output().line("    " + row(a)));
    }
  }

  private List<KernelView.CgroupAttachment> under(String root) {
    return kernel.cgroupAttachments().stream()
        .filter(a -> (withoutSlash(a.cgroup()) + "/").startsWith(root + "/"))
        .toList();
  }

  private static String withoutSlash(String path) {
    return path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  private static String header() {
    return row("ID", "AttachType", "AttachFlags", "Name");
  }

  private String row(KernelView.CgroupAttachment attachment) {
    return row(
        Integer.toString(attachment.programId()),
        attachment.attachType(),
        NO_FLAGS,
        name(attachment));
  }

  private static String row(String id, String type, String flags, String name) {
    return String.format(Locale.ROOT, "%-8s %-15s %-15s %-15s", id, type, flags, name);
  }

  private String name(KernelView.CgroupAttachment attachment) {
    return kernel.programs().stream()
        .filter(p -> p.id() == attachment.programId())
        .map(KernelView.ProgramInfo::function)
        .map(f -> f.length() > 15 ? f.substring(0, 15) : f)
        .findFirst()
        .orElse("");
  }

  private ObjectNode toJson(KernelView.CgroupAttachment attachment) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("id", attachment.programId())
        .put("attach_type", attachment.attachType())
        .put("attach_flags", NO_FLAGS)
        .put("name", name(attachment));
  }
}
