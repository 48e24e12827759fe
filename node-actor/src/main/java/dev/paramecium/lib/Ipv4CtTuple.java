package dev.paramecium.lib;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.Ipv4Address;

/**
 * {@code struct ipv4_ct_tuple} as a program's scratch space: addresses and ports in host order, key
 * words as the maps want them.
 *
 * <p>Before a lookup the addresses are the packet's and the ports are exchanged: {@code dport} is
 * what the packet comes from. A forward lookup reverses both, so that {@code dport} is then where
 * the packet goes to, and stays so unless the reverse direction hit.
 */
public final class Ipv4CtTuple {

  public int daddr;
  public int saddr;
  public int dport;
  public int sport;
  public int nexthdr;

  /** Bits of {@link CtTuple}. */
  public int flags;

  void clear() {
    daddr = 0;
    saddr = 0;
    dport = 0;
    sport = 0;
    nexthdr = 0;
    flags = 0;
  }

  /** The first word of the map key. */
  public long k0() {
    return Long.reverseBytes((long) daddr << 32 | (saddr & 0xffff_ffffL));
  }

  /** The second word of the map key. */
  public long k1() {
    return k1(dport, sport, nexthdr, flags);
  }

  static long k1(int dport, int sport, int nexthdr, int flags) {
    return Long.reverseBytes(
        (long) dport << 48 | (long) sport << 32 | (long) nexthdr << 24 | (long) flags << 16);
  }

  /** Reads a map key's two words. */
  void set(long k0, long k1) {
    long addresses = Long.reverseBytes(k0);
    daddr = (int) (addresses >>> 32);
    saddr = (int) addresses;
    long rest = Long.reverseBytes(k1);
    dport = (int) (rest >>> 48);
    sport = (int) (rest >>> 32) & 0xffff;
    nexthdr = (int) (rest >>> 24) & 0xff;
    flags = (int) (rest >>> 16) & 0xff;
  }

  /** Between conntrack's order of addresses and NAT's, which is the packet's. */
  void exchangeAddresses() {
    int address = saddr;
    saddr = daddr;
    daddr = address;
  }

  /** {@code ipv4_ct_tuple_reverse}: ends exchanged, IN for OUT. */
  void reverse() {
    exchangeAddresses();
    int port = sport;
    sport = dport;
    dport = port;
    flags ^= CtTuple.IN;
  }

  CtTuple value() {
    return new CtTuple(
        new Ipv4Address(daddr), new Ipv4Address(saddr), dport, sport, nexthdr, flags);
  }
}
