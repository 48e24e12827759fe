package dev.paramecium.inspect.tcpdump;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.Tool;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.inspect.ToolOutput;
import dev.paramecium.inspect.packet.Packet;
import dev.paramecium.syscall.LinkInfo;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code tcpdump} on a node. Its -w and -r name files on the machine that runs the node, relative
 * to where the node was started, since a node has no disk of its own; {@code -w -} writes to
 * stdout.
 */
public final class Tcpdump implements Executable {

  private final KernelView kernel;

  private Tcpdump(KernelView kernel) {
    this.kernel = kernel;
  }

  public static Executable onNode(KernelView kernel) {
    return new Tcpdump(kernel);
  }

  @Override
  public Process start(ProcessContext process) {
    try {
      List<String> words = process.argv();
      Options options = Options.parse(words.subList(1, words.size()));
      if (options.listDevices) {
        return Tool.executable((_, _, output) -> listDevices(output)).start(process);
      }
      if (!options.read.isEmpty()) {
        return Tool.executable((_, _, output) -> read(options, output)).start(process);
      }
      return capture(options, process);
    } catch (ToolError e) {
      return Tool.executable(
              (_, _, _) -> {
                throw e;
              })
          .start(process);
    }
  }

  private List<KernelView.Link> hostLinks() {
    return kernel.links().stream().filter(link -> link.info().netns().isEmpty()).toList();
  }

  private int listDevices(ToolOutput output) {
    int number = 1;
    for (KernelView.Link link : hostLinks()) {
      boolean loopback = link.info().kind() == LinkInfo.Kind.LOOPBACK;
      output.line(
          number++
              + "."
              + link.info().name()
              + " [Up, Running"
              + (loopback ? ", Loopback]" : ", Connected]"));
    }
    output.line(number + ".any (Pseudo-device that captures on all interfaces) [Up, Running]");
    return 0;
  }

  /** The device to listen on, null for all of them; without -i the first that is no loopback. */
  private KernelView.@Nullable Link device(String name) {
    if (name.equals("any")) {
      return null;
    }
    return hostLinks().stream()
        .filter(
            link ->
                name.isEmpty()
                    ? link.info().kind() != LinkInfo.Kind.LOOPBACK
                    : link.info().name().equals(name)
                        || Integer.toString(link.info().ifindex()).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new ToolError(
                    1,
                    name.isEmpty()
                        ? "tcpdump: no suitable device found"
                        : "tcpdump: " + name + ": No such device exists\n(No such device exists)"));
  }

  private Process capture(Options options, ProcessContext process) {
    KernelView.Link link = device(options.device);
    Filter filter = FilterParser.parse(options.expression);
    OutputStream file = null;
    if (!options.write.isEmpty() && !options.write.equals("-")) {
      try {
        file = Files.newOutputStream(Path.of(options.write));
      } catch (IOException | IllegalArgumentException e) {
        throw new ToolError(
            1,
            "tcpdump: "
                + options.write
                + ": cannot be written on the machine that runs this node: "
                + e.getMessage());
      }
    }
    return Capture.start(kernel, options, link, filter, file, process);
  }

  /** {@code -r}: the same lines, of a file. */
  private int read(Options options, ToolOutput output) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(Path.of(options.read));
    } catch (NoSuchFileException e) {
      throw new ToolError(1, "tcpdump: " + options.read + ": No such file or directory");
    } catch (IOException | IllegalArgumentException e) {
      throw new ToolError(1, "tcpdump: " + options.read + ": " + e.getMessage());
    }
    PcapFile.Contents contents = PcapFile.read(bytes);
    output.error(
        "reading from file "
            + options.read
            + ", link-type EN10MB (Ethernet), snapshot length "
            + contents.snapLength()
            + "\n");
    Filter filter = FilterParser.parse(options.expression);
    Lines lines = new Lines(options, false, _ -> "");
    int printed = 0;
    for (PcapFile.Record record : contents.records()) {
      if (options.count > 0 && printed == options.count) {
        break;
      }
      Packet packet = new Packet(record.frame().bytes());
      if (filter.matches(packet, record.frame().length())) {
        output.line(lines.format(record.epochNs(), record.frame(), packet));
        printed++;
      }
    }
    return 0;
  }
}
