package dev.paramecium.datapath.model;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.datapath.model.ConntrackModel.Direction;
import dev.paramecium.datapath.model.ConntrackModel.Lookup;
import dev.paramecium.datapath.model.ConntrackModel.State;
import dev.paramecium.lib.NodePortConfig;
import java.util.function.IntSupplier;

/** {@code lib/nat.h}. */
final class NatModel {

  private static final int SMALLEST_EGRESS_PORT = 1024;
  private static final int RETRIES = 128;

  private final MapState maps;
  private final NodePortConfig config;
  private final ConntrackModel conntrack;
  private final RandomSource random;
  private final IntSupplier clock;

  NatModel(
      MapState maps,
      NodePortConfig config,
      ConntrackModel conntrack,
      RandomSource random,
      IntSupplier clock) {
    this.maps = maps;
    this.config = config;
    this.conntrack = conntrack;
    this.random = random;
    this.clock = clock;
  }

  /**
   * {@code snat_v4_process} for what leaves: throws {@link DropReason#NAT_NOT_NEEDED} where it
   * punts to the stack.
   *
   * @param foreign whether the source is the world or a pod
   */
  void egress(Frame frame, Ipv4Address target, boolean foreign) {
    CtTuple tuple = tuple(frame, CtTuple.OUT);
    boolean echoReply = frame.protocol() == IpProtocol.ICMP && frame.u8(frame.l4()) == 0;
    if (echoReply || !foreign && tuple.sport() < SMALLEST_EGRESS_PORT) {
      throw new Drop(DropReason.NAT_NOT_NEEDED);
    }
    Ipv4NatEntry entry = maps.nat.get(tuple);
    if (entry == null ? tuple.saddr().equals(target) : entry.hostLocal() != 0) {
      track(frame, Direction.EGRESS);
    }
    rewriteSource(frame, tuple, entry == null ? map(tuple, target) : entry);
  }

  /** {@code snat_v4_process} for what comes back. */
  void ingress(Frame frame) {
    CtTuple tuple = tuple(frame, CtTuple.IN);
    if (tuple.dport() < config.minNatPort() || tuple.dport() > config.maxNatPort()) {
      throw new Drop(DropReason.NAT_NOT_NEEDED);
    }
    Ipv4NatEntry entry = maps.nat.get(tuple);
    if (entry == null) {
      throw new Drop(DropReason.NAT_NO_MAPPING);
    }
    if (entry.hostLocal() != 0) {
      track(frame, Direction.INGRESS);
    }
    rewriteDestination(frame, tuple, entry);
  }

  /** In the packet's order; an echo's identifier is the port of who asks. */
  private static CtTuple tuple(Frame frame, int flags) {
    int l4 = frame.l4();
    int source;
    int destination;
    switch (frame.protocol()) {
      case IpProtocol.TCP, IpProtocol.UDP -> {
        needs(frame, l4, 4);
        source = frame.u16(l4);
        destination = frame.u16(l4 + 2);
      }
      case IpProtocol.ICMP -> {
        needs(frame, l4, 8);
        int type = frame.u8(l4);
        if (type != 0 && type != 8) {
          throw new Drop(DropReason.NAT_UNSUPP_PROTO);
        }
        source = type == 8 ? frame.u16(l4 + 4) : 0;
        destination = type == 8 ? 0 : frame.u16(l4 + 4);
      }
      default -> throw new Drop(DropReason.NAT_NOT_NEEDED);
    }
    return new CtTuple(
        frame.destination(), frame.source(), destination, source, frame.protocol(), flags);
  }

  private static void needs(Frame frame, int at, int count) {
    if (!frame.has(at, count)) {
      throw new Drop(DropReason.INVALID);
    }
  }

  /** {@code snat_v4_track_local}: the node's own connections have entries of conntrack. */
  private void track(Frame frame, Direction direction) {
    Lookup found = conntrack.lookup(frame, direction);
    if (found.status() == ConntrackModel.NEW) {
      conntrack.create(frame, found.tuple(), direction, new State(), false);
    }
  }

