package dev.paramecium.syscall;

import dev.paramecium.abi.Ipv4Prefix;
import java.util.List;

/**
 * A fault of a device's link: what happens to which of its packets. Several faults of one device
 * act one after the other.
 *
 * @param source who asked for it, {@code namespace/name}; what drops say
 * @param way which packets of the device, seen from it
 * @param peers the other end's addresses: destinations of what leaves, sources of what arrives;
 *     empty for any packet, those that are not IPv4 included
 * @param impairment {@link Way#INGRESS} knows {@link Impairment.Drop} only: as on Linux, what
 *     arrives cannot be queued
 */
public record LinkFault(String source, Way way, List<Ipv4Prefix> peers, Impairment impairment) {

  /** Seen from the device. */
  public enum Way {
    EGRESS,
    INGRESS
  }

  public LinkFault {
    peers = List.copyOf(peers);
    if (way == Way.INGRESS && !(impairment instanceof Impairment.Drop)) {
      throw new IllegalArgumentException(
          "fault " + source + ": what arrives at a device can be dropped, not delayed or changed");
    }
  }
}
