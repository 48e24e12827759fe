package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct policy_key}, key of {@code cilium_policy_NNNNN}. 8 bytes: sec_label u32, dport u16
 * (network order), protocol u8, bit 0 of the last byte: egress.
 *
 * @param securityIdentity the peer's, 0 for any
 * @param destinationPort 0 for any; of ICMP the type
 * @param protocol 0 for any
 * @param egress whether the rule is about what the pod sends
 */
public record PolicyKey(int securityIdentity, int destinationPort, int protocol, boolean egress) {

  public static final int SIZE = 8;

  public PolicyKey {
    Layout.requireU16("destinationPort", destinationPort);
    Layout.requireU8("protocol", protocol);
  }

  public static PolicyKey decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("policy_key", SIZE, bytes);
    return new PolicyKey(
        in.getInt(), Layout.networkU16(in), Layout.u8(in), (Layout.u8(in) & 1) != 0);
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putInt(securityIdentity);
    Layout.putNetworkU16(out, destinationPort);
    out.put((byte) protocol);
    out.put((byte) (egress ? 1 : 0));
    return Layout.bytes(out);
  }

  /** {@code 80/TCP}; {@code ANY} for port 0, unless the protocol is ICMP, where 0 is a type. */
  public String portProtocol() {
    boolean icmp = protocol == IpProtocol.ICMP || protocol == IpProtocol.ICMPV6;
    return destinationPort == 0 && !icmp
        ? "ANY"
        : destinationPort + "/" + IpProtocol.name(protocol);
  }

  /** As Go prints it: {@code Ingress: 1 80/TCP}. */
  @Override
  public String toString() {
    return (egress ? "Egress" : "Ingress")
        + ": "
        + Integer.toUnsignedString(securityIdentity)
        + " "
        + portProtocol();
  }
}
