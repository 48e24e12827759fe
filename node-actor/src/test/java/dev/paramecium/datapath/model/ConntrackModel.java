package dev.paramecium.datapath.model;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.FragmentKey;
import dev.paramecium.abi.FragmentValue;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.lib.ConntrackTimeouts;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** {@code lib/conntrack.h}, and {@code ipv4_handle_fragmentation}. */
final class ConntrackModel {

  static final int NEW = 0;
  static final int ESTABLISHED = 1;
  static final int REPLY = 2;
  static final int RELATED = 3;
  static final int REOPENED = 4;

  private static final int EFAULT = 14;
  private static final int FIN = 1;
  private static final int SYN = 2;
  private static final int RST = 4;
  private static final int BOTH = CtEntry.RX_CLOSING | CtEntry.TX_CLOSING;

  enum Direction {
    EGRESS(CtTuple.IN, MetricsKey.EGRESS),
    INGRESS(CtTuple.OUT, MetricsKey.INGRESS),
    SERVICE(CtTuple.SERVICE, MetricsKey.SERVICE);

    final int tupleFlags;
    final int metric;

    Direction(int tupleFlags, int metric) {
      this.tupleFlags = tupleFlags;
      this.metric = metric;
    }
  }

  /** Source and destination port, or what stands for them. */
  record Ports(int source, int destination) {}

  /**
   * What a lookup found.
   *
   * @param tuple as the lookup leaves it: reversed unless the packet answers somebody
   * @param monitored whether the packet is worth a line
   * @param entry of the connection; null if {@link #NEW}
   */
  record Lookup(int status, CtTuple tuple, boolean monitored, @Nullable CtEntry entry) {
    boolean answers() {
      return status == REPLY || status == RELATED;
    }

    boolean has(int flag) {
      return entry != null && (entry.flags() & flag) != 0;
    }

    int revNatIndex() {
      return entry == null ? 0 : entry.revNatIndex();
    }
  }

  /** What a new entry is to hold: {@code struct ct_state}. */
  static final class State {
    int revNatIndex;
    boolean loopback;
    boolean nodePort;
    boolean dsr;
    boolean proxyRedirect;
    int ifindex;
    int backendId;
    int sourceIdentity;

    /** Of a looped-back connection, what it appears to come from, and the pod itself. */
    Ipv4Address loopbackAddress = Ipv4Address.ANY;

    Ipv4Address serviceAddress = Ipv4Address.ANY;
  }

  private final MapState maps;
  private final ConntrackTimeouts timeouts;
  private final IntSupplier clock;

  ConntrackModel(MapState maps, ConntrackTimeouts timeouts, IntSupplier clock) {
    this.maps = maps;
    this.timeouts = timeouts;
    this.clock = clock;
  }

  // ---- what a packet's connection is known by

  /** {@code ipv4_handle_fragmentation}: of a later fragment the ports are the first one's. */
  Ports ports(Frame frame, int metric) {
    int l4 = frame.l4();
    FragmentKey datagram =
        new FragmentKey(
            frame.destination(), frame.source(), frame.identification(), frame.protocol());
    if (frame.isFragment()) {
      maps.count(DropReason.FRAGMENTED, metric, frame.length());
    }
    if (!frame.isFirstOrWhole()) {
      FragmentValue first = maps.fragments.get(datagram);
      if (first == null) {
        throw new Drop(DropReason.FRAG_NOT_FOUND);
      }
      return new Ports(first.sport(), first.dport());
    }
    if (!frame.has(l4, 4)) {
      throw new Drop(EFAULT);
    }
    Ports ports = new Ports(frame.u16(l4), frame.u16(l4 + 2));
    if (frame.isFragment()) {
      maps.fragments.put(datagram, new FragmentValue(ports.source(), ports.destination()));
    }
    return ports;
  }

  private static int icmpType(Frame frame) {
    if (!frame.has(frame.l4(), 1)) {
      throw new Drop(DropReason.CT_INVALID_HDR);
    }
    return frame.u8(frame.l4());
  }

