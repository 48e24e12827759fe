package dev.paramecium.operator;

import dev.paramecium.abi.Ipv4Prefix;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Cuts the cluster CIDR into one pod CIDR per node ({@code pkg/ipam/allocator/clusterpool}). The
 * first node gets the lowest. A released CIDR is given to another node only when no fresh one is
 * left; its last holder gets it back if it is still free.
 */
final class PodCidrPool {

  private final Ipv4Prefix clusterCidr;
  private final int maskSize;
  private final int count;
  private final Map<Ipv4Prefix, String> holders = new HashMap<>();
  private final Map<String, Ipv4Prefix> lastHeld = new HashMap<>();
  private final Deque<Ipv4Prefix> released = new ArrayDeque<>();
  private final Set<Ipv4Prefix> everHeld = new HashSet<>();
  private int next;

  PodCidrPool(Ipv4Prefix clusterCidr, int maskSize) {
    this.clusterCidr = clusterCidr;
    this.maskSize = maskSize;
    this.count = 1 << (maskSize - clusterCidr.length());
  }

  /**
   * Notes that {@code node} has {@code cidr}, as its CiliumNode says.
   *
   * @return false if another node has it, or a part of it
   */
  boolean occupy(String node, Ipv4Prefix cidr) {
    for (Map.Entry<Ipv4Prefix, String> held : holders.entrySet()) {
      boolean overlaps =
          held.getKey().contains(cidr.address()) || cidr.contains(held.getKey().address());
      if (overlaps && !held.getValue().equals(node)) {
        return false;
      }
    }
    released.remove(cidr);
    everHeld.add(cidr);
    holders.put(cidr, node);
    lastHeld.put(node, cidr);
    return true;
  }

  /** A CIDR for {@code node}: the one it had, else a fresh one, else the longest released. */
  Optional<Ipv4Prefix> allocate(String node) {
    Ipv4Prefix previous = lastHeld.get(node);
    if (previous != null && occupy(node, previous)) {
      return Optional.of(previous);
    }
    while (next < count) {
      Ipv4Prefix candidate = cidr(next++);
      if (!everHeld.contains(candidate) && occupy(node, candidate)) {
        return Optional.of(candidate);
      }
    }
    for (Ipv4Prefix candidate : List.copyOf(released)) {
      if (occupy(node, candidate)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  /** The node is gone; what it held is free. */
  void release(String node) {
    holders
        .entrySet()
        .removeIf(
            held -> {
              boolean its = held.getValue().equals(node);
              if (its) {
                released.add(held.getKey());
              }
              return its;
            });
  }

  private Ipv4Prefix cidr(int index) {
    return new Ipv4Prefix(clusterCidr.address().plus(index << (32 - maskSize)), maskSize);
  }

  @Override
  public String toString() {
    return count
        + " CIDRs of /"
        + maskSize
        + " in "
        + clusterCidr
        + ", "
        + holders.size()
        + " held";
  }
}