  /** {@code snat_v4_new_mapping}. */
  private Ipv4NatEntry map(CtTuple tuple, Ipv4Address target) {
    boolean keeps = tuple.sport() >= config.minNatPort() && tuple.sport() <= config.maxNatPort();
    int port = keeps ? tuple.sport() : clamp(random.nextInt());
    long hostLocal = tuple.saddr().equals(target) ? 1 : 0;
    long now = clock.getAsInt() & 0xffff_ffffL;
    for (int retry = 0; retry < RETRIES; retry++) {
      CtTuple back =
          new CtTuple(target, tuple.daddr(), port, tuple.dport(), tuple.nexthdr(), CtTuple.IN);
      if (!maps.nat.containsKey(back)) {
        maps.nat.put(back, new Ipv4NatEntry(now, hostLocal, tuple.saddr(), tuple.sport()));
        Ipv4NatEntry entry = new Ipv4NatEntry(now, hostLocal, target, port);
        maps.nat.put(tuple, entry);
        return entry;
      }
      port = clamp(retry == 0 ? random.nextInt() : port + 1);
    }
    throw new Drop(DropReason.NAT_NO_MAPPING);
  }

  private int clamp(int value) {
    return (value & 0xffff) % (config.maxNatPort() - config.minNatPort()) + config.minNatPort();
  }

  // ---- direct server return

  /** {@code snat_v4_create_dsr}: the answer of a pod is to come from a service. */
  void createDsr(Frame frame, Ipv4Address service, int port) {
    if (!ServiceModel.hasPorts(frame.protocol()) || !frame.has(frame.l4(), 4)) {
      throw new Drop(DropReason.INVALID);
    }
    CtTuple answer =
        new CtTuple(
            frame.source(),
            frame.destination(),
            frame.u16(frame.l4()),
            frame.u16(frame.l4() + 2),
            frame.protocol(),
            CtTuple.OUT);
    maps.nat.put(answer, new Ipv4NatEntry(clock.getAsInt() & 0xffff_ffffL, 0, service, port));
  }

  /**
   * {@code xlate_dsr_v4}.
   *
   * @param found of conntrack, whose ports stand the other way round
   */
  void answerInName(Frame frame, CtTuple found) {
    CtTuple tuple =
        new CtTuple(
            found.daddr(),
            found.saddr(),
            found.sport(),
            found.dport(),
            found.nexthdr(),
            CtTuple.OUT);
    Ipv4NatEntry entry = maps.nat.get(tuple);
    if (entry != null) {
      rewriteSource(frame, tuple, entry);
    }
  }

  // ---- rewriting

  /** {@code snat_v4_rewrite_egress}: of a later fragment the address only. */
  private static void rewriteSource(Frame frame, CtTuple tuple, Ipv4NatEntry to) {
    rewrite(frame, Frame.SOURCE, tuple.saddr(), 0, tuple.sport(), to, frame.isFirstOrWhole());
  }

  /** {@code snat_v4_rewrite_ingress}, which does not ask whether ports are there. */
  private static void rewriteDestination(Frame frame, CtTuple tuple, Ipv4NatEntry to) {
    rewrite(frame, Frame.DESTINATION, tuple.daddr(), 2, tuple.dport(), to, true);
  }

  private static void rewrite(
      Frame frame,
      int at,
      Ipv4Address address,
      int field,
      int port,
      Ipv4NatEntry to,
      boolean hasL4Header) {
    if (to.address().equals(address) && to.port() == port) {
      return;
    }
    boolean echo = frame.protocol() == IpProtocol.ICMP;
    if (hasL4Header && to.port() != port) {
      if (echo) {
        frame.set16(frame.l4() + 4, to.port());
        frame.correct(frame.l4() + 2, new int[] {port}, new int[] {to.port()});
      } else {
        frame.setPort(field, port, to.port());
      }
    }
    frame.setAddress(at, address, to.address());
    if (hasL4Header) {
      frame.correctL4ForAddresses(
          frame.protocol(), new int[] {address.value()}, new int[] {to.address().value()});
    }
  }
}