  private static boolean isIcmpError(int type) {
    return type == 3 || type == 11 || type == 12;
  }

  /** {@code ct_extract_ports4}: an echo's identifier stands for the port of who is asked. */
  private Ports tracked(Frame frame, int metric) {
    switch (frame.protocol()) {
      case IpProtocol.TCP, IpProtocol.UDP -> {
        return ports(frame, metric);
      }
      case IpProtocol.ICMP -> {
        int type = icmpType(frame);
        if (type != 0 && type != 8) {
          return new Ports(0, 0);
        }
        if (!frame.has(frame.l4() + 4, 2)) {
          throw new Drop(DropReason.CT_INVALID_HDR);
        }
        int identifier = frame.u16(frame.l4() + 4);
        // The tuple of a request has it as dport, where a packet's source port stands.
        return type == 8 ? new Ports(identifier, 0) : new Ports(0, identifier);
      }
      default -> throw new Drop(DropReason.CT_UNKNOWN_PROTO);
    }
  }

  // ---- lookup

  /** {@code ct_lookup4}. */
  Lookup lookup(Frame frame, Direction direction) {
    return lookup(frame, frame.source(), frame.destination(), direction);
  }

  /** The same for a packet whose addresses were translated, or would be. */
  Lookup lookup(Frame frame, Ipv4Address source, Ipv4Address destination, Direction direction) {
    Ports ports = tracked(frame, direction.metric);
    boolean tcp = frame.protocol() == IpProtocol.TCP;
    int flags = 0;
    if (tcp && frame.isFirstOrWhole()) {
      if (!frame.has(frame.l4() + 12, 2)) {
        throw new Drop(DropReason.CT_INVALID_HDR);
      }
      flags = frame.u8(frame.l4() + 13);
    }
    int tupleFlags = direction.tupleFlags;
    if (frame.protocol() == IpProtocol.ICMP && isIcmpError(icmpType(frame))) {
      tupleFlags |= CtTuple.RELATED;
    }
    CtTuple reverse =
        new CtTuple(
            destination, source, ports.source(), ports.destination(), frame.protocol(), tupleFlags);
    Lookup found = lookupOne(frame, reverse, direction, flags, false);
    if (found.status() != NEW) {
      boolean related = (tupleFlags & CtTuple.RELATED) != 0;
      return new Lookup(related ? RELATED : REPLY, found.tuple(), found.monitored(), found.entry());
    }
    if (direction == Direction.SERVICE) {
      return found;
    }
    CtTuple forward =
        new CtTuple(
            source,
            destination,
            ports.destination(),
            ports.source(),
            frame.protocol(),
            tupleFlags ^ CtTuple.IN);
    return lookupOne(frame, forward, direction, flags, found.monitored());
  }

  /**
   * {@code __ct_lookup}.
   *
   * @param monitored what stands if this lookup has nothing to say: an entry that both sides closed
   */
  private Lookup lookupOne(
      Frame frame, CtTuple tuple, Direction direction, int flags, boolean monitored) {
    CtEntry entry = maps.conntrack(tuple.nexthdr()).get(tuple);
    boolean syn = (flags & SYN) != 0;
    if (entry == null || direction == Direction.SERVICE && syn && mayRebalance(entry)) {
      return new Lookup(NEW, tuple, true, null);
    }
    boolean closing = (entry.flags() & BOTH) != 0;
    boolean worthALine = monitored;
    Mutable changed = new Mutable(entry);
    if ((entry.flags() & BOTH) != BOTH) {
      worthALine = updateTimeout(changed, tuple.nexthdr(), direction, flags);
    }
    if (direction == Direction.INGRESS) {
      changed.rxPackets++;
      changed.rxBytes += frame.length();
    } else if (direction == Direction.EGRESS) {
      changed.txPackets++;
      changed.txBytes += frame.length();
    }
    int status = ESTABLISHED;
    if ((flags & (FIN | RST)) != 0) {
      boolean both = (flags & RST) != 0 && direction != Direction.SERVICE;
      changed.flags |=
          both ? BOTH : direction == Direction.INGRESS ? CtEntry.RX_CLOSING : CtEntry.TX_CLOSING;
      if ((changed.flags & BOTH) == BOTH) {
        extend(changed, timeouts.close(), direction, flags);
      }
      worthALine = true;
    } else if (syn && closing) {
      changed.flags &= ~BOTH;
      worthALine = updateTimeout(changed, tuple.nexthdr(), direction, flags);
      status = REOPENED;
    }
    maps.conntrack(tuple.nexthdr()).put(tuple, changed.entry());
    return new Lookup(status, tuple, worthALine, entry);
  }

