package dev.paramecium.container.stack;

import org.jspecify.annotations.Nullable;

/**
 * How datagrams to one address leave: the cached answer of a route lookup, and what was learned
 * about the path (RFC 1191).
 */
final class Destination {

  /** net.ipv4.route.mtu_expires: a lowered path MTU is forgotten after ten minutes. */
  private static final long PATH_MTU_LIFETIME = 600 * Context.SECOND;

  /** net.ipv4.route.min_pmtu: no ICMP message makes the stack send smaller datagrams. */
  private static final int MIN_PATH_MTU = 552;

  final int address;
  final NetDevice device;

  /** Whether the address is the namespace's own. */
  final boolean local;

  /** Whether every host of a network is meant. */
  final boolean broadcast;

  /** The gateway, or the address itself. */
  final int nextHop;

  /** The preferred source address. */
  final int source;

  /** The state of the route table that this answers for. */
  final int generation;

  /** Cached by {@link Neighbours}. */
  @Nullable Neighbour neighbour;

  /** ICMP errors that may still be sent to this address, in units of time (see {@link Icmp}). */
  long icmpTokens;

  long icmpTokensAt;

  private final int routeMtu;
  private int pathMtu;
  private long pathMtuUntil;

  Destination(
      int address,
      NetDevice device,
      boolean local,
      boolean broadcast,
      int nextHop,
      int source,
      int routeMtu,
      int generation) {
    this.address = address;
    this.device = device;
    this.local = local;
    this.broadcast = broadcast;
    this.nextHop = nextHop;
    this.source = source;
    this.routeMtu = routeMtu == 0 ? device.mtu : Math.min(routeMtu, device.mtu);
    this.generation = generation;
  }

  /** The largest datagram that the path is known to carry. */
  int mtu(long now) {
    return pathMtu != 0 && now < pathMtuUntil ? Math.min(pathMtu, routeMtu) : routeMtu;
  }

  /** A router said that {@code mtu} is what it can carry; answers whether that is news. */
  boolean lowerPathMtu(int mtu, long now) {
    int lowered = Math.max(mtu, MIN_PATH_MTU);
    if (lowered >= mtu(now)) {
      return false;
    }
    pathMtu = lowered;
    pathMtuUntil = now + PATH_MTU_LIFETIME;
    return true;
  }

  /** Keeps what was learned when the route is looked up again. */
  void inherit(Destination older) {
    pathMtu = older.pathMtu;
    pathMtuUntil = older.pathMtuUntil;
    icmpTokens = older.icmpTokens;
    icmpTokensAt = older.icmpTokensAt;
  }
}
