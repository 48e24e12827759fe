package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Ethernet;

/** {@code ipv4_l3}: one hop. */
public final class L3 {

  private L3() {}

  /**
   * Takes one from the TTL and rewrites the addresses.
   *
   * @return 0, or the drop reason of a TTL that is used up
   */
  public static int forward(SkBuff packet, long sourceMac, long destinationMac) {
    int error = forward(packet, destinationMac);
    if (error == 0) {
      packet.setMac(Ethernet.SOURCE, sourceMac);
    }
    return error;
  }

  /** The same without a new source. */
  public static int forward(SkBuff packet, long destinationMac) {
    if (!Ipv4Header.decrementTtl(packet)) {
      return -DropReason.INVALID;
    }
    packet.setMac(Ethernet.DESTINATION, destinationMac);
    return 0;
  }
}