  private boolean mayRebalance(CtEntry entry) {
    return (entry.flags() & BOTH) != 0
        && entry.lastTxReport() + timeouts.serviceCloseRebalance() <= clock.getAsInt();
  }

  /** {@code ct_update_timeout}. */
  private boolean updateTimeout(Mutable entry, int protocol, Direction direction, int flags) {
    boolean service = direction == Direction.SERVICE;
    int lifetime = service ? timeouts.serviceAny() : timeouts.any();
    if (protocol == IpProtocol.TCP) {
      if ((flags & SYN) == 0) {
        entry.flags |= CtEntry.SEEN_NON_SYN;
      }
      boolean seenNonSyn = (entry.flags & CtEntry.SEEN_NON_SYN) != 0;
      lifetime = !seenNonSyn ? timeouts.syn() : service ? timeouts.serviceTcp() : timeouts.tcp();
    }
    return extend(entry, lifetime, direction, flags);
  }

  /** {@code __ct_update_timeout}. */
  private boolean extend(Mutable entry, int lifetime, Direction direction, int flags) {
    int now = clock.getAsInt();
    boolean ingress = direction == Direction.INGRESS;
    entry.lifetime = now + lifetime;
    int before = ingress ? entry.rxFlags : entry.txFlags;
    int seen = before | flags;
    int last = ingress ? entry.lastRx : entry.lastTx;
    if (seen == before && last + timeouts.reportInterval() >= now) {
      return false;
    }
    if (ingress) {
      entry.rxFlags = seen;
      entry.lastRx = now;
    } else {
      entry.txFlags = seen;
      entry.lastTx = now;
    }
    return true;
  }

  // ---- create

  /**
   * {@code ct_create4}.
   *
   * @param related whether ICMP errors about the connection are to be found
   */
  void create(Frame frame, CtTuple tuple, Direction direction, State state, boolean related) {
    Mutable entry = new Mutable();
    entry.flags =
        (state.loopback ? CtEntry.LB_LOOPBACK : 0)
            | (state.nodePort ? CtEntry.NODE_PORT : 0)
            | (state.proxyRedirect ? CtEntry.PROXY_REDIRECT : 0)
            | (state.dsr ? CtEntry.DSR : 0);
    entry.revNatIndex = state.revNatIndex;
    entry.ifindex = state.ifindex;
    entry.sourceIdentity = state.sourceIdentity;
    updateTimeout(entry, tuple.nexthdr(), direction, tuple.nexthdr() == IpProtocol.TCP ? SYN : 0);
    switch (direction) {
      case INGRESS -> {
        entry.rxPackets = 1;
        entry.rxBytes = frame.length();
      }
      case EGRESS -> {
        entry.txPackets = 1;
        entry.txBytes = frame.length();
      }
      // The backend's number stands where the received bytes would.
      case SERVICE -> entry.rxBytes = state.backendId & 0xffff_ffffL;
    }
    maps.conntrack(tuple.nexthdr()).put(tuple, entry.entry());
    boolean loops = !state.loopbackAddress.equals(Ipv4Address.ANY) && state.loopback;
    if (direction == Direction.EGRESS && loops) {
      CtTuple answer =
          new CtTuple(
              state.loopbackAddress,
              state.serviceAddress,
              tuple.dport(),
              tuple.sport(),
              tuple.nexthdr(),
              CtTuple.IN);
      maps.conntrack(tuple.nexthdr()).put(answer, entry.entry());
    }
    if (related) {
      entry.flags |= CtEntry.SEEN_NON_SYN;
      maps.any.put(
          new CtTuple(
              tuple.daddr(), tuple.saddr(), 0, 0, IpProtocol.ICMP, tuple.flags() | CtTuple.RELATED),
          entry.entry());
    }
  }

