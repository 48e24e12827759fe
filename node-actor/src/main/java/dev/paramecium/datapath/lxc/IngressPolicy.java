package dev.paramecium.datapath.lxc;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Conntrack;
import dev.paramecium.lib.CtState;
import dev.paramecium.lib.Dsr;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.PerCpu;
import dev.paramecium.lib.Policy;
import dev.paramecium.lib.Proxy;
import dev.paramecium.lib.Redirect;
import dev.paramecium.lib.TraceRecorder;
import org.jspecify.annotations.Nullable;

/**
 * {@code ipv4_policy} of {@code bpf_lxc.c}: may the endpoint receive this packet? Asked by its
 * policy program and by to-container, after conntrack.
 *
 * <pre>
 *   answers the egress proxy's connection? → proxy
 *   answers a service's? → from the frontend again       from itself? → no policy
 *   policy → denied | conntrack entry → proxy | the pod
 * </pre>
 */
final class IngressPolicy {

  private final BpfLib lib;
  private final NodeConfig config;
  private final EndpointProgramConfig endpoint;
  private final Policy policy;
  private final @Nullable Dsr dsr;
  private final TraceRecorder recorder;

  IngressPolicy(BpfLib lib, EndpointProgramConfig endpoint, Policy policy) {
    this.lib = lib;
    this.config = lib.context().config();
    this.endpoint = endpoint;
    this.policy = policy;
    this.dsr = Dsr.compile(lib);
    this.recorder = lib.context().recorder();
  }

  /**
   * @param ifindex of the device that the traces name, 0 for none
   * @param sourceIdentity who sent
   * @return a verdict, {@link Outcome#PROXY_REDIRECT} with {@link PerCpu#rawProxyPort}, or a
   *     negative drop reason
   */
  int decide(SkBuff packet, int ifindex, int sourceIdentity, PerCpu cpu) {
    if (packet.traced) {
      recorder.function(packet, "ipv4_policy");
    }
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    packet.cb2 = 0; // policy_clear_mark
    int originalSource = Ipv4Header.saddr(packet);
    if (cpu.tuple.saddr == 0) {
      return -DropReason.INVALID_TC_BUFFER;
    }
    int status = cpu.ctStatus;
    CtState state = cpu.ctState;
    if (Conntrack.isReply(status)
        && state.proxyRedirect
        && (packet.tcIndex & Identity.SKIP_EGRESS_PROXY) == 0) {
      return toProxy(packet, ifindex, sourceIdentity, originalSource, 0, cpu);
    }
    if (status == Conntrack.REPLY && state.rawRevNatIndex != 0 && !state.loopback) {
      int error =
          lib.loadBalancer()
              .reverseNat(packet, Ipv4Header.l4Offset(packet), state, cpu.tuple, true, false);
      if (error < 0) {
        return error;
      }
    }
    int verdict = 0;
    if (!state.loopback) {
      verdict = check(packet, sourceIdentity, status, cpu);
      if (verdict < 0 && !Conntrack.isReply(status)) {
        return verdict;
      }
    }
    int error = track(packet, sourceIdentity, verdict, status, cpu);
    if (error < 0) {
      return error;
    }
    if (Proxy.isRedirected(verdict, status)) {
      return toProxy(packet, ifindex, sourceIdentity, originalSource, verdict, cpu);
    }
    trace(packet, TracePoint.TO_LXC, sourceIdentity, endpoint.id(), ifindex, originalSource, cpu);
    int target = packet.cb1;
    if (packet.traced) {
      recorder.function(packet, "redirect_ep");
    }
    return target == 0 ? Verdict.OK : Redirect.to(packet, target, 0);
  }

  private int check(SkBuff packet, int sourceIdentity, int status, PerCpu cpu) {
    if (packet.traced) {
      recorder.function(packet, "policy_can_access_ingress");
    }
    int verdict = policy.canIngress(packet, sourceIdentity, cpu.tuple, cpu);
    if (verdict < 0 && !Conntrack.isReply(status)) {
      lib.events().ingressVerdict(packet, sourceIdentity, verdict, cpu);
    } else if ((packet.tcIndex & Identity.SKIP_INGRESS_PROXY) != 0) {
      // It comes from the proxy that it would be redirected to, which was told of before.
      verdict = 0;
    } else if (status == Conntrack.NEW || status == Conntrack.REOPENED) {
      lib.events().ingressVerdict(packet, sourceIdentity, verdict, cpu);
    }
    return verdict;
  }

  private int track(SkBuff packet, int sourceIdentity, int verdict, int status, PerCpu cpu) {
    if (status != Conntrack.NEW && status != Conntrack.REOPENED) {
      return 0;
    }
    CtState created = cpu.ctStateNew;
    created.clear();
    int error = trackNodePort(packet, status, created, cpu);
    if (error < 0) {
      return error;
    }
    if (status != Conntrack.NEW) {
      return 0;
    }
    created.sourceSecurityIdentity = sourceIdentity;
    return lib.conntrack()
        .create4(packet, cpu.tuple, Conntrack.INGRESS, created, verdict > 0, true, cpu);
  }

  /** Who asked for the pod by a service of a node: another node's, directly, or this one's. */
  private int trackNodePort(SkBuff packet, int status, CtState created, PerCpu cpu) {
    if (config.nodePort() == null) {
      return 0;
    }
    boolean reopened = status == Conntrack.REOPENED;
    if (dsr != null) {
      int remembered = dsr.remember(packet, cpu);
      if (remembered < 0) {
        return remembered;
      }
      created.dsr = remembered == 1;
      if (reopened && cpu.ctState.dsr != created.dsr) {
        lib.conntrack().updateDsr(cpu.tuple, created.dsr);
      }
    }
    if (!created.dsr) {
      created.nodePort = lib.conntrack().hasNodePortEgressEntry(cpu.tuple);
      if (reopened && cpu.ctState.nodePort != created.nodePort) {
        lib.conntrack().updateNodePort(cpu.tuple, created.nodePort);
      }
    }
    return 0;
  }

  /**
   * @param rawProxyPort 0 for a reply, whose socket the stack finds
   */
  private int toProxy(
      SkBuff packet,
      int ifindex,
      int sourceIdentity,
      int originalSource,
      int rawProxyPort,
      PerCpu cpu) {
    cpu.rawProxyPort = rawProxyPort;
    int port = Short.reverseBytes((short) rawProxyPort) & 0xffff;
    trace(packet, TracePoint.TO_PROXY, sourceIdentity, port, ifindex, originalSource, cpu);
    return Outcome.PROXY_REDIRECT;
  }

  private void trace(
      SkBuff packet,
      TracePoint point,
      int sourceIdentity,
      int destinationId,
      int ifindex,
      int originalSource,
      PerCpu cpu) {
    lib.events()
        .trace(
            packet,
            point,
            sourceIdentity,
            endpoint.securityIdentity(),
            destinationId,
            ifindex,
            cpu.ctStatus,
            cpu.monitor,
            originalSource);
  }
}
