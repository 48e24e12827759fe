package dev.paramecium.datapath.trace;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.syscall.Observation.PacketSummary;
import org.jspecify.annotations.Nullable;

/**
 * A packet at one moment: programs change it, so a step is told with what it looked like before.
 *
 * @param digest what it is recognised by, null if it is no IPv4 packet
 * @param summary its outermost headers
 * @param vni on the wire or in the tunnel key, -1 if neither
 */
public record Sight(@Nullable PacketDigest digest, @Nullable PacketSummary summary, int vni) {

  /**
   * What goes between two sockets without having been a packet yet.
   *
   * @param length bytes of data
   */
  public static Sight ofSockets(
      int protocol,
      Ipv4Address source,
      int sourcePort,
      Ipv4Address destination,
      int destinationPort,
      int length) {
    PacketDigest digest =
        PacketDigest.ofSockets(
            protocol, source.value(), sourcePort, destination.value(), destinationPort, length);
    return new Sight(digest, digest.summary("", "", length), -1);
  }

  /** The same with the tunnel key that a program has set meanwhile. */
  public Sight withVni(int newVni) {
    return new Sight(digest, summary, newVni);
  }
}