  // ---- single fields

  void setBackend(CtTuple tuple, int backendId) {
    change(tuple, entry -> entry.rxBytes = backendId & 0xffff_ffffL);
  }

  void setRevNatIndex(CtTuple tuple, int revNatIndex) {
    change(tuple, entry -> entry.revNatIndex = revNatIndex);
  }

  void setFlag(CtTuple tuple, int flag, boolean on) {
    change(tuple, entry -> entry.flags = on ? entry.flags | flag : entry.flags & ~flag);
  }

  private void change(CtTuple tuple, java.util.function.Consumer<Mutable> change) {
    CtEntry entry = maps.conntrack(tuple.nexthdr()).get(tuple);
    if (entry != null) {
      Mutable mutable = new Mutable(entry);
      change.accept(mutable);
      maps.conntrack(tuple.nexthdr()).put(tuple, mutable.entry());
    }
  }

  /** {@code ct_has_nodeport_egress_entry4}. */
  boolean hasNodePortEgressEntry(CtTuple ingress) {
    CtEntry entry =
        maps.conntrack(ingress.nexthdr())
            .get(
                new CtTuple(
                    ingress.daddr(),
                    ingress.saddr(),
                    ingress.dport(),
                    ingress.sport(),
                    ingress.nexthdr(),
                    CtTuple.OUT));
    return entry != null && (entry.flags() & CtEntry.NODE_PORT) != 0;
  }

  /** {@code ct_is_reply4}: whether a pod's packet answers who spoke to the pod first. */
  boolean isReply(Frame frame) {
    try {
      Ports ports = tracked(frame, MetricsKey.EGRESS);
      return maps.conntrack(frame.protocol())
          .containsKey(
              new CtTuple(
                  frame.destination(),
                  frame.source(),
                  ports.source(),
                  ports.destination(),
                  frame.protocol(),
                  CtTuple.IN));
    } catch (Drop _) {
      return false;
    }
  }

  /** {@code struct ct_entry}. */
  private static final class Mutable {
    long rxPackets;
    long rxBytes;
    long txPackets;
    long txBytes;
    int lifetime;
    int flags;
    int revNatIndex;
    int ifindex;
    int txFlags;
    int rxFlags;
    int sourceIdentity;
    int lastTx;
    int lastRx;

    Mutable() {}

    Mutable(CtEntry entry) {
      rxPackets = entry.rxPackets();
      rxBytes = entry.rxBytes();
      txPackets = entry.txPackets();
      txBytes = entry.txBytes();
      lifetime = entry.lifetime();
      flags = entry.flags();
      revNatIndex = entry.revNatIndex();
      ifindex = entry.ifindex();
      txFlags = entry.txFlagsSeen();
      rxFlags = entry.rxFlagsSeen();
      sourceIdentity = entry.sourceSecurityIdentity();
      lastTx = entry.lastTxReport();
      lastRx = entry.lastRxReport();
    }

    CtEntry entry() {
      return new CtEntry(
          rxPackets,
          rxBytes,
          txPackets,
          txBytes,
          lifetime,
          flags,
          revNatIndex,
          ifindex,
          txFlags,
          rxFlags,
          sourceIdentity,
          lastTx,
          lastRx);
    }
  }
}
