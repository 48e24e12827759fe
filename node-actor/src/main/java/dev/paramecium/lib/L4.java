package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Tcp;
import dev.paramecium.packet.Udp;

/**
 * Rewriting addresses and ports with their checksums ({@code bpf/lib/{l4,csum}.h}). TCP's and UDP's
 * ports stand in the same places.
 */
final class L4 {

  static final int SOURCE_PORT = Tcp.SOURCE_PORT;
  static final int DESTINATION_PORT = Tcp.DESTINATION_PORT;

  private L4() {}

  /** {@code csum_l4_offset_and_flags}: where the checksum stands in the header, 0 if nowhere. */
  static int checksumOffset(int protocol) {
    return switch (protocol) {
      case IpProtocol.TCP -> Tcp.CHECKSUM;
      case IpProtocol.UDP -> Udp.CHECKSUM;
      default -> 0;
    };
  }

  /**
   * Replaces the packet's source or destination and corrects the IPv4 checksum.
   *
   * @param at {@link Ipv4Header#SOURCE} or {@link Ipv4Header#DESTINATION}
   */
  static void rewriteAddress(SkBuff packet, int at, int from, int to) {
    packet.setI32(at, to);
    packet.setU16(
        Ipv4Header.CHECKSUM, Checksum.replace32(packet.u16(Ipv4Header.CHECKSUM), from, to));
  }

  /**
   * {@code csum_l4_replace} for an address of the pseudo header.
   *
   * @return 0, or the drop reason of a packet that ends before its checksum
   */
  static int correctForAddress(SkBuff packet, int l4Offset, int protocol, int from, int to) {
    int at = l4Offset + checksumOffset(protocol);
    if (at == l4Offset) {
      return 0;
    }
    if (!Ipv4Header.has(packet, at, 2)) {
      return -DropReason.CSUM_L4;
    }
    Checksum.replaceL4(packet.bytes, packet.head + at, from, to, protocol == IpProtocol.UDP);
    return 0;
  }

  /**
   * {@code l4_modify_port}.
   *
   * @param field {@link #SOURCE_PORT} or {@link #DESTINATION_PORT}
   * @return 0, or the drop reason of a packet that ends before its checksum
   */
  static int rewritePort(SkBuff packet, int l4Offset, int protocol, int field, int from, int to) {
    int at = l4Offset + checksumOffset(protocol);
    if (!Ipv4Header.has(packet, at, 2)) {
      return -DropReason.CSUM_L4;
    }
    Checksum.replaceL4Port(packet.bytes, packet.head + at, from, to, protocol == IpProtocol.UDP);
    packet.setU16(l4Offset + field, to);
    return 0;
  }
}
