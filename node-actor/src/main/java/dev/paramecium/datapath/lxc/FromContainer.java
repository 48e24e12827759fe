package dev.paramecium.datapath.lxc;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.ArpResponder;
import dev.paramecium.lib.BpfLib;
import dev.paramecium.lib.Calls;
import dev.paramecium.lib.Conntrack;
import dev.paramecium.lib.CtState;
import dev.paramecium.lib.Dsr;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.Identity;
import dev.paramecium.lib.Ipv4CtTuple;
import dev.paramecium.lib.Ipv4Header;
import dev.paramecium.lib.L3;
import dev.paramecium.lib.Lookups;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.Outcome;
import dev.paramecium.lib.PerCpu;
import dev.paramecium.lib.Policy;
import dev.paramecium.lib.Proxy;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.map.EndpointMap;
import dev.paramecium.map.Ipcache;
import dev.paramecium.packet.EtherType;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf_lxc.o:[from-container]}, tc ingress of an lxc device: everything that its pod sends.
 *
 * <pre>
 *   handle_xgress --6--> tail_handle_arp                     answers for the gateway
 *        \--------7--> tail_handle_ipv4                      source address; service → backend
 *                        \--29--> tail_ipv4_ct_egress        conntrack
 *                                   \--25--> tail_handle_ipv4_cont
 *                                             handle_ipv4_from_lxc: who is it for, may it be sent,
 *                                             and where to: proxy, this node, tunnel, stack
 * </pre>
 *
 * The numbers are slots of {@code cilium_calls_NNNNN}. Between the programs the packet's cb carries
 * what service translation decided, and {@link PerCpu} what conntrack found.
 */
public final class FromContainer implements Program {

  private static final String NAME = "handle_xgress";

  // Where bpf_lxc.c gives up: the lines that drop events carry.
  private static final int LINE_XGRESS = 1397;
  private static final int LINE_IPV4 = 1277;
  private static final int LINE_IPV4_CONT = 1179;

  private final BpfLib lib;
  private final NodeConfig config;
  private final EndpointProgramConfig endpoint;
  private final Policy policy;
  private final ProgramArray calls;
  private final Ipcache ipcache;
  private final EndpointMap lxc;
  private final @Nullable Dsr dsr;
  private final TraceRecorder recorder;

  FromContainer(BpfLib lib, EndpointProgramConfig endpoint, Policy policy, ProgramArray calls) {
    this.lib = lib;
    this.config = lib.context().config();
    this.endpoint = endpoint;
    this.policy = policy;
    this.calls = calls;
    this.ipcache = lib.context().maps().ipcache();
    this.lxc = lib.context().maps().lxc();
    this.dsr = Dsr.compile(lib);
    this.recorder = lib.context().recorder();
  }

