package dev.paramecium.lib;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.map.ConntrackMaps;
import dev.paramecium.packet.Icmp;
import dev.paramecium.packet.Tcp;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Connection tracking ({@code bpf/lib/conntrack.h}).
 *
 * <pre>
 *   packet A:a → B:b, direction EGRESS
 *     1. (B, A, a, b, IN)   the reverse: does this packet answer somebody?   hit: REPLY or RELATED
 *     2. (A, B, b, a, OUT)  the forward: did this end begin?                 hit: ESTABLISHED or REOPENED
 *     neither: NEW
 * </pre>
 *
 * Entries do not expire here: garbage collection takes what {@link ConntrackGc} finds dead, and
 * what it has not taken yet is alive.
 */
public final class Conntrack {

  public static final int NEW = 0;
  public static final int ESTABLISHED = 1;
  public static final int REPLY = 2;
  public static final int RELATED = 3;
  public static final int REOPENED = 4;

  /** From the pod. */
  public static final int EGRESS = 0;

  /** To the pod. */
  public static final int INGRESS = 1;

  /** From the pod to a service, before translation. */
  public static final int SERVICE = 2;

  private enum Action {
    UNSPEC,
    CREATE,
    CLOSE
  }

  private static final int CLOSING = CtEntry.RX_CLOSING | CtEntry.TX_CLOSING;

  private static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final ConntrackMaps maps;
  private final Fragments fragments;
  private final ConntrackTimeouts timeouts;
  private final Clock clock;
  private final Signals signals;
  private final TraceRecorder recorder;

  Conntrack(ProgramContext context, Fragments fragments) {
    this.maps = context.maps().conntrack();
    this.fragments = fragments;
    this.timeouts = context.config().timeouts();
    this.clock = context.clock();
    this.signals = new Signals(context);
    this.recorder = context.recorder();
  }

  /** Whether a lookup's answer means that the peer began. */
  public static boolean isReply(int status) {
    return status == REPLY || status == RELATED;
  }

  /** Puts a packet's addresses and protocol into a tuple. */
  public static void fill(Ipv4CtTuple tuple, SkBuff packet) {
    tuple.nexthdr = Ipv4Header.protocol(packet);
    tuple.daddr = Ipv4Header.daddr(packet);
    tuple.saddr = Ipv4Header.saddr(packet);
    tuple.dport = 0;
    tuple.sport = 0;
    tuple.flags = 0;
  }

  // ---- lookup

  /**
   * {@code ct_lookup4}: finds a packet's connection, updates its entry, and reverses the tuple
   * unless it answers somebody. {@link PerCpu#monitor} says how much of the packet to show.
   *
   * @param tuple as {@link #fill} leaves it
   * @param state cleared by the caller, filled on a hit
   * @return a state, or a negative drop reason
   */
  public int lookup4(
      SkBuff packet, Ipv4CtTuple tuple, int l4Offset, int direction, CtState state, PerCpu cpu) {
    cpu.monitor = 0;
    tuple.flags =
        switch (direction) {
          case INGRESS -> CtTuple.OUT;
          case EGRESS -> CtTuple.IN;
          default -> CtTuple.SERVICE;
        };
    Action action;
    int tcpFlags = 0;
    switch (tuple.nexthdr) {
      case IpProtocol.TCP -> {
        int error = loadPorts(packet, tuple, l4Offset, direction, cpu);
        if (error < 0) {
          return error;
        }
        action = Action.CREATE;
        if (Ipv4Header.hasL4Header(packet)) {
          if (!Ipv4Header.has(packet, l4Offset + Tcp.DATA_OFFSET, 2)) {
            return -DropReason.CT_INVALID_HDR;
          }
          tcpFlags = packet.u8(l4Offset + Tcp.FLAGS);
          if ((tcpFlags & (Tcp.RST | Tcp.FIN)) != 0) {
            action = Action.CLOSE;
          }
        }
      }
      case IpProtocol.UDP -> {
        int error = loadPorts(packet, tuple, l4Offset, direction, cpu);
        if (error < 0) {
          return error;
        }
        action = Action.CREATE;
      }
      case IpProtocol.ICMP -> {
        if (!hasIcmpTuple(packet, l4Offset)) {
          return -DropReason.CT_INVALID_HDR;
        }
        action = fillIcmp(packet, tuple, l4Offset, packet.u8(l4Offset));
      }
      default -> {
        return -DropReason.CT_UNKNOWN_PROTO;
      }
    }
    BpfHashMap map = maps.of(tuple.nexthdr);
    int status = lookup(packet, map, tuple, action, direction, state, tcpFlags, cpu);
    if (status != NEW) {
      status = (tuple.flags & CtTuple.RELATED) != 0 ? RELATED : REPLY;
    } else if (direction != SERVICE) {
      tuple.reverse();
      status = lookup(packet, map, tuple, action, direction, state, tcpFlags, cpu);
    }
    if (packet.traced) {
      record(packet, map, tuple, status);
    }
    return status;
  }

