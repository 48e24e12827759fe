package dev.paramecium.inspect.cilium;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.inspect.IdentityLabels;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.Tool;
import dev.paramecium.inspect.ToolError;
import java.util.List;

/** {@code cilium bpf …} and {@code cilium monitor}. */
public final class CiliumCommand implements Executable {

  private final KernelView kernel;
  private final Executable bpf;

  private CiliumCommand(KernelView kernel, IdentityLabels labels) {
    this.kernel = kernel;
    this.bpf = Tool.executable(new BpfCommand(kernel, labels));
  }

  public static Executable onNode(KernelView kernel, IdentityLabels labels) {
    return new CiliumCommand(kernel, labels);
  }

  @Override
  public Process start(ProcessContext process) {
    List<String> words = process.argv();
    String command = words.size() > 1 ? words.get(1) : "";
    return switch (command) {
      case "bpf" -> bpf.start(process);
      case "monitor" -> Monitor.start(kernel, words.subList(2, words.size()), process);
      default ->
          Tool.executable(
                  (_, _, _) -> {
                    throw unknown(command);
                  })
              .start(process);
    };
  }

  private static ToolError unknown(String command) {
    return new ToolError(
        1,
        command.isEmpty()
            ? "Usage:\n  cilium [command]\n\nAvailable Commands:\n  bpf         Direct access to"
                + " local BPF maps\n  monitor     Display BPF program events"
            : "Error: unknown command \""
                + command
                + "\" for \"cilium\"\nRun 'cilium --help' for usage.");
  }
}
