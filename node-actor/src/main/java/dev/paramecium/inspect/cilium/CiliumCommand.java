package dev.paramecium.inspect.cilium;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.inspect.AgentSocket;
import dev.paramecium.inspect.AgentTool;
import dev.paramecium.inspect.IdentityLabels;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.Tool;
import java.util.List;

/**
 * {@code cilium bpf …}, {@code cilium monitor} and {@code cilium policy wait}; whatever else is
 * asked, the agent answers.
 */
public final class CiliumCommand implements Executable {

  private final KernelView kernel;
  private final IdentityLabels labels;
  private final Executable bpf;
  private final Executable agent;
  private final AgentSocket socket;

  private CiliumCommand(KernelView kernel, IdentityLabels labels, AgentSocket agent) {
    this.labels = labels;
    this.kernel = kernel;
    this.bpf = Tool.executable(new BpfCommand(kernel, labels));
    this.agent = new AgentTool(agent);
    this.socket = agent;
  }

  public static Executable onNode(KernelView kernel, IdentityLabels labels, AgentSocket agent) {
    return new CiliumCommand(kernel, labels, agent);
  }

  @Override
  public Process start(ProcessContext process) {
    List<String> words = process.argv();
    if (words.size() > 2 && words.subList(1, 3).equals(List.of("policy", "wait"))) {
      return PolicyWait.start(words.subList(3, words.size()), socket, process);
    }
    return switch (words.size() > 1 ? words.get(1) : "") {
      case "bpf" -> bpf.start(process);
      case "monitor" ->
          Monitor.start(kernel, labels, socket, words.subList(2, words.size()), process);
      default -> agent.start(process);
    };
  }
}
