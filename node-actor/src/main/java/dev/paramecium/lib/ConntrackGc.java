package dev.paramecium.lib;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.map.ConntrackMaps;
import dev.paramecium.map.NatMaps;

/**
 * Garbage collection of conntrack, as cilium-agent does it ({@code pkg/maps/ctmap}): takes entries
 * whose lifetime is over, and what NAT has for them. Programs go on meanwhile; an entry that one of
 * them keeps alive between the look and the removal is lost, as it is there.
 *
 * <pre>
 *   pod A:a speaks to B:b as T:t         daddr saddr dport sport
 *     conntrack                            A     B     b     a    OUT
 *     NAT, request                         B     A     b     a    OUT  → T:t
 *     NAT, reply                           T     B     t     b    IN   → A:a
 * </pre>
 */
public final class ConntrackGc {

  /**
   * What a round took away.
   *
   * @param ratio the largest part of what a map has room for: 0 to 1
   */
  public record Round(int removed, double ratio) {}

  private ConntrackGc() {}

  /**
   * @param nowSeconds since boot, the unit of lifetimes
   */
  public static Round collect(ConntrackMaps maps, NatMaps nat, int nowSeconds) {
    int tcp = collect(maps.tcp(), nat.snat(), nowSeconds);
    int any = collect(maps.any(), nat.snat(), nowSeconds);
    return new Round(
        tcp + any,
        Math.max((double) tcp / maps.tcp().maxEntries(), (double) any / maps.any().maxEntries()));
  }

  private static int collect(BpfHashMap map, BpfHashMap snat, int nowSeconds) {
    int removed = 0;
    Ipv4CtTuple tuple = new Ipv4CtTuple();
    for (int slot = map.nextSlot(-1); slot >= 0; slot = map.nextSlot(slot)) {
      long stamp = map.stamp(slot);
      long k0 = map.keyWord(slot, 0);
      long k1 = map.keyWord(slot, 1);
      int lifetime = map.i32(slot, CtEntry.OFF_LIFETIME);
      boolean same = (stamp & 1) == 0 && map.stamp(slot) == stamp;
      if (same && Integer.compareUnsigned(lifetime, nowSeconds) < 0 && map.remove(k0, k1)) {
        tuple.set(k0, k1);
        removeMapping(snat, tuple);
        removed++;
      }
    }
    return removed;
  }

  /** {@code DeleteMapping4}: NAT's two entries of a connection that is gone. */
  private static void removeMapping(BpfHashMap snat, Ipv4CtTuple tuple) {
    tuple.exchangeAddresses();
    int entry = snat.find(tuple.k0(), tuple.k1());
    if (entry < 0) {
      return;
    }
    Ipv4CtTuple reply = new Ipv4CtTuple();
    reply.saddr = tuple.daddr;
    reply.sport = tuple.dport;
    reply.daddr = Integer.reverseBytes(snat.i32(entry, Ipv4NatEntry.ADDRESS));
    reply.dport = Short.reverseBytes((short) snat.u16(entry, Ipv4NatEntry.PORT)) & 0xffff;
    reply.nexthdr = tuple.nexthdr;
    reply.flags = CtTuple.IN;
    snat.remove(tuple.k0(), tuple.k1());
    snat.remove(reply.k0(), reply.k1());
  }

  /**
   * {@code PurgeOrphanNATEntries}: takes what NAT has for connections that conntrack forgot without
   * collecting them, as an LRU map does under pressure.
   */
  public static void purgeOrphans(ConntrackMaps maps, NatMaps nat) {
    BpfHashMap snat = nat.snat();
    Ipv4CtTuple tuple = new Ipv4CtTuple();
    for (int slot = snat.nextSlot(-1); slot >= 0; slot = snat.nextSlot(slot)) {
      long stamp = snat.stamp(slot);
      long k0 = snat.keyWord(slot, 0);
      long k1 = snat.keyWord(slot, 1);
      int address = nat.toAddress(slot);
      int port = nat.toPort(slot);
      if ((stamp & 1) != 0 || snat.stamp(slot) != stamp) {
        continue;
      }
      tuple.set(k0, k1);
      if (isOrphan(maps, tuple, address, port)) {
        snat.remove(k0, k1);
      }
    }
  }

  private static boolean isOrphan(ConntrackMaps maps, Ipv4CtTuple tuple, int address, int port) {
    BpfHashMap map = tuple.nexthdr == IpProtocol.TCP ? maps.tcp() : maps.any();
    if ((tuple.flags & CtTuple.IN) != 0) {
      tuple.daddr = address;
      tuple.dport = tuple.sport;
      tuple.sport = port;
      tuple.flags = CtTuple.OUT;
      return map.find(tuple.k0(), tuple.k1()) < 0;
    }
    int clientPort = tuple.sport;
    tuple.sport = tuple.dport;
    tuple.dport = clientPort;
    boolean directly = map.find(tuple.k0(), tuple.k1()) >= 0;
    tuple.flags = CtTuple.IN;
    boolean received = map.find(tuple.k0(), tuple.k1()) >= 0;
    tuple.reverse();
    return !directly && !received && map.find(tuple.k0(), tuple.k1()) < 0;
  }
}
