package dev.paramecium.abi;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * {@code struct ct_entry}, value of the conntrack maps. 56 bytes, in the order of the components.
 *
 * @param rxBytes of a {@link CtTuple#SERVICE} entry the backend's id
 * @param lifetime when the entry ends, seconds since boot
 * @param flags {@link #RX_CLOSING} and the others
 * @param revNatIndex in host order here, in network order in the record
 * @param sourceSecurityIdentity who opened the connection
 * @param lastTxReport when the last trace was sent, seconds since boot
 */
public record CtEntry(
    long rxPackets,
    long rxBytes,
    long txPackets,
    long txBytes,
    int lifetime,
    int flags,
    int revNatIndex,
    int ifindex,
    int txFlagsSeen,
    int rxFlagsSeen,
    int sourceSecurityIdentity,
    int lastTxReport,
    int lastRxReport) {

  public static final int SIZE = 56;

  public static final int RX_CLOSING = 1;
  public static final int TX_CLOSING = 1 << 1;
  public static final int NAT46 = 1 << 2;
  public static final int LB_LOOPBACK = 1 << 3;
  public static final int SEEN_NON_SYN = 1 << 4;
  public static final int NODE_PORT = 1 << 5;
  public static final int PROXY_REDIRECT = 1 << 6;
  public static final int DSR = 1 << 7;
  public static final int FROM_L7LB = 1 << 8;

  // Where the fields stand, for those who read an entry in place.
  public static final int OFF_RX_PACKETS = 0;
  public static final int OFF_RX_BYTES = 8;
  public static final int OFF_BACKEND_ID = 8;
  public static final int OFF_TX_PACKETS = 16;
  public static final int OFF_TX_BYTES = 24;
  public static final int OFF_LIFETIME = 32;
  public static final int OFF_FLAGS = 36;
  public static final int OFF_REV_NAT_INDEX = 38;
  public static final int OFF_IFINDEX = 40;
  public static final int OFF_TX_FLAGS_SEEN = 42;
  public static final int OFF_RX_FLAGS_SEEN = 43;
  public static final int OFF_SRC_SEC_ID = 44;
  public static final int OFF_LAST_TX_REPORT = 48;
  public static final int OFF_LAST_RX_REPORT = 52;

  /** In the order of the bits, as {@code cilium bpf ct list} names them; bit 8 has no name. */
  private static final List<String> FLAG_NAMES =
      List.of(
          "RxClosing",
          "TxClosing",
          "Nat64",
          "LBLoopback",
          "SeenNonSyn",
          "NodePort",
          "ProxyRedirect",
          "DSR");

  public CtEntry {
    Layout.requireU16("flags", flags);
    Layout.requireU16("revNatIndex", revNatIndex);
    Layout.requireU16("ifindex", ifindex);
    Layout.requireU8("txFlagsSeen", txFlagsSeen);
    Layout.requireU8("rxFlagsSeen", rxFlagsSeen);
  }

  public static CtEntry decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("ct_entry", SIZE, bytes);
    return new CtEntry(
        in.getLong(),
        in.getLong(),
        in.getLong(),
        in.getLong(),
        in.getInt(),
        Layout.u16(in),
        Layout.networkU16(in),
        Layout.u16(in),
        Layout.u8(in),
        Layout.u8(in),
        in.getInt(),
        in.getInt(),
        in.getInt());
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putLong(rxPackets).putLong(rxBytes).putLong(txPackets).putLong(txBytes);
    out.putInt(lifetime).putShort((short) flags);
    Layout.putNetworkU16(out, revNatIndex);
    out.putShort((short) ifindex).put((byte) txFlagsSeen).put((byte) rxFlagsSeen);
    out.putInt(sourceSecurityIdentity).putInt(lastTxReport).putInt(lastRxReport);
    return Layout.bytes(out);
  }

  /** {@code Flags=0x0013 [ RxClosing TxClosing SeenNonSyn ]}. */
  private String formatFlags() {
    StringBuilder text = new StringBuilder("Flags=0x").append(Layout.hex(flags, 4)).append(" [ ");
    for (int bit = 0; bit < FLAG_NAMES.size(); bit++) {
      if ((flags & 1 << bit) != 0) {
        text.append(FLAG_NAMES.get(bit)).append(' ');
      }
    }
    int unknown = flags & ~0xff;
    if (unknown != 0) {
      text.append("Unknown=0x").append(Layout.hex(unknown, 4)).append(' ');
    }
    return text.append(']').toString();
  }

  /** As {@code cilium bpf ct list} prints the value, with its trailing space. */
  @Override
  public String toString() {
    return "expires="
        + Integer.toUnsignedString(lifetime)
        + " RxPackets="
        + Long.toUnsignedString(rxPackets)
        + " RxBytes="
        + Long.toUnsignedString(rxBytes)
        + " RxFlagsSeen=0x"
        + Layout.hex(rxFlagsSeen, 2)
        + " LastRxReport="
        + Integer.toUnsignedString(lastRxReport)
        + " TxPackets="
        + Long.toUnsignedString(txPackets)
        + " TxBytes="
        + Long.toUnsignedString(txBytes)
        + " TxFlagsSeen=0x"
        + Layout.hex(txFlagsSeen, 2)
        + " LastTxReport="
        + Integer.toUnsignedString(lastTxReport)
        + " "
        + formatFlags()
        + " RevNAT="
        + revNatIndex
        + " SourceSecurityID="
        + Integer.toUnsignedString(sourceSecurityIdentity)
        + " IfIndex="
        + ifindex
        + " ";
  }
}
