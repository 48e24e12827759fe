package dev.paramecium.datapath.model;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.SkBuff;
import java.util.Arrays;

/** A packet from its Ethernet header on, and what stands beside it in {@code struct __sk_buff}. */
final class Frame {

  static final int IP = 14;
  static final int SOURCE = IP + 12;
  static final int DESTINATION = IP + 16;
  private static final int IP_CHECKSUM = IP + 10;
  private static final int TTL = IP + 8;

  /** Where this came from: routes are asked for it. */
  final SkBuff skb;

  byte[] bytes;
  final int[] cb;
  int mark;
  int tcIndex;
  int xfer;
  boolean hasTunnelKey;
  int tunnelId;
  int tunnelRemote;
  int tunnelTtl;
  int redirectIfindex;
  int redirectFlags;

  private Frame(SkBuff skb) {
    this.skb = skb;
    bytes = skb.toByteArray();
    cb = new int[] {skb.cb0, skb.cb1, skb.cb2, skb.cb3, skb.cb4};
    mark = skb.mark;
    tcIndex = skb.tcIndex;
    xfer = skb.xfer;
    hasTunnelKey = skb.hasTunnelKey;
    tunnelId = skb.tunnelId;
    tunnelRemote = skb.tunnelRemote;
    tunnelTtl = skb.tunnelTtl;
  }

  static Frame of(SkBuff skb) {
    return new Frame(skb);
  }

  /** Makes the packet that this was read from what this has become. */
  void writeBack() {
    skb.setBytes(bytes, 0, bytes.length);
    skb.mark = mark;
    skb.tcIndex = tcIndex;
    skb.xfer = xfer;
    skb.hasTunnelKey = hasTunnelKey;
    skb.tunnelId = tunnelId;
    skb.tunnelRemote = tunnelRemote;
    skb.tunnelTtl = tunnelTtl;
    skb.redirectIfindex = redirectIfindex;
    skb.redirectFlags = redirectFlags;
  }

  // ---- bytes

  int length() {
    return bytes.length;
  }

  boolean has(int at, int count) {
    return at + count <= bytes.length;
  }

  int u8(int at) {
    return bytes[at] & 0xff;
  }

  int u16(int at) {
    return u8(at) << 8 | u8(at + 1);
  }

  int i32(int at) {
    return u16(at) << 16 | u16(at + 2);
  }

  long mac(int at) {
    return (long) u16(at) << 32 | i32(at + 2) & 0xffff_ffffL;
  }

  void set8(int at, int value) {
    bytes[at] = (byte) value;
  }

  void set16(int at, int value) {
    set8(at, value >>> 8);
    set8(at + 1, value);
  }

  void set32(int at, int value) {
    set16(at, value >>> 16);
    set16(at + 2, value);
  }

  void setMac(int at, long value) {
    set16(at, (int) (value >>> 32));
    set32(at + 2, (int) value);
  }

  void setMacs(long destination, long source) {
    setMac(0, destination);
    setMac(6, source);
  }

  /** Makes room for {@code count} bytes, all 0. */
  void insert(int at, int count) {
    byte[] longer = new byte[bytes.length + count];
    System.arraycopy(bytes, 0, longer, 0, at);
    System.arraycopy(bytes, at, longer, at + count, bytes.length - at);
    bytes = longer;
  }

  void trim(int length) {
    bytes = Arrays.copyOf(bytes, length);
  }

  // ---- IPv4

  /** {@code validate_ethertype}: -1 for what is too short or 802.3. */
  int etherType() {
    return has(12, 2) && u16(12) >= 0x600 ? u16(12) : -1;
  }

  /** {@code revalidate_data}. */
  void needsIpv4() {
    if (!has(IP, 20)) {
      throw new Drop(DropReason.INVALID);
    }
  }

  Ipv4Address source() {
    return new Ipv4Address(i32(SOURCE));
  }

  Ipv4Address destination() {
    return new Ipv4Address(i32(DESTINATION));
  }

  int protocol() {
    return u8(IP + 9);
  }

  int identification() {
    return u16(IP + 4);
  }

  int headerWords() {
    return u8(IP) & 15;
  }

  int l4() {
    return IP + 4 * headerWords();
  }

  boolean isFragment() {
    return (u16(IP + 6) & 0x3fff) != 0;
  }

  boolean isFirstOrWhole() {
    return (u16(IP + 6) & 0x1fff) == 0;
  }

  /** {@code ipv4_l3}, without the addresses of Ethernet. */
  void forward() {
    int ttl = u8(TTL);
    if (ttl <= 1) {
      throw new Drop(DropReason.INVALID);
    }
    set8(TTL, ttl - 1);
    correct(IP_CHECKSUM, new int[] {ttl << 8}, new int[] {ttl - 1 << 8});
  }

  // ---- checksums

  /** Corrects the checksum at a place for words that changed (RFC 1624). */
  void correct(int at, int[] before, int[] after) {
    long sum = ~u16(at) & 0xffff;
    for (int word : before) {
      sum += ~word & 0xffff;
    }
    for (int word : after) {
      sum += word & 0xffff;
    }
    while (sum >>> 16 != 0) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    set16(at, (int) ~sum);
  }

  private static int[] words(int... values) {
    int[] words = new int[values.length * 2];
    for (int i = 0; i < values.length; i++) {
      words[2 * i] = values[i] >>> 16;
      words[2 * i + 1] = values[i] & 0xffff;
    }
    return words;
  }

  void correctIp(int before, int after) {
    correct(IP_CHECKSUM, words(before), words(after));
  }

  /** Puts another address at {@link #SOURCE} or {@link #DESTINATION}. */
  void setAddress(int at, Ipv4Address before, Ipv4Address after) {
    set32(at, after.value());
    correctIp(before.value(), after.value());
  }

  /** {@code csum_l4_replace} with a difference of addresses, of a protocol that has a checksum. */
  void correctL4ForAddresses(int protocol, int[] before, int[] after) {
    if (protocol == IpProtocol.TCP || protocol == IpProtocol.UDP) {
      correctL4(protocol, words(before), words(after));
    }
  }

  /** {@code csum_l4_replace}: UDP may be without checksum, and has none that is 0. */
  private void correctL4(int protocol, int[] before, int[] after) {
    int at = l4() + (protocol == IpProtocol.UDP ? 6 : 16);
    if (!has(at, 2)) {
      throw new Drop(DropReason.CSUM_L4);
    }
    if (protocol == IpProtocol.UDP && u16(at) == 0) {
      return;
    }
    correct(at, before, after);
    if (protocol == IpProtocol.UDP && u16(at) == 0) {
      set16(at, 0xffff);
    }
  }

  /** {@code l4_modify_port}: 0 for the source's, 2 for the destination's. */
  void setPort(int field, int before, int after) {
    correctL4(protocol(), new int[] {before}, new int[] {after});
    set16(l4() + field, after);
  }
}