  private int loadPorts(SkBuff packet, Ipv4CtTuple tuple, int l4Offset, int direction, PerCpu cpu) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.CT_INVALID_HDR;
    }
    int metric =
        switch (direction) {
          case INGRESS -> MetricsKey.INGRESS;
          case EGRESS -> MetricsKey.EGRESS;
          default -> MetricsKey.SERVICE;
        };
    return fragments.loadPorts(packet, l4Offset, metric, tuple, cpu);
  }

  /** Only an echo has more than its type that tells connections apart. */
  private static boolean hasIcmpTuple(SkBuff packet, int l4Offset) {
    if (!Ipv4Header.has(packet, l4Offset, 1)) {
      return false;
    }
    int type = packet.u8(l4Offset);
    boolean echo = type == Icmp.ECHO_REQUEST || type == Icmp.ECHO_REPLY;
    return !echo || Ipv4Header.has(packet, l4Offset + Icmp.IDENTIFIER, 2);
  }

  /** An echo's identifier takes the place of the port that its request goes to. */
  private static Action fillIcmp(SkBuff packet, Ipv4CtTuple tuple, int l4Offset, int type) {
    tuple.sport = 0;
    tuple.dport = 0;
    switch (type) {
      case Icmp.DESTINATION_UNREACHABLE, Icmp.TIME_EXCEEDED, Icmp.PARAMETER_PROBLEM -> {
        tuple.flags |= CtTuple.RELATED;
        return Action.UNSPEC;
      }
      case Icmp.ECHO_REPLY -> {
        tuple.sport = packet.u16(l4Offset + Icmp.IDENTIFIER);
        return Action.UNSPEC;
      }
      case Icmp.ECHO_REQUEST -> {
        tuple.dport = packet.u16(l4Offset + Icmp.IDENTIFIER);
        return Action.CREATE;
      }
      default -> {
        return Action.CREATE;
      }
    }
  }

  /** {@code __ct_lookup}: one direction. NEW, ESTABLISHED or REOPENED. */
  private int lookup(
      SkBuff packet,
      BpfHashMap map,
      Ipv4CtTuple tuple,
      Action action,
      int direction,
      CtState state,
      int tcpFlags,
      PerCpu cpu) {
    int entry = map.find(tuple.k0(), tuple.k1());
    if (entry < 0) {
      cpu.monitor = NodeConfig.TRACE_PAYLOAD_LENGTH;
      return NEW;
    }
    boolean syn = (tcpFlags & Tcp.SYN) != 0;
    int flags = map.u16(entry, CtEntry.OFF_FLAGS);
    int now = clock.seconds();
    if (direction == SERVICE && syn && (flags & CLOSING) != 0) {
      // Nobody sees a service's replies, so only what was sent tells its age.
      int idle = now - map.i32(entry, CtEntry.OFF_LAST_TX_REPORT);
      if (idle >= timeouts.serviceCloseRebalance()) {
        cpu.monitor = NodeConfig.TRACE_PAYLOAD_LENGTH;
        return NEW;
      }
    }
    boolean tcp = tuple.nexthdr == IpProtocol.TCP;
    if ((flags & CLOSING) != CLOSING) {
      cpu.monitor = updateTimeout(map, entry, flags, tcp, direction, tcpFlags, now);
    }
    fillState(map, entry, flags, direction, syn, state);
    if (direction == INGRESS) {
      map.addI64(entry, CtEntry.OFF_RX_PACKETS, 1);
      map.addI64(entry, CtEntry.OFF_RX_BYTES, packet.length);
    } else if (direction == EGRESS) {
      map.addI64(entry, CtEntry.OFF_TX_PACKETS, 1);
      map.addI64(entry, CtEntry.OFF_TX_BYTES, packet.length);
    }
    switch (action) {
      case CREATE -> {
        if (syn && (flags & CLOSING) != 0) {
          int reopened = map.u16(entry, CtEntry.OFF_FLAGS) & ~CLOSING;
          map.setU16(entry, CtEntry.OFF_FLAGS, reopened);
          cpu.monitor = updateTimeout(map, entry, reopened, tcp, direction, tcpFlags, now);
          return REOPENED;
        }
      }
      case CLOSE -> {
        close(map, entry, direction, tcpFlags, now);
        cpu.monitor = NodeConfig.TRACE_PAYLOAD_LENGTH;
      }
      case UNSPEC -> {}
    }
    return ESTABLISHED;
  }

  private static void fillState(
      BpfHashMap map, int entry, int flags, int direction, boolean syn, CtState state) {
    state.rawRevNatIndex = map.u16(entry, CtEntry.OFF_REV_NAT_INDEX);
    state.loopback = (flags & CtEntry.LB_LOOPBACK) != 0;
    state.nodePort = (flags & CtEntry.NODE_PORT) != 0;
    state.dsr = (flags & CtEntry.DSR) != 0;
    state.proxyRedirect = (flags & CtEntry.PROXY_REDIRECT) != 0;
    state.ifindex = map.u16(entry, CtEntry.OFF_IFINDEX);
    if (direction == SERVICE) {
      state.backendId = map.i32(entry, CtEntry.OFF_BACKEND_ID);
      state.syn = syn;
    }
  }

  /**
   * A FIN closes its direction, a RST both; of a service only one side is ever seen. v1.12.3 means
   * to let a RST close both only until both SYNs were seen, but its test looks for a bit of a word
   * in the byte of flags, and never holds.
   */
  private void close(BpfHashMap map, int entry, int direction, int tcpFlags, int now) {
    int closing;
    if ((tcpFlags & Tcp.RST) != 0 && direction != SERVICE) {
      closing = CLOSING;
    } else {
      closing = direction == INGRESS ? CtEntry.RX_CLOSING : CtEntry.TX_CLOSING;
    }
    map.orU16(entry, CtEntry.OFF_FLAGS, closing);
    if ((map.u16(entry, CtEntry.OFF_FLAGS) & CLOSING) == CLOSING) {
      updateTimeout(map, entry, timeouts.close(), direction, tcpFlags, now);
    }
  }

  /** {@code ct_update_timeout}: by what the connection has shown so far. */
  private int updateTimeout(
      BpfHashMap map, int entry, int flags, boolean tcp, int direction, int tcpFlags, int now) {
    boolean nonSyn = (flags & CtEntry.SEEN_NON_SYN) != 0;
    if (tcp && !nonSyn && (tcpFlags & Tcp.SYN) == 0) {
      map.orU16(entry, CtEntry.OFF_FLAGS, CtEntry.SEEN_NON_SYN);
      nonSyn = true;
    }
    return updateTimeout(map, entry, lifetime(tcp, nonSyn, direction), direction, tcpFlags, now);
  }

  private int lifetime(boolean tcp, boolean nonSyn, int direction) {
    if (!tcp) {
      return direction == SERVICE ? timeouts.serviceAny() : timeouts.any();
    }
    if (!nonSyn) {
      return timeouts.syn();
    }
    return direction == SERVICE ? timeouts.serviceTcp() : timeouts.tcp();
  }

  /**
   * {@code __ct_update_timeout}: moves the end of the entry's life, and says whether its direction
   * has news for the monitor: flags that were not seen before, or nothing told for an interval.
   */
  private int updateTimeout(
      BpfHashMap map, int entry, int lifetime, int direction, int tcpFlags, int now) {
    map.setI32(entry, CtEntry.OFF_LIFETIME, now + lifetime);
    boolean ingress = direction == INGRESS;
    int flagsAt = ingress ? CtEntry.OFF_RX_FLAGS_SEEN : CtEntry.OFF_TX_FLAGS_SEEN;
    int reportAt = ingress ? CtEntry.OFF_LAST_RX_REPORT : CtEntry.OFF_LAST_TX_REPORT;
    int accumulated = map.u8(entry, flagsAt);
    int seen = accumulated | tcpFlags;
    long lastReport = map.i32(entry, reportAt) & 0xffff_ffffL;
    if (lastReport + timeouts.reportInterval() < (now & 0xffff_ffffL) || accumulated != seen) {
      map.setU8(entry, flagsAt, seen);
      map.setI32(entry, reportAt, now);
      return NodeConfig.TRACE_PAYLOAD_LENGTH;
    }
    return 0;
  }

  // ---- create

  /**
   * {@code ct_create4}: the entry of a new connection, as if a SYN had opened it, and with {@code
   * related} the one that ICMP errors about any connection of the two addresses are found by.
   *
   * @param tuple as a lookup left it
   * @return 0, or the drop reason of a full map
   */
  public int create4(
      SkBuff packet,
      Ipv4CtTuple tuple,
      int direction,
      CtState state,
      boolean proxyRedirect,
      boolean related,
      PerCpu cpu) {
    boolean tcp = tuple.nexthdr == IpProtocol.TCP;
    int flags =
        (state.loopback ? CtEntry.LB_LOOPBACK : 0)
            | (state.nodePort ? CtEntry.NODE_PORT : 0)
            | (proxyRedirect ? CtEntry.PROXY_REDIRECT : 0)
            | (state.dsr ? CtEntry.DSR : 0);
    byte[] value = image(packet, direction, state, tcp, flags, cpu);
    BpfHashMap map = maps.of(tuple.nexthdr);
    boolean created = put(map, tuple.k0(), tuple.k1(), value);
    if (created && direction == EGRESS && state.address != 0 && state.loopback) {
      // The answer comes from the loopback address to the backend, which is the pod itself:
      // found as a reply, it is translated back before anybody looks where it goes.
      Ipv4CtTuple reply = cpu.otherTuple;
      reply.daddr = state.address;
      reply.saddr = state.serviceAddress;
      reply.dport = tuple.dport;
      reply.sport = tuple.sport;
      reply.nexthdr = tuple.nexthdr;
      reply.flags = CtTuple.IN;
      created = put(map, reply.k0(), reply.k1(), value);
    }
    if (created && related) {
      U16.set(value, CtEntry.OFF_FLAGS, (short) (flags | CtEntry.SEEN_NON_SYN));
      created =
          put(
              maps.any(),
              tuple.k0(),
              Ipv4CtTuple.k1(0, 0, IpProtocol.ICMP, tuple.flags | CtTuple.RELATED),
              value);
    }
    if (packet.traced) {
      recorder.decision(packet, "conntrack: created " + tuple.value().format().strip());
    }
    if (created) {
      return 0;
    }
    signals.ctFillUp();
    return -DropReason.CT_CREATE_FAILED;
  }

  private byte[] image(
      SkBuff packet, int direction, CtState state, boolean tcp, int flags, PerCpu cpu) {
    int now = clock.seconds();
    boolean ingress = direction == INGRESS;
    int seen = tcp ? Tcp.SYN : 0;
    // The first packet is news if it has flags, or if the node is up longer than an interval.
    boolean reported = seen != 0 || timeouts.reportInterval() < now;
    byte[] value = cpu.value;
    U64.set(value, CtEntry.OFF_RX_PACKETS, ingress ? 1L : 0L);
    U64.set(
        value,
        CtEntry.OFF_RX_BYTES,
        direction == SERVICE ? state.backendId & 0xffff_ffffL : ingress ? packet.length : 0L);
    U64.set(value, CtEntry.OFF_TX_PACKETS, direction == EGRESS ? 1L : 0L);
    U64.set(value, CtEntry.OFF_TX_BYTES, direction == EGRESS ? packet.length : 0L);
    U32.set(value, CtEntry.OFF_LIFETIME, now + lifetime(tcp, false, direction));
    U16.set(value, CtEntry.OFF_FLAGS, (short) flags);
    U16.set(value, CtEntry.OFF_REV_NAT_INDEX, (short) state.rawRevNatIndex);
    U16.set(value, CtEntry.OFF_IFINDEX, (short) state.ifindex);
    value[CtEntry.OFF_TX_FLAGS_SEEN] = (byte) (ingress ? 0 : seen);
    value[CtEntry.OFF_RX_FLAGS_SEEN] = (byte) (ingress ? seen : 0);
    U32.set(value, CtEntry.OFF_SRC_SEC_ID, state.sourceSecurityIdentity);
    U32.set(value, CtEntry.OFF_LAST_TX_REPORT, reported && !ingress ? now : 0);
    U32.set(value, CtEntry.OFF_LAST_RX_REPORT, reported && ingress ? now : 0);
    return value;
  }

  private static boolean put(BpfHashMap map, long k0, long k1, byte[] value) {
    return map.update(k0, k1, value, 0) == 0;
  }

  /** {@code ct_is_reply4}: whether the packet answers a connection that came to its source. */
  boolean isReply4(SkBuff packet, int l4Offset, PerCpu cpu) {
    Ipv4CtTuple tuple = cpu.otherTuple;
    fill(tuple, packet);
    switch (tuple.nexthdr) {
      case IpProtocol.TCP, IpProtocol.UDP -> {
        if (loadPorts(packet, tuple, l4Offset, EGRESS, cpu) < 0) {
          return false;
        }
      }
      case IpProtocol.ICMP -> {
        if (!hasIcmpTuple(packet, l4Offset)) {
          return false;
        }
        fillIcmp(packet, tuple, l4Offset, packet.u8(l4Offset));
      }
      default -> {
        return false;
      }
    }
    tuple.flags = CtTuple.IN;
    return maps.of(tuple.nexthdr).find(tuple.k0(), tuple.k1()) >= 0;
  }

  // ---- changes of single fields

  /** {@code ct_update4_rev_nat_index}. */
  void updateRevNatIndex(Ipv4CtTuple tuple, int rawRevNatIndex) {
    BpfHashMap map = maps.of(tuple.nexthdr);
    int entry = map.find(tuple.k0(), tuple.k1());
    if (entry >= 0) {
      map.setU16(entry, CtEntry.OFF_REV_NAT_INDEX, rawRevNatIndex);
    }
  }

  /** {@code ct_update4_backend_id}. */
  void updateBackendId(Ipv4CtTuple tuple, int backendId) {
    BpfHashMap map = maps.of(tuple.nexthdr);
    int entry = map.find(tuple.k0(), tuple.k1());
    if (entry >= 0) {
      map.setI32(entry, CtEntry.OFF_BACKEND_ID, backendId);
    }
  }

  /** {@code ct_update_nodeport}. */
  public void updateNodePort(Ipv4CtTuple tuple, boolean nodePort) {
    updateFlag(tuple, CtEntry.NODE_PORT, nodePort);
  }

  /** {@code ct_update4_dsr}. */
  public void updateDsr(Ipv4CtTuple tuple, boolean dsr) {
    updateFlag(tuple, CtEntry.DSR, dsr);
  }

  private void updateFlag(Ipv4CtTuple tuple, int flag, boolean on) {
    BpfHashMap map = maps.of(tuple.nexthdr);
    int entry = map.find(tuple.k0(), tuple.k1());
    if (entry >= 0) {
      int others = map.u16(entry, CtEntry.OFF_FLAGS) & ~flag;
      map.setU16(entry, CtEntry.OFF_FLAGS, others | (on ? flag : 0));
    }
  }

  /**
   * {@code ct_has_nodeport_egress_entry4}: whether the request came in through a NodePort of this
   * node.
   *
   * @param tuple of an ingress lookup
   */
  public boolean hasNodePortEgressEntry(Ipv4CtTuple tuple) {
    BpfHashMap map = maps.of(tuple.nexthdr);
    int entry =
        map.find(tuple.k0(), Ipv4CtTuple.k1(tuple.dport, tuple.sport, tuple.nexthdr, CtTuple.OUT));
    return entry >= 0 && (map.u16(entry, CtEntry.OFF_FLAGS) & CtEntry.NODE_PORT) != 0;
  }

  // ---- tracing

  private void record(SkBuff packet, BpfHashMap map, Ipv4CtTuple tuple, int status) {
    CtTuple key = tuple.value();
    byte[] value = map.lookup(key.encode());
    recorder.lookup(
        packet,
        tuple.nexthdr == IpProtocol.TCP ? MapNames.CT4_GLOBAL : MapNames.CT_ANY4_GLOBAL,
        key.format().strip(),
        value == null ? "" : CtEntry.decode(value).toString().strip());
    recorder.decision(packet, "conntrack: " + name(status));
  }

  private static String name(int status) {
    return switch (status) {
      case NEW -> "new";
      case ESTABLISHED -> "established";
      case REPLY -> "reply";
      case RELATED -> "related";
      default -> "reopened";
    };
  }
}
