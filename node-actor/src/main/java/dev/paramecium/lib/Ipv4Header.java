package dev.paramecium.lib;

import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;

/**
 * A program's direct packet access ({@code bpf/lib/ipv4.h}, {@code eth.h}): the IPv4 header behind
 * an Ethernet header, of a packet that {@link #isThere}. Header lengths and checksums are believed,
 * as v1.12.3 believes them.
 */
public final class Ipv4Header {

  private static final int AT = Ethernet.HEADER_LENGTH;
  public static final int SOURCE = AT + Ipv4.SOURCE;
  public static final int DESTINATION = AT + Ipv4.DESTINATION;
  private static final int FRAGMENT = AT + Ipv4.FRAGMENT;
  private static final int TTL = AT + Ipv4.TTL;
  static final int CHECKSUM = AT + Ipv4.CHECKSUM;

  private Ipv4Header() {}

  /**
   * {@code validate_ethertype}: the ethertype, or -1 for a frame that is too short or has a length
   * in that place (802.3).
   */
  public static int etherType(SkBuff packet) {
    if (packet.length < Ethernet.HEADER_LENGTH) {
      return -1;
    }
    int type = packet.u16(Ethernet.ETHER_TYPE);
    return type < EtherType.MIN ? -1 : type;
  }

  /** {@code revalidate_data}: whether the fixed part of the header is in the packet. */
  public static boolean isThere(SkBuff packet) {
    return packet.length >= AT + Ipv4.MIN_HEADER_LENGTH;
  }

  /** Where the transport header starts. */
  public static int l4Offset(SkBuff packet) {
    return AT + ((packet.u8(AT) & 15) << 2);
  }

  public static int headerWords(SkBuff packet) {
    return packet.u8(AT) & 15;
  }

  public static int saddr(SkBuff packet) {
    return packet.i32(SOURCE);
  }

  public static int daddr(SkBuff packet) {
    return packet.i32(DESTINATION);
  }

  public static int protocol(SkBuff packet) {
    return packet.u8(AT + Ipv4.PROTOCOL);
  }

  static int identification(SkBuff packet) {
    return packet.u16(AT + Ipv4.IDENTIFICATION);
  }

  static boolean isFragment(SkBuff packet) {
    return (packet.u16(FRAGMENT) & (Ipv4.MORE_FRAGMENTS | Ipv4.FRAGMENT_OFFSET_MASK)) != 0;
  }

  /** Whether the transport header is here, not in an earlier fragment. */
  public static boolean hasL4Header(SkBuff packet) {
    return (packet.u16(FRAGMENT) & Ipv4.FRAGMENT_OFFSET_MASK) == 0;
  }

  /** {@code ctx_load_bytes} would succeed. */
  static boolean has(SkBuff packet, int offset, int bytes) {
    return offset + bytes <= packet.length;
  }

  /** {@code ipv4_dec_ttl}: false if the packet may not be forwarded. */
  static boolean decrementTtl(SkBuff packet) {
    int ttl = packet.u8(TTL);
    if (ttl <= 1) {
      return false;
    }
    packet.setU16(CHECKSUM, Checksum.replace16(packet.u16(CHECKSUM), ttl << 8, ttl - 1 << 8));
    packet.setU8(TTL, ttl - 1);
    return true;
  }
}