  /** {@code handle_xgress}. */
  @Override
  public int run(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, NAME);
    }
    packet.clearCb();
    lib.events().trace(packet, TracePoint.FROM_LXC, endpoint.securityIdentity(), 0);
    int error =
        switch (Ipv4Header.etherType(packet)) {
          case -1 -> -DropReason.UNSUPPORTED_L2;
          case EtherType.IPV4 -> call(packet, Calls.IPV4_FROM_LXC);
          case EtherType.ARP -> call(packet, Calls.ARP);
          default -> -DropReason.UNKNOWN_L3;
        };
    return Outcome.isError(error) ? drop(packet, 0, error, LINE_XGRESS) : error;
  }

  private int call(SkBuff packet, int slot) {
    return calls.tailCall(packet, slot) ? Verdict.TAIL_CALL : -DropReason.MISSED_TAIL_CALL;
  }

  private int drop(SkBuff packet, int destinationIdentity, int error, int line) {
    return lib.events()
        .drop(
            packet,
            endpoint.securityIdentity(),
            destinationIdentity,
            0,
            error,
            MetricsKey.EGRESS,
            line);
  }

  // ---- slot 6

  /**
   * {@code tail_handle_arp}: the gateway and any other address are at the lxc device; only a pod
   * that asks for its own address, to find out whether somebody else has it, gets no answer.
   */
  int tailHandleArp(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_handle_arp");
    }
    if (!ArpResponder.isRequest(packet, endpoint.nodeMac())
        || ArpResponder.target(packet) == endpoint.ipv4()) {
      return Verdict.OK;
    }
    return ArpResponder.respond(packet, endpoint.nodeMac(), packet.ifindex);
  }

  // ---- slot 7

  /** {@code tail_handle_ipv4}. */
  int tailHandleIpv4(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_handle_ipv4");
    }
    int result = translateService(packet, PerCpu.current());
    return Outcome.isError(result) ? drop(packet, 0, result, LINE_IPV4) : result;
  }

  private int translateService(SkBuff packet, PerCpu cpu) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    if (Ipv4Header.saddr(packet) != endpoint.ipv4()) {
      return -DropReason.INVALID_SIP;
    }
    Ipv4CtTuple tuple = cpu.serviceTuple;
    CtState state = cpu.ctStateNew;
    state.clear();
    int l4Offset = Ipv4Header.l4Offset(packet);
    int error =
        config.perPacketLb()
            ? lib.loadBalancer().extractKey(packet, tuple, l4Offset, cpu)
            : -DropReason.NO_SERVICE;
    if (error == 0) {
      int service = lib.loadBalancer().lookup(packet, tuple, config.nodePort() != null, cpu);
      if (service >= 0) {
        error = lib.loadBalancer().local(packet, service, tuple, l4Offset, state, cpu);
        if (error < 0) {
          return error;
        }
      }
    } else if (error != -DropReason.NO_SERVICE && error != -DropReason.UNKNOWN_L4) {
      return error;
    }
    // lb4_ctx_store_state
    packet.cb0 = 0;
    packet.cb4 = state.rawRevNatIndex << 16 | (state.loopback ? 1 : 0);
    return calls.tailCall(packet, Calls.IPV4_CT_EGRESS) ? Verdict.TAIL_CALL : Verdict.OK;
  }

  // ---- slot 29

  /**
   * {@code tail_ipv4_ct_egress}: what conntrack cannot read is answered raw. That is no drop: the
   * packet goes on to the stack.
   */
  int tailIpv4CtEgress(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_ipv4_ct_egress");
    }
    int status = CtLookup.forPolicy(lib.conntrack(), packet, Conntrack.EGRESS, PerCpu.current());
    if (status < 0) {
      return status;
    }
    return calls.tailCall(packet, Calls.IPV4_FROM_LXC_CONT) ? Verdict.TAIL_CALL : Verdict.OK;
  }

  // ---- slot 25

  /** {@code tail_handle_ipv4_cont}. */
  int tailHandleIpv4Cont(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_handle_ipv4_cont");
      recorder.function(packet, "handle_ipv4_from_lxc");
    }
    PerCpu cpu = PerCpu.current();
    cpu.destinationIdentity = 0;
    int result = handleIpv4FromLxc(packet, cpu);
    return Outcome.isError(result)
        ? drop(packet, cpu.destinationIdentity, result, LINE_IPV4_CONT)
        : result;
  }

  private int handleIpv4FromLxc(SkBuff packet, PerCpu cpu) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    lookupDestination(packet, cpu);
    restoreServiceState(packet, cpu.ctStateNew);
    boolean hairpin = cpu.ctStateNew.loopback;
    if (cpu.tuple.saddr == 0) {
      return -DropReason.INVALID_TC_BUFFER;
    }
    if (Conntrack.isReply(cpu.ctStatus) && cpu.ctState.proxyRedirect) {
      // The stack finds the ingress proxy's socket.
      return Proxy.redirect(packet, 0);
    }
    int verdict = 0;
    if (!hairpin) {
      // A pod may always talk to itself through a service.
      verdict = policyCanEgress(packet, cpu);
      if (verdict < 0 && !Conntrack.isReply(cpu.ctStatus)) {
        return verdict;
      }
    }
    int tracked = track(packet, verdict, hairpin, cpu);
    if (tracked != 0) {
      return tracked;
    }
    if (Proxy.isRedirected(verdict, cpu.ctStatus)) {
      return redirectToProxy(packet, verdict, cpu);
    }
    return forward(packet, cpu);
  }

  /** {@code lookup_ip4_remote_endpoint}: after translation, so policy sees the backend. */
  private void lookupDestination(SkBuff packet, PerCpu cpu) {
    int destination = Ipv4Header.daddr(packet);
    LpmTrie.Entry entry = ipcache.lookup(destination);
    int identity = entry == null ? 0 : Ipcache.securityIdentity(entry);
    if (entry == null || identity == 0) {
      cpu.destinationIdentity = Identity.WORLD;
      cpu.tunnelEndpoint = 0;
    } else {
      cpu.destinationIdentity = identity;
      cpu.tunnelEndpoint = Ipcache.tunnelEndpoint(entry);
    }
    if (packet.traced) {
      recorder.function(packet, "lookup_ip4_remote_endpoint");
      Lookups.ipcache(packet, recorder, destination, entry);
    }
  }

  /** {@code lb4_ctx_restore_state}. */
  private void restoreServiceState(SkBuff packet, CtState state) {
    int meta = packet.cb4;
    packet.cb4 = 0;
    packet.cb0 = 0;
    state.clear();
    state.rawRevNatIndex = meta >>> 16;
    if ((meta & 1) != 0) {
      state.loopback = true;
      state.address = config.loopbackIp();
      state.serviceAddress = Ipv4Header.daddr(packet);
    }
  }

  private int policyCanEgress(SkBuff packet, PerCpu cpu) {
    if (packet.traced) {
      recorder.function(packet, "policy_can_egress4");
    }
    int verdict = policy.canEgress4(packet, cpu.tuple, cpu.destinationIdentity, cpu);
    if (verdict < 0 && !Conntrack.isReply(cpu.ctStatus)) {
      tellVerdict(packet, verdict, cpu);
    }
    return verdict;
  }

  private void tellVerdict(SkBuff packet, int verdict, PerCpu cpu) {
    lib.events().egressVerdict(packet, cpu.destinationIdentity, verdict, cpu);
  }

  /**
   * Brings conntrack up to date with what was decided.
   *
   * @return 0 to go on, or what becomes of the packet
   */
  private int track(SkBuff packet, int verdict, boolean hairpin, PerCpu cpu) {
    switch (cpu.ctStatus) {
      case Conntrack.NEW -> {
        if (!hairpin) {
          tellVerdict(packet, verdict, cpu);
        }
        return create(packet, verdict, cpu);
      }
      case Conntrack.ESTABLISHED, Conntrack.REOPENED -> {
        if (cpu.ctStatus == Conntrack.REOPENED && !hairpin) {
          tellVerdict(packet, verdict, cpu);
        }
        // An entry of before the service existed, or after: it must lead replies to the frontend.
        boolean stale = cpu.ctState.rawRevNatIndex != cpu.ctStateNew.rawRevNatIndex;
        return stale ? create(packet, verdict, cpu) : 0;
      }
      case Conntrack.REPLY, Conntrack.RELATED -> {
        return reply(packet, cpu);
      }
      default -> {
        return -DropReason.UNKNOWN_CT;
      }
    }
  }

  private int create(SkBuff packet, int verdict, PerCpu cpu) {
    cpu.ctStateNew.sourceSecurityIdentity = endpoint.securityIdentity();
    return lib.conntrack()
        .create4(packet, cpu.tuple, Conntrack.EGRESS, cpu.ctStateNew, verdict > 0, true, cpu);
  }

  private int reply(SkBuff packet, PerCpu cpu) {
    packet.cb2 = 1; // policy_mark_skip
    if (dsr != null && cpu.ctState.dsr) {
      int error = dsr.translate(packet, cpu.tuple, Ipv4Header.l4Offset(packet), cpu);
      if (error < 0) {
        return error;
      }
    } else if (config.nodePort() != null && cpu.ctState.nodePort) {
      // The request came through a NodePort of this node: its reply comes from there too.
      lib.events()
          .trace(
              packet,
              TracePoint.TO_NETWORK,
              endpoint.securityIdentity(),
              cpu.destinationIdentity,
              0,
              0,
              cpu.ctStatus,
              cpu.monitor,
              0);
      packet.tcIndex |= Identity.SKIP_RECIRCULATION;
      return call(packet, Calls.IPV4_NODEPORT_REVNAT);
    }
    if (cpu.ctState.rawRevNatIndex == 0) {
      return 0;
    }
    return lib.loadBalancer()
        .reverseNat(packet, Ipv4Header.l4Offset(packet), cpu.ctState, cpu.tuple, false, true);
  }

  private int redirectToProxy(SkBuff packet, int rawProxyPort, PerCpu cpu) {
    lib.events()
        .trace(
            packet,
            TracePoint.TO_PROXY,
            endpoint.securityIdentity(),
            0,
            Short.reverseBytes((short) rawProxyPort) & 0xffff,
            0,
            cpu.ctStatus,
            cpu.monitor,
            0);
    return Proxy.redirect(packet, rawProxyPort);
  }

  /** This node, another node, or whatever the stack knows. */
  private int forward(SkBuff packet, PerCpu cpu) {
    int destination = Ipv4Header.daddr(packet);
    int local = lxc.find(destination);
    if (packet.traced) {
      recorder.function(packet, "lookup_ip4_endpoint");
      Lookups.endpoint(packet, recorder, lxc, destination, local);
    }
    if (local >= 0) {
      if (lxc.isHost(local)) {
        return passToStack(packet, cpu);
      }
      packet.cb2 = 0; // policy_clear_mark
      return lib.delivery()
          .deliver(packet, endpoint.securityIdentity(), local, MetricsKey.EGRESS, false);
    }
    if (!config.tunnel()) {
      return passToStack(packet, cpu);
    }
    if (packet.traced) {
      recorder.function(packet, "encap_and_redirect_lxc");
    }
    int result =
        lib.encap()
            .redirect(
                packet, cpu.tunnelEndpoint, endpoint.securityIdentity(), cpu.ctStatus, cpu.monitor);
    return result == -DropReason.NO_TUNNEL_ENDPOINT ? passToStack(packet, cpu) : result;
  }

  /** Routed by the node; the mark says who sends, in case the stack brings the packet back. */
  private int passToStack(SkBuff packet, PerCpu cpu) {
    if (packet.traced) {
      recorder.function(packet, "ipv4_l3");
    }
    int error = L3.forward(packet, endpoint.nodeMac());
    if (error < 0) {
      return error;
    }
    packet.mark =
        Identity.withIdentity(
            packet.mark | Identity.MARK_MAGIC_IDENTITY, endpoint.securityIdentity());
    lib.events()
        .trace(
            packet,
            TracePoint.TO_STACK,
            endpoint.securityIdentity(),
            cpu.destinationIdentity,
            0,
            0,
            cpu.ctStatus,
            cpu.monitor,
            0);
    return Verdict.OK;
  }
}
