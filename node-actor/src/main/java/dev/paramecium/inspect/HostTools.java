package dev.paramecium.inspect;

import dev.paramecium.container.process.Executable;
import dev.paramecium.inspect.bpftool.Bpftool;
import dev.paramecium.inspect.cilium.CiliumCommand;
import dev.paramecium.inspect.net.Arp;
import dev.paramecium.inspect.net.Ip;
import dev.paramecium.inspect.net.Tc;
import dev.paramecium.inspect.tcpdump.Tcpdump;
import java.util.Map;

/** What is in PATH of a node's host namespace beside the programs that pods have too. */
public final class HostTools {

  private HostTools() {}

  /** The node's tools by name, for the host namespace's processes. */
  public static Map<String, Executable> create(
      KernelView kernel, IdentityLabels labels, AgentSocket agent) {
    return Map.of(
        "ip", Ip.onNode(kernel),
        "arp", Arp.onNode(),
        "tc", Tc.onNode(kernel),
        "bpftool", Bpftool.onNode(kernel),
        "tcpdump", Tcpdump.onNode(kernel),
        "cilium", CiliumCommand.onNode(kernel, labels, agent),
        "cilium-health", new AgentTool(agent),
        // Ours: which rules the entries of a policy map come from.
        "paramecium-policy", new AgentTool(agent));
  }
}
