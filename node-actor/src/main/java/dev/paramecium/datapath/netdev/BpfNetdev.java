package dev.paramecium.datapath.netdev;

import dev.paramecium.abi.SourceFile;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.NodePort;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_host.o} as it is compiled for a native device, {@code bpf_netdev_eth0.o}.
 *
 * @param fromNetdev for the device's tc ingress
 * @param toNetdev for its tc egress
 * @param tailCalls for {@code cilium_calls_netdev_NNNNN}, each in its slot
 */
public record BpfNetdev(
    ProgramSection fromNetdev, ProgramSection toNetdev, List<ProgramSection> tailCalls) {

  /**
   * @param device {@code eth0}
   * @param calls {@code cilium_calls_netdev_NNNNN}, which the caller fills with {@link #tailCalls}
   */
  public static BpfNetdev compile(
      ProgramContext context, String device, ProgramArray calls, VlanFilter vlans) {
    String object = "bpf_netdev_" + device + ".o";
    BpfLib lib =
        BpfLib.compile(context, context.config().hostEndpointId(), SourceFile.BPF_HOST, true);
    @Nullable NodePort nodePort =
        NodePort.compile(object, lib, calls, TracePoint.TO_NETWORK, Identity.HOST);
    FromNetdev from = new FromNetdev(lib, calls, vlans, nodePort);
    List<ProgramSection> tailCalls = new ArrayList<>();
    tailCalls.add(
        ProgramSection.tailCall(
            object, Calls.IPV4_FROM_NETDEV, "tail_handle_ipv4_from_netdev", from::tailHandleIpv4));
    if (nodePort != null) {
      tailCalls.addAll(nodePort.tailCalls());
    }
    return new BpfNetdev(
        ProgramSection.attached(object, "from-netdev", "from_netdev", from),
        ProgramSection.attached(
            object, "to-netdev", "to_netdev", new ToNetdev(lib, vlans, nodePort)),
        List.copyOf(tailCalls));
  }
}
