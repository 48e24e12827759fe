package dev.paramecium.inspect.bpftool;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.ToolError;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** {@code bpftool prog} ({@code prog.c}). */
final class ProgCommand {

  /** BPF_OBJ_NAME_LEN without its zero byte. */
  static final int NAME_LENGTH = 15;

  private static final DateTimeFormatter LOADED_AT =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ssxx", Locale.ROOT).withZone(ZoneOffset.UTC);

  private static final String USAGE =
      """
      Usage: bpftool prog { show | list } [PROG]
             bpftool prog dump { xlated | jited } PROG
             bpftool prog help

             PROG := { id PROG_ID | tag PROG_TAG | name PROG_NAME }
             OPTIONS := { {-j|--json} [{-p|--pretty}] }\
      """;

  private final KernelView kernel;
  private final Bpftool.Printer printer;

  ProgCommand(KernelView kernel, Bpftool.Printer printer) {
    this.kernel = kernel;
    this.printer = printer;
  }

  void run(Words words) {
    if (!words.hasNext() || words.take("show") || words.take("list")) {
      show(words);
    } else if (words.take("dump")) {
      dump(words);
    } else {
      throw new ToolError(words.take("help") ? 0 : Bpftool.FAILURE, USAGE);
    }
  }

  private void show(Words words) {
    boolean one = words.count() == 2;
    if (words.hasNext() && !one) {
      throw new ToolError(Bpftool.FAILURE, USAGE);
    }
    List<KernelView.ProgramInfo> programs = one ? select(words) : all();
    if (printer.json()) {
      ArrayNode json = JsonNodeFactory.instance.arrayNode();
      programs.forEach(program -> json.add(toJson(program)));
      printer.json(one && json.size() == 1 ? json.get(0) : json);
    } else {
      programs.forEach(program -> printer.output().print(text(program)));
    }
  }

  private List<KernelView.ProgramInfo> all() {
    return kernel.programs().stream()
        .sorted(Comparator.comparingInt(KernelView.ProgramInfo::id))
        .toList();
  }

  /** {@code id N}, {@code tag T} or {@code name X}; the last two may name several. */
  private List<KernelView.ProgramInfo> select(Words words) {
    List<KernelView.ProgramInfo> found;
    if (words.take("id")) {
      int id = words.id();
      found = all().stream().filter(p -> p.id() == id).toList();
      if (found.isEmpty()) {
        throw Bpftool.error("get by id (" + id + "): No such file or directory");
      }
    } else if (words.take("tag")) {
      String tag = words.next();
      if (!tag.matches("[0-9a-fA-F]{16}")) {
        throw Bpftool.error("can't parse tag");
      }
      found = all().stream().filter(p -> tag(p).equalsIgnoreCase(tag)).toList();
      if (found.isEmpty()) {
        throw Bpftool.error("no program with tag " + tag);
      }
    } else if (words.take("name")) {
      String name = words.next();
      if (name.length() > NAME_LENGTH) {
        throw Bpftool.error("can't parse name");
      }
      found = all().stream().filter(p -> name(p).equals(name)).toList();
      if (found.isEmpty()) {
        throw Bpftool.error("no program with name " + name);
      }
    } else if (words.take("pinned")) {
      throw Bpftool.error("bpf obj get (" + words.next() + "): No such file or directory");
    } else {
      throw Bpftool.error("expected 'id', 'tag', 'name' or 'pinned', got: '" + words.peek() + "'?");
    }
    return found;
  }

  private static String tag(KernelView.ProgramInfo program) {
    return String.format(Locale.ROOT, "%016x", program.tag());
  }

  private static String name(KernelView.ProgramInfo program) {
    String function = program.function();
    return function.length() > NAME_LENGTH ? function.substring(0, NAME_LENGTH) : function;
  }

  /** Without run statistics, as where {@code kernel.bpf_stats_enabled} is 0; JSON has them. */
  private static String text(KernelView.ProgramInfo program) {
    StringBuilder text = new StringBuilder();
    text.append(program.id()).append(": ").append(program.type());
    if (!program.function().isEmpty()) {
      text.append("  name ").append(name(program));
    }
    text.append("  tag ").append(tag(program)).append("  gpl");
    text.append("\n\tloaded_at ");
    text.append(LOADED_AT.format(Instant.ofEpochMilli(program.loadedAtEpochMs())));
    text.append("  uid 0\n\txlated ").append(program.xlatedBytes()).append("B  jited ");
    text.append(program.jitedBytes()).append("B  memlock ").append(program.memlock()).append('B');
    if (!program.mapIds().isEmpty()) {
      text.append("  map_ids ");
      text.append(program.mapIds().stream().map(String::valueOf).collect(Collectors.joining(",")));
    }
    if (program.btfId() != 0) {
      text.append("\n\tbtf_id ").append(program.btfId());
    }
    return text.append('\n').toString();
  }

  private static ObjectNode toJson(KernelView.ProgramInfo program) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("id", program.id()).put("type", program.type());
    if (!program.function().isEmpty()) {
      json.put("name", name(program));
    }
    json.put("tag", tag(program)).put("gpl_compatible", true);
    if (program.runTimeNs() != 0) {
      json.put("run_time_ns", program.runTimeNs()).put("run_cnt", program.runCount());
    }
    json.put("loaded_at", program.loadedAtEpochMs() / 1000).put("uid", 0);
    json.put("orphaned", false).put("bytes_xlated", program.xlatedBytes());
    json.put("jited", true).put("bytes_jited", program.jitedBytes());
    json.put("bytes_memlock", program.memlock());
    if (!program.mapIds().isEmpty()) {
      program.mapIds().forEach(json.putArray("map_ids")::add);
    }
    if (program.btfId() != 0) {
      json.put("btf_id", program.btfId());
    }
    return json;
  }

  /** There is no bytecode to dump: says so, and names what runs instead. */
  private void dump(Words words) {
    String form = words.hasNext() ? words.next() : "(null)";
    if (!Bpftool.isPrefix(form, "xlated") && !Bpftool.isPrefix(form, "jited")) {
      throw Bpftool.error("expected 'xlated' or 'jited', got: " + form);
    }
    words.require("dump " + form, 2);
    List<KernelView.ProgramInfo> programs = select(words);
    if (programs.size() > 1) {
      throw Bpftool.error("several programs match this handle");
    }
    KernelView.ProgramInfo program = programs.getFirst();
    throw Bpftool.error(
        "program "
            + program.id()
            + " has no eBPF bytecode to dump: this node runs "
            + program.objectFile()
            + " section "
            + program.section()
            + " as a Java program with the steps and names of Cilium v1.12.3's "
            + program.function()
            + "; 'paramecium trace' shows what it does to a packet");
  }
}
