package dev.paramecium.datapath.lxc;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.Conntrack;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.PerCpu;
import dev.paramecium.lib.Proxy;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.packet.EtherType;

/**
 * {@code bpf_lxc.o:[to-container]}, tc egress of an lxc device: what the stack routes to the pod.
 * Attached only with per-endpoint routes; otherwise {@link HandlePolicy} stands in its place.
 *
 * <pre>
 *   handle_to_container --27--> tail_ipv4_ct_ingress --13--> tail_ipv4_to_endpoint → ipv4_policy
 * </pre>
 */
public final class ToContainer implements Program {

  private static final int LINE_TO_CONTAINER = 2329;
  private static final int LINE_TO_ENDPOINT = 1995;

  private final BpfLib lib;
  private final EndpointProgramConfig endpoint;
  private final IngressPolicy ingress;
  private final ProgramArray calls;
  private final TraceRecorder recorder;

  ToContainer(
      BpfLib lib, EndpointProgramConfig endpoint, IngressPolicy ingress, ProgramArray calls) {
    this.lib = lib;
    this.endpoint = endpoint;
    this.ingress = ingress;
    this.calls = calls;
    this.recorder = lib.context().recorder();
  }

  /** {@code handle_to_container}. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "handle_to_container");
    }
    int etherType = Ipv4Header.etherType(packet);
    if (etherType < 0) {
      return drop(packet, 0, -DropReason.UNSUPPORTED_L2, LINE_TO_CONTAINER);
    }
    packet.clearCb();
    int magic = packet.mark & Identity.MARK_MAGIC_HOST_MASK;
    int identity = Identity.inheritFromHost(packet);
    boolean fromProxy =
        magic == Identity.MARK_MAGIC_PROXY_INGRESS || magic == Identity.MARK_MAGIC_PROXY_EGRESS;
    lib.events()
        .trace(
            packet,
            fromProxy ? TracePoint.FROM_PROXY : TracePoint.FROM_STACK,
            identity,
            packet.ingressIfindex);
    packet.cb0 = identity;
    return switch (etherType) {
      case EtherType.ARP -> Verdict.OK;
      case EtherType.IPV4 ->
          calls.tailCall(packet, Calls.IPV4_CT_INGRESS)
              ? Verdict.TAIL_CALL
              : drop(packet, identity, -DropReason.MISSED_TAIL_CALL, LINE_TO_CONTAINER);
      default -> drop(packet, identity, -DropReason.UNKNOWN_L3, LINE_TO_CONTAINER);
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

  /** Slot 27, {@code tail_ipv4_ct_ingress}. */
  int tailIpv4CtIngress(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_ipv4_ct_ingress");
    }
    int status = CtLookup.forPolicy(lib.conntrack(), packet, Conntrack.INGRESS, PerCpu.current());
    if (status < 0) {
      return status;
    }
    return calls.tailCall(packet, Calls.IPV4_TO_ENDPOINT) ? Verdict.TAIL_CALL : Verdict.OK;
  }

  /** Slot 13, {@code tail_ipv4_to_endpoint}. */
  int tailIpv4ToEndpoint(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_ipv4_to_endpoint");
    }
    PerCpu cpu = PerCpu.current();
    if (!Ipv4Header.isThere(packet)) {
      return drop(packet, packet.cb0, -DropReason.INVALID, LINE_TO_ENDPOINT);
    }
    int sourceIdentity =
        Identity.resolveSource(packet, packet.cb0, lib.context().maps().ipcache(), recorder);
    lib.metrics().forwarded(packet, MetricsKey.INGRESS);
    packet.cb0 = 0;
    int result = ingress.decide(packet, 0, sourceIdentity, cpu);
    if (result == Outcome.PROXY_REDIRECT) {
      result =
          Proxy.redirectHairpin(
              packet, cpu.rawProxyPort, lib.context().config(), endpoint.nodeMac());
    }
    return Outcome.isError(result)
        ? drop(packet, sourceIdentity, result, LINE_TO_ENDPOINT)
        : result;
  }
}
