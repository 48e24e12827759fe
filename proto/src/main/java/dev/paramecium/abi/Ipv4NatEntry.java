package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct ipv4_nat_entry}, value of {@code cilium_snat_v4_external} (key: {@link CtTuple}).
 * 40 bytes: created u64, host_local u64, 16 padding, address u32, port u16 (network order), 2
 * padding.
 *
 * @param created when, in the datapath's time unit
 * @param hostLocal 1 if the node itself opened the connection
 * @param address what the source (of an OUT key) or destination (of an IN key) becomes
 */
public record Ipv4NatEntry(long created, long hostLocal, Ipv4Address address, int port) {

  public static final int SIZE = 40;

  // Where the fields stand, for those who read an entry in place.
  public static final int CREATED = 0;
  public static final int HOST_LOCAL = 8;
  public static final int ADDRESS = 32;
  public static final int PORT = 36;

  public Ipv4NatEntry {
    Layout.requireU16("port", port);
  }

  public static Ipv4NatEntry decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("ipv4_nat_entry", SIZE, bytes);
    long created = in.getLong();
    long hostLocal = in.getLong();
    in.position(ADDRESS);
    return new Ipv4NatEntry(created, hostLocal, Layout.address(in), Layout.networkU16(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putLong(created).putLong(hostLocal).position(ADDRESS);
    Layout.putAddress(out, address);
    Layout.putNetworkU16(out, port);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code Addr=10.0.0.1 Port=4000 Created=12 HostLocal=0}. */
  @Override
  public String toString() {
    return "Addr="
        + address
        + " Port="
        + port
        + " Created="
        + Long.toUnsignedString(created)
        + " HostLocal="
        + Long.toUnsignedString(hostLocal);
  }
}
