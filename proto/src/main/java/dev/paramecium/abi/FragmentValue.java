package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct ipv4_frag_l4ports}, value of {@code cilium_ipv4_frag_datagrams}. 4 bytes: sport,
 * dport u16 (network order), as the datagram's first fragment had them.
 */
public record FragmentValue(int sport, int dport) {

  public static final int SIZE = 4;

  // Where the fields stand, for those who read an entry in place.
  public static final int SPORT = 0;
  public static final int DPORT = 2;

  public FragmentValue {
    Layout.requireU16("sport", sport);
    Layout.requireU16("dport", dport);
  }

  public static FragmentValue decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("ipv4_frag_l4ports", SIZE, bytes);
    return new FragmentValue(Layout.networkU16(in), Layout.networkU16(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putNetworkU16(out, sport);
    Layout.putNetworkU16(out, dport);
    return Layout.bytes(out);
  }

  /** As Go prints it: destination port, source port. */
  @Override
  public String toString() {
    return dport + ", " + sport;
  }
}
