package dev.paramecium.datapath.lxc;

import dev.paramecium.abi.SourceFile;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.NodePort;
import dev.paramecium.lib.Policy;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.map.PolicyMap;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code bpf_lxc.o} as cilium-agent compiles it for one endpoint.
 *
 * @param fromContainer for the lxc device's tc ingress
 * @param toContainer for its tc egress, with per-endpoint routes only
 * @param handlePolicy for {@code cilium_call_policy}, in the endpoint's slot
 * @param tailCalls for {@code cilium_calls_NNNNN}, each in its slot
 */
public record BpfLxc(
    ProgramSection fromContainer,
    ProgramSection toContainer,
    ProgramSection handlePolicy,
    List<ProgramSection> tailCalls) {

  public static final String OBJECT = "bpf_lxc.o";

  /**
   * @param policy {@code cilium_policy_NNNNN}
   * @param calls {@code cilium_calls_NNNNN}, which the caller fills with {@link #tailCalls}
   */
  public static BpfLxc compile(
      ProgramContext context,
      EndpointProgramConfig endpoint,
      PolicyMap policy,
      ProgramArray calls) {
    BpfLib lib = BpfLib.compile(context, endpoint.id(), SourceFile.BPF_LXC, true);
    Policy rules = new Policy(context, policy, endpoint.securityIdentity());
    IngressPolicy ingress = new IngressPolicy(lib, endpoint, rules);
    FromContainer from = new FromContainer(lib, endpoint, rules, calls);
    ToContainer to = new ToContainer(lib, endpoint, ingress, calls);
    List<ProgramSection> tailCalls = new ArrayList<>(ownTailCalls(from, to));
    NodePort nodePort =
        NodePort.compile(OBJECT, lib, calls, TracePoint.TO_NETWORK, endpoint.securityIdentity());
    if (nodePort != null) {
      tailCalls.addAll(nodePort.tailCalls());
    }
    return new BpfLxc(
        ProgramSection.attached(OBJECT, "from-container", "handle_xgress", from),
        ProgramSection.attached(OBJECT, "to-container", "handle_to_container", to),
        new HandlePolicy(lib, endpoint, ingress).section(),
        List.copyOf(tailCalls));
  }

  private static List<ProgramSection> ownTailCalls(FromContainer from, ToContainer to) {
    return List.of(
        ProgramSection.tailCall(OBJECT, Calls.ARP, "tail_handle_arp", from::tailHandleArp),
        ProgramSection.tailCall(
            OBJECT, Calls.IPV4_FROM_LXC, "tail_handle_ipv4", from::tailHandleIpv4),
        ProgramSection.tailCall(
            OBJECT, Calls.IPV4_CT_EGRESS, "tail_ipv4_ct_egress", from::tailIpv4CtEgress),
        ProgramSection.tailCall(
            OBJECT, Calls.IPV4_FROM_LXC_CONT, "tail_handle_ipv4_cont", from::tailHandleIpv4Cont),
        ProgramSection.tailCall(
            OBJECT, Calls.IPV4_CT_INGRESS, "tail_ipv4_ct_ingress", to::tailIpv4CtIngress),
        ProgramSection.tailCall(
            OBJECT, Calls.IPV4_TO_ENDPOINT, "tail_ipv4_to_endpoint", to::tailIpv4ToEndpoint));
  }
}
