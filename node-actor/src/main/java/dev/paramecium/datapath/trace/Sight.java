package dev.paramecium.datapath.trace;

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

  /** The same with the tunnel key that a program has set meanwhile. */
  public Sight withVni(int newVni) {
    return new Sight(digest, summary, newVni);
  }
}
