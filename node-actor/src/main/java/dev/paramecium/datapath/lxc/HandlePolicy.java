package dev.paramecium.datapath.lxc;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Conntrack;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.PerCpu;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.lib.Proxy;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.packet.EtherType;
import java.util.Locale;

/**
 * The endpoint's slot of {@code cilium_call_policy}: everything that its pod is to receive,
 * tail-called by whoever delivers it: {@code bpf_overlay.o}, {@code bpf_host.o}, or the {@code
 * bpf_lxc.o} of a pod on this node. cb says who sent and to which device.
 *
 * <pre>
 *   handle_policy → tail_ipv4_ct_ingress_policy_only → tail_ipv4_policy → ipv4_policy → redirect_ep
 * </pre>
 *
 * With IPv4 alone v1.12.3 inlines the two tail calls, and so does this.
 */
public final class HandlePolicy implements Program {

  private static final int LINE_POLICY = 2165;
  private static final int LINE_IPV4_POLICY = 1916;

  private final BpfLib lib;
  private final EndpointProgramConfig endpoint;
  private final IngressPolicy ingress;
  private final TraceRecorder recorder;
  private final ProgramSection section;

  HandlePolicy(BpfLib lib, EndpointProgramConfig endpoint, IngressPolicy ingress) {
    this.lib = lib;
    this.endpoint = endpoint;
    this.ingress = ingress;
    this.recorder = lib.context().recorder();
    this.section =
        new ProgramSection(
            BpfLxc.OBJECT,
            String.format(Locale.ROOT, "%d/0x%04x", ProgramSection.MAP_POLICY, endpoint.id()),
            "handle_policy",
            endpoint.id(),
            this);
  }

  ProgramSection section() {
    return section;
  }

  /** {@code handle_policy}. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.program(packet, section);
      recorder.function(packet, "handle_policy");
    }
    return switch (Ipv4Header.etherType(packet)) {
      case -1 -> drop(packet, packet.cb0, -DropReason.UNSUPPORTED_L2, LINE_POLICY);
      case EtherType.IPV4 -> tailIpv4CtIngressPolicyOnly(packet);
      default -> drop(packet, packet.cb0, -DropReason.UNKNOWN_L3, LINE_POLICY);
    };
  }

  private int drop(SkBuff packet, int sourceIdentity, int error, int line) {
    return lib.events()
        .drop(
            packet,
            sourceIdentity,
            endpoint.securityIdentity(),
            endpoint.id(),
            error,
            MetricsKey.INGRESS,
            line);
  }

  /** Also here what conntrack cannot read is answered raw, and is no drop. */
  private int tailIpv4CtIngressPolicyOnly(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_ipv4_ct_ingress_policy_only");
    }
    PerCpu cpu = PerCpu.current();
    int status = CtLookup.forPolicy(lib.conntrack(), packet, Conntrack.INGRESS, cpu);
    return status < 0 ? status : tailIpv4Policy(packet, cpu);
  }

  private int tailIpv4Policy(SkBuff packet, PerCpu cpu) {
    if (packet.traced) {
      recorder.function(packet, "tail_ipv4_policy");
    }
    int ifindex = packet.cb1;
    int sourceIdentity = packet.cb0;
    packet.cb0 = 0;
    packet.cb3 = 0;
    int result = ingress.decide(packet, ifindex, sourceIdentity, cpu);
    if (result == Outcome.PROXY_REDIRECT) {
      result = Proxy.redirect(packet, cpu.rawProxyPort);
    }
    if (Outcome.isError(result)) {
      return drop(packet, sourceIdentity, result, LINE_IPV4_POLICY);
    }
    packet.cb0 = packet.mark; // CB_PROXY_MAGIC, for to-host
    return result;
  }
}
