package dev.paramecium.lib;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.map.NatMaps;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Icmp;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Source NAT ({@code bpf/lib/nat.h}): two entries a connection.
 *
 * <pre>
 *   EGRESS   (source, port → destination)      to (target, new port)    what leaves
 *   INGRESS  (destination → target, new port)  to (source, port)        what comes back
 * </pre>
 */
final class Nat {

  static final int EGRESS = CtTuple.OUT;
  static final int INGRESS = CtTuple.IN;

  /** NAT_PUNT_TO_STACK: no business of NAT. */
  static final int PUNT_TO_STACK = -DropReason.NAT_NOT_NEEDED;

  /** SNAT_SIGNAL_THRES: more tries than this, and the agent is asked for more room. */
  private static final int SIGNAL_THRESHOLD = 64;

  /** SNAT_COLLISION_RETRIES. */
  private static final int COLLISION_RETRIES = 128;

  /** NAT_MIN_EGRESS: smaller ports are services of the node itself. */
  private static final int MIN_EGRESS_PORT = 1024;

  private static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final NatMaps maps;
  private final BpfHashMap snat;
  private final Conntrack conntrack;
  private final Clock clock;
  private final RandomSource random;
  private final Signals signals;
  private final int minPort;
  private final int maxPort;

  Nat(ProgramContext context, NodePortConfig config, Conntrack conntrack) {
    this.maps = context.maps().nat();
    this.snat = maps.snat();
    this.conntrack = conntrack;
    this.clock = context.clock();
    this.random = context.random();
    this.signals = new Signals(context);
    this.minPort = config.minNatPort();
    this.maxPort = config.maxNatPort();
  }

