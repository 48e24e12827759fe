package dev.paramecium.agent.ipam;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * Hands out the addresses of one pod CIDR, network and broadcast address excepted ({@code
 * pkg/ipam/hostscope.go}). An address that was never used is chosen at random; a released one comes
 * back last, after all that were released before it, so that a peer's stale entry has the longest
 * time to go away.
 */
public final class AddressPool {

  private final Ipv4Prefix podCidr;
  private final RandomGenerator random;
  private final List<Ipv4Address> unused = new ArrayList<>();
  private final LinkedHashSet<Ipv4Address> released = new LinkedHashSet<>();
  private final SortedMap<Ipv4Address, String> owners = new TreeMap<>();

  /**
   * @throws IllegalArgumentException if the CIDR has no address for a pod or more than 65536
   */
  public AddressPool(Ipv4Prefix podCidr, RandomGenerator random) {
    if (podCidr.length() > 30 || podCidr.length() < 16) {
      throw new IllegalArgumentException(
          "pod CIDR " + podCidr + " cannot serve a node: its length must be 16 to 30");
    }
    this.podCidr = podCidr;
    this.random = random;
    for (int offset = 1; offset < podCidr.size() - 1; offset++) {
      unused.add(podCidr.address().plus(offset));
    }
  }

  public Ipv4Prefix podCidr() {
    return podCidr;
  }

  /** A free address for {@code owner}, or nothing if there is none. */
  public Optional<Ipv4Address> allocate(String owner) {
    Ipv4Address address;
    if (!unused.isEmpty()) {
      // The last one takes the chosen one's place: removal at the end of an array costs nothing.
      int index = random.nextInt(unused.size());
      Ipv4Address last = unused.removeLast();
      address = index == unused.size() ? last : unused.set(index, last);
    } else if (!released.isEmpty()) {
      address = released.removeFirst();
    } else {
      return Optional.empty();
    }
    owners.put(address, owner);
    return Optional.of(address);
  }

  /**
   * Takes a certain address, as after a restart.
   *
   * @return whether {@code owner} has it now: false if it is another's or not of this pod CIDR
   */
  public boolean reserve(Ipv4Address address, String owner) {
    String current = owners.get(address);
    if (current != null) {
      return current.equals(owner);
    }
    if (!released.remove(address) && !unused.remove(address)) {
      return false;
    }
    owners.put(address, owner);
    return true;
  }

  /** Gives an address back; one that is not taken stays as it is. */
  public void release(Ipv4Address address) {
    if (owners.remove(address) != null) {
      released.add(address);
    }
  }

  /** Who has which address. */
  public Map<Ipv4Address, String> owners() {
    return Map.copyOf(owners);
  }

  public int available() {
    return unused.size() + released.size();
  }

  /** How many addresses there are in all. */
  public int capacity() {
    return available() + owners.size();
  }
}
