package dev.paramecium.datapath.host;

import dev.paramecium.abi.SourceFile;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import java.util.List;

/**
 * {@code bpf_host.o}, for {@code cilium_host}, and the object that is loaded for {@code
 * cilium_net}.
 *
 * @param fromHost for {@code cilium_host}'s tc egress
 * @param toHost for its tc ingress
 * @param toHostNet for {@code cilium_net}'s tc ingress
 * @param tailCalls for {@code cilium_calls_hostns_NNNNN}, each in its slot
 */
public record BpfHost(
    ProgramSection fromHost,
    ProgramSection toHost,
    ProgramSection toHostNet,
    List<ProgramSection> tailCalls) {

  public static final String OBJECT = "bpf_host.o";
  public static final String NET_OBJECT = "bpf_host_cilium_net.o";

  /**
   * @param calls {@code cilium_calls_hostns_NNNNN}, which the caller fills with {@link #tailCalls}
   */
  public static BpfHost compile(ProgramContext context, ProgramArray calls) {
    int source = context.config().hostEndpointId();
    BpfLib lib = BpfLib.compile(context, source, SourceFile.BPF_HOST, true);
    FromHost from = new FromHost(lib, calls);
    return new BpfHost(
        ProgramSection.attached(OBJECT, "from-host", "from_host", from),
        ProgramSection.attached(OBJECT, "to-host", "to_host", new ToHost(lib)),
        ProgramSection.attached(NET_OBJECT, "to-host", "to_host", new ToHost(lib)),
        List.of(
            ProgramSection.tailCall(
                OBJECT, Calls.IPV4_FROM_HOST, "tail_handle_ipv4_from_host", from::tailHandleIpv4)));
  }
}