  /**
   * {@code snat_v4_process}.
   *
   * @param direction {@link #EGRESS} or {@link #INGRESS}
   * @param target the address to appear with
   * @param foreign whether the source is outside the cluster or a pod, so that all its ports are
   *     translated
   * @return 0, {@link #PUNT_TO_STACK}, or another negative drop reason
   */
  int process(SkBuff packet, int direction, int target, boolean foreign, PerCpu cpu) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    int l4Offset = Ipv4Header.l4Offset(packet);
    Ipv4CtTuple tuple = cpu.natTuple;
    int error = fill(packet, tuple, l4Offset, direction);
    if (error < 0) {
      return error;
    }
    if (canSkip(packet, tuple, l4Offset, direction, foreign)) {
      return PUNT_TO_STACK;
    }
    int entry = snat.find(tuple.k0(), tuple.k1());
    error = trackLocal(packet, tuple, entry, direction, l4Offset, target, cpu);
    if (error < 0) {
      return error;
    }
    if (entry < 0 && direction == INGRESS) {
      return tuple.nexthdr != IpProtocol.ICMP && tuple.dport < minPort
          ? PUNT_TO_STACK
          : -DropReason.NAT_NO_MAPPING;
    }
    if (entry < 0) {
      int port = map(tuple, target, cpu);
      return port < 0 ? port : rewriteSource(packet, tuple, l4Offset, target, port);
    }
    int address = maps.toAddress(entry);
    int port = maps.toPort(entry);
    return direction == EGRESS
        ? rewriteSource(packet, tuple, l4Offset, address, port)
        : rewriteDestination(packet, tuple, l4Offset, address, port);
  }

  /** The packet's ends, in the packet's order; of an echo its identifier is the asker's port. */
  private static int fill(SkBuff packet, Ipv4CtTuple tuple, int l4Offset, int direction) {
    Conntrack.fill(tuple, packet);
    tuple.flags = direction;
    switch (tuple.nexthdr) {
      case IpProtocol.TCP, IpProtocol.UDP -> {
        if (!Ipv4Header.has(packet, l4Offset, Integer.BYTES)) {
          return -DropReason.INVALID;
        }
        tuple.sport = packet.u16(l4Offset + L4.SOURCE_PORT);
        tuple.dport = packet.u16(l4Offset + L4.DESTINATION_PORT);
        return 0;
      }
      case IpProtocol.ICMP -> {
        if (!Ipv4Header.has(packet, l4Offset, Icmp.HEADER_LENGTH)) {
          return -DropReason.INVALID;
        }
        int type = packet.u8(l4Offset + Icmp.TYPE);
        if (type != Icmp.ECHO_REQUEST && type != Icmp.ECHO_REPLY) {
          return -DropReason.NAT_UNSUPP_PROTO;
        }
        int identifier = packet.u16(l4Offset + Icmp.IDENTIFIER);
        tuple.sport = type == Icmp.ECHO_REQUEST ? identifier : 0;
        tuple.dport = type == Icmp.ECHO_REPLY ? identifier : 0;
        return 0;
      }
      default -> {
        return PUNT_TO_STACK;
      }
    }
  }

  /** {@code snat_v4_can_skip}: who answers an echo does so from the address that was asked. */
  private boolean canSkip(
      SkBuff packet, Ipv4CtTuple tuple, int l4Offset, int direction, boolean foreign) {
    if (direction == INGRESS) {
      return tuple.dport < minPort || tuple.dport > maxPort;
    }
    boolean echoReply =
        tuple.nexthdr == IpProtocol.ICMP && packet.u8(l4Offset + Icmp.TYPE) == Icmp.ECHO_REPLY;
    return echoReply || !foreign && tuple.sport < MIN_EGRESS_PORT;
  }

  /** {@code snat_v4_track_local}: the node's own connections need a conntrack entry too. */
  private int trackLocal(
      SkBuff packet,
      Ipv4CtTuple tuple,
      int entry,
      int direction,
      int l4Offset,
      int target,
      PerCpu cpu) {
    boolean local =
        entry >= 0 ? maps.isHostLocal(entry) : direction == EGRESS && tuple.saddr == target;
    if (!local) {
      return 0;
    }
    Ipv4CtTuple tracked = cpu.serviceTuple;
    Conntrack.fill(tracked, packet);
    CtState state = cpu.otherState;
    state.clear();
    int where = direction == INGRESS ? Conntrack.INGRESS : Conntrack.EGRESS;
    int status = conntrack.lookup4(packet, tracked, l4Offset, where, state, cpu);
    return status == Conntrack.NEW
        ? conntrack.create4(packet, tracked, where, state, false, false, cpu)
        : Math.min(status, 0);
  }

  /**
   * {@code snat_v4_new_mapping}: the source's own port if it is in range and free, else one by
   * chance and those after it.
   *
   * @return the port, or a negative drop reason if none was free
   */
  private int map(Ipv4CtTuple tuple, int target, PerCpu cpu) {
    boolean keeps = tuple.sport >= minPort && tuple.sport <= maxPort;
    int port = keeps ? tuple.sport : clamp(random.nextInt());
    boolean hostLocal = tuple.saddr == target;
    Ipv4CtTuple reverse = cpu.otherTuple;
    reverse.nexthdr = tuple.nexthdr;
    reverse.saddr = tuple.daddr;
    reverse.sport = tuple.dport;
    reverse.daddr = target;
    reverse.flags = INGRESS;
    for (int retries = 0; retries < COLLISION_RETRIES; retries++) {
      reverse.dport = port;
      if (snat.find(reverse.k0(), reverse.k1()) < 0
          && put(reverse, tuple.saddr, tuple.sport, hostLocal, BpfHashMap.BPF_NOEXIST, cpu)) {
        if (put(tuple, target, port, hostLocal, BpfHashMap.BPF_NOEXIST, cpu)) {
          if (retries > SIGNAL_THRESHOLD) {
            signals.natFillUp();
          }
          return port;
        }
        snat.remove(reverse.k0(), reverse.k1());
      }
      port = clamp(retries == 0 ? random.nextInt() : port + 1);
    }
    signals.natFillUp();
    return -DropReason.NAT_NO_MAPPING;
  }

  /** {@code __snat_clamp_port_range}. */
  private int clamp(int value) {
    return (value & 0xffff) % (maxPort - minPort) + minPort;
  }

  private boolean put(
      Ipv4CtTuple key, int address, int port, boolean hostLocal, int mapFlags, PerCpu cpu) {
    byte[] value = cpu.value;
    U64.set(value, Ipv4NatEntry.CREATED, clock.seconds() & 0xffff_ffffL);
    U64.set(value, Ipv4NatEntry.HOST_LOCAL, hostLocal ? 1L : 0L);
    U64.set(value, Ipv4NatEntry.HOST_LOCAL + 8, 0L);
    U64.set(value, Ipv4NatEntry.HOST_LOCAL + 16, 0L);
    U32.set(value, Ipv4NatEntry.ADDRESS, Integer.reverseBytes(address));
    U16.set(value, Ipv4NatEntry.PORT, Short.reverseBytes((short) port));
    U16.set(value, Ipv4NatEntry.PORT + 2, (short) 0);
    return snat.update(key.k0(), key.k1(), 0, value, 0, mapFlags) == 0;
  }

  // ---- direct server return

  /** {@code snat_v4_create_dsr}: 0, or negative for what no service can be asked by. */
  int createDsr(SkBuff packet, int address, int port, PerCpu cpu) {
    Ipv4CtTuple tuple = cpu.natTuple;
    Conntrack.fill(tuple, packet);
    boolean hasPorts = tuple.nexthdr == IpProtocol.TCP || tuple.nexthdr == IpProtocol.UDP;
    int l4Offset = Ipv4Header.l4Offset(packet);
    if (!hasPorts || !Ipv4Header.has(packet, l4Offset, Integer.BYTES)) {
      return -DropReason.INVALID;
    }
    int client = tuple.saddr;
    tuple.saddr = tuple.daddr;
    tuple.daddr = client;
    tuple.dport = packet.u16(l4Offset + L4.SOURCE_PORT);
    tuple.sport = packet.u16(l4Offset + L4.DESTINATION_PORT);
    tuple.flags = EGRESS;
    return put(tuple, address, port, false, BpfHashMap.BPF_ANY, cpu) ? 0 : -DropReason.INVALID;
  }

  /** {@code xlate_dsr_v4}: 0, also without an entry, or a negative drop reason. */
  int rewriteFromDsr(SkBuff packet, Ipv4CtTuple reply, int l4Offset, PerCpu cpu) {
    Ipv4CtTuple tuple = cpu.natTuple;
    tuple.nexthdr = reply.nexthdr;
    tuple.saddr = reply.saddr;
    tuple.daddr = reply.daddr;
    tuple.sport = reply.dport;
    tuple.dport = reply.sport;
    tuple.flags = EGRESS;
    int entry = snat.find(tuple.k0(), tuple.k1());
    return entry < 0
        ? 0
        : rewriteSource(packet, tuple, l4Offset, maps.toAddress(entry), maps.toPort(entry));
  }

  // ---- rewriting

  /** {@code snat_v4_rewrite_egress}. */
  private static int rewriteSource(
      SkBuff packet, Ipv4CtTuple tuple, int l4Offset, int address, int port) {
    if (address == tuple.saddr && port == tuple.sport) {
      return 0;
    }
    return rewrite(
        packet,
        tuple.nexthdr,
        l4Offset,
        Ipv4Header.SOURCE,
        tuple.saddr,
        address,
        L4.SOURCE_PORT,
        tuple.sport,
        port,
        Ipv4Header.hasL4Header(packet));
  }

  /** {@code snat_v4_rewrite_ingress}. */
  private static int rewriteDestination(
      SkBuff packet, Ipv4CtTuple tuple, int l4Offset, int address, int port) {
    if (address == tuple.daddr && port == tuple.dport) {
      return 0;
    }
    return rewrite(
        packet,
        tuple.nexthdr,
        l4Offset,
        Ipv4Header.DESTINATION,
        tuple.daddr,
        address,
        L4.DESTINATION_PORT,
        tuple.dport,
        port,
        true);
  }

  private static int rewrite(
      SkBuff packet,
      int protocol,
      int l4Offset,
      int addressAt,
      int fromAddress,
      int toAddress,
      int portField,
      int fromPort,
      int toPort,
      boolean hasL4Header) {
    if (hasL4Header && fromPort != toPort) {
      if (protocol == IpProtocol.ICMP) {
        rewriteIdentifier(packet, l4Offset, fromPort, toPort);
      } else {
        int error = L4.rewritePort(packet, l4Offset, protocol, portField, fromPort, toPort);
        if (error < 0) {
          return error;
        }
      }
    }
    L4.rewriteAddress(packet, addressAt, fromAddress, toAddress);
    return hasL4Header
        ? L4.correctForAddress(packet, l4Offset, protocol, fromAddress, toAddress)
        : 0;
  }

  private static void rewriteIdentifier(SkBuff packet, int l4Offset, int from, int to) {
    int checksumAt = l4Offset + Icmp.CHECKSUM;
    packet.setU16(l4Offset + Icmp.IDENTIFIER, to);
    packet.setU16(checksumAt, Checksum.replace16(packet.u16(checksumAt), from, to));
  }
}
