package dev.paramecium.inspect.tcpdump;

import dev.paramecium.inspect.packet.Packet;

/** Whether a packet is wanted; {@link FilterParser} makes one of a pcap-filter(7) expression. */
@FunctionalInterface
interface Filter {

  Filter ALL = (_, _) -> true;

  /**
   * @param length of the whole frame, of which {@code packet} may be the beginning
   */
  boolean matches(Packet packet, int length);

  default Filter and(Filter other) {
    return (packet, length) -> matches(packet, length) && other.matches(packet, length);
  }

  default Filter or(Filter other) {
    return (packet, length) -> matches(packet, length) || other.matches(packet, length);
  }

  default Filter not() {
    return (packet, length) -> !matches(packet, length);
  }
}
