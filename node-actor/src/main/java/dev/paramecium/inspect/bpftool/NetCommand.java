package dev.paramecium.inspect.bpftool;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.ToolError;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** {@code bpftool net}: programs by device ({@code net.c}). */
final class NetCommand {

  private static final String USAGE =
      """
      Usage: bpftool net { show | list } [dev <devname>]
             bpftool net help

             OPTIONS := { {-j|--json} [{-p|--pretty}] }

      Note: Only xdp and tc attachments are supported now.
            For progs attached to cgroups, use "bpftool cgroup"
            to dump program attachments.\
      """;

  private final KernelView kernel;
  private final Bpftool.Printer printer;

  NetCommand(KernelView kernel, Bpftool.Printer printer) {
    this.kernel = kernel;
    this.printer = printer;
  }

  void run(Words words) {
    if (words.hasNext() && !words.take("show") && !words.take("list")) {
      boolean help = words.take("help");
      throw new ToolError(help ? 0 : Bpftool.FAILURE, USAGE);
    }
    Map<Integer, String> names =
        kernel.links().stream()
            .filter(link -> link.info().netns().isEmpty())
            .collect(Collectors.toMap(l -> l.info().ifindex(), l -> l.info().name()));
    if (words.hasNext()) {
      if (!words.take("dev") || words.count() != 1) {
        throw new ToolError(Bpftool.FAILURE, USAGE);
      }
      String device = words.next();
      if (!names.containsValue(device)) {
        throw Bpftool.error("invalid devname " + device);
      }
      names.values().removeIf(name -> !name.equals(device));
    }
    List<KernelView.Attachment> attachments =
        kernel.attachments().stream()
            .filter(a -> names.containsKey(a.ifindex()))
            .sorted(
                Comparator.comparingInt(KernelView.Attachment::ifindex)
                    .thenComparing(KernelView.Attachment::point))
            .toList();
    Map<Integer, KernelView.ProgramInfo> programs =
        kernel.programs().stream()
            .collect(Collectors.toMap(KernelView.ProgramInfo::id, Function.identity()));
    if (printer.json()) {
      json(attachments, names, programs);
    } else {
      text(attachments, names, programs);
    }
  }

  private static String programName(KernelView.ProgramInfo program) {
    return program.objectFile() + ":[" + program.section() + "]";
  }

  private void text(
      List<KernelView.Attachment> attachments,
      Map<Integer, String> names,
      Map<Integer, KernelView.ProgramInfo> programs) {
    StringBuilder xdp = new StringBuilder();
    StringBuilder tc = new StringBuilder();
    for (KernelView.Attachment attachment : attachments) {
      KernelView.ProgramInfo program = programs.get(attachment.programId());
      String device = names.get(attachment.ifindex()) + "(" + attachment.ifindex() + ")";
      if (attachment.point().isXdp()) {
        xdp.append(device).append(' ').append(mode(attachment)).append(" id ");
        xdp.append(attachment.programId()).append('\n');
      } else if (program != null) {
        tc.append(device).append(" clsact/").append(direction(attachment)).append(' ');
        tc.append(programName(program)).append(" id ").append(program.id()).append('\n');
      }
    }
    printer.output().print("xdp:\n" + xdp + "\ntc:\n" + tc + "\nflow_dissector:\n\n");
  }

  /** How the device runs an XDP program. */
  private static String mode(KernelView.Attachment attachment) {
    return attachment.point() == KernelView.AttachPoint.XDP ? "driver" : "generic";
  }

  private static String direction(KernelView.Attachment attachment) {
    return attachment.point().name().toLowerCase(Locale.ROOT);
  }

  private void json(
      List<KernelView.Attachment> attachments,
      Map<Integer, String> names,
      Map<Integer, KernelView.ProgramInfo> programs) {
    ArrayNode root = JsonNodeFactory.instance.arrayNode();
    ObjectNode sections = root.addObject();
    ArrayNode xdp = sections.putArray("xdp");
    ArrayNode tc = sections.putArray("tc");
    sections.putArray("flow_dissector");
    for (KernelView.Attachment attachment : attachments) {
      KernelView.ProgramInfo program = programs.get(attachment.programId());
      boolean isXdp = attachment.point().isXdp();
      if (program == null && !isXdp) {
        continue;
      }
      ObjectNode entry = (isXdp ? xdp : tc).addObject();
      entry.put("devname", names.get(attachment.ifindex()));
      entry.put("ifindex", attachment.ifindex());
      if (program == null || isXdp) {
        entry.put("mode", mode(attachment)).put("id", attachment.programId());
      } else {
        entry.put("kind", "clsact/" + direction(attachment));
        entry.put("name", programName(program)).put("id", program.id());
      }
    }
    printer.json(root);
  }
}
