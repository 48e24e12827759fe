package dev.paramecium.agent.policy;

import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.agent.desired.Claim;
import dev.paramecium.agent.desired.Source;
import dev.paramecium.policy.rule.Cidr;
import dev.paramecium.policy.rule.LabelSet;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The numbers that this node gives to address blocks of policies; they mean nothing on another node
 * ({@code pkg/identity/cache/local.go}, {@code pkg/ipcache/cidr.go}).
 */
final class LocalIdentities {

  /** Bit 24 marks a local identity; the first number of the scope is never given. */
  static final int FIRST = (1 << 24) + 1;

  private final Map<Cidr, Integer> numbers = new HashMap<>();
  private final Map<Integer, Cidr> blocks = new TreeMap<>();
  private int next = FIRST;

  /**
   * What changed.
   *
   * @param added with the labels that selectors see
   */
  record Change(Map<Integer, LabelSet> added, Set<Integer> removed) {

    boolean isEmpty() {
      return added.isEmpty() && removed.isEmpty();
    }
  }

  /** Exactly {@code wanted} have a number from now on; all of an address family is the world. */
  Change keep(Collection<Cidr> wanted) {
    Set<Cidr> needed = new HashSet<>(wanted);
    needed.removeIf(Cidr::isAll);
    Set<Integer> removed = new HashSet<>();
    for (Map.Entry<Cidr, Integer> known : List.copyOf(numbers.entrySet())) {
      if (!needed.contains(known.getKey())) {
        numbers.remove(known.getKey());
        blocks.remove(known.getValue());
        removed.add(known.getValue());
      }
    }
    Map<Integer, LabelSet> added = new TreeMap<>();
    for (Cidr block : needed.stream().sorted(BY_TEXT).toList()) {
      if (!numbers.containsKey(block)) {
        int number = allocate();
        numbers.put(block, number);
        blocks.put(number, block);
        added.put(number, block.identityLabels());
      }
    }
    removed.removeAll(added.keySet());
    return new Change(added, removed);
  }

  private static final java.util.Comparator<Cidr> BY_TEXT =
      java.util.Comparator.comparing(Cidr::toString);

  /** The lowest free number above the last one given, as Cilium's allocator goes round. */
  private int allocate() {
    while (blocks.containsKey(next)) {
      next = next + 1 < 2 << 24 ? next + 1 : FIRST;
    }
    int number = next;
    next = number + 1 < 2 << 24 ? number + 1 : FIRST;
    return number;
  }

  /** The ipcache entries of all blocks of IPv4. */
  List<Claim> claims() {
    List<Claim> claims = new ArrayList<>();
    blocks.forEach(
        (number, block) -> {
          if (block.bits() == 32) {
            Ipv4Prefix prefix =
                new Ipv4Prefix(new Ipv4Address(block.address().intValue()), block.length());
            claims.add(
                new Claim(
                    MapNames.IPCACHE,
                    new IpcacheKey(prefix).encode(),
                    new RemoteEndpointInfo(number, Ipv4Address.ANY).encode(),
                    Source.GENERATED,
                    0));
          }
        });
    return claims;
  }

  /** The number of a block that was wanted last; the world's for all addresses. */
  int number(Cidr block) {
    return numbers.getOrDefault(block, ReservedIdentity.WORLD.id());
  }

  /** By number. */
  Map<Integer, Cidr> blocks() {
    return Map.copyOf(blocks);
  }
}
