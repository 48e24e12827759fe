package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct remote_endpoint_info}, value of {@code cilium_ipcache}. 12 bytes: sec_label u32,
 * tunnel_endpoint u32 (network order), key u8, 3 padding.
 *
 * @param securityIdentity the address's identity
 * @param tunnelEndpoint the node to encapsulate to, 0.0.0.0 for none
 * @param key the IPsec key index
 */
public record RemoteEndpointInfo(int securityIdentity, Ipv4Address tunnelEndpoint, int key) {

  public static final int SIZE = 12;

  // Where the fields stand, for those who read an entry in place.
  public static final int SEC_LABEL = 0;
  public static final int TUNNEL_ENDPOINT = 4;
  public static final int KEY = 8;

  public RemoteEndpointInfo {
    Layout.requireU8("key", key);
  }

  public RemoteEndpointInfo(int securityIdentity, Ipv4Address tunnelEndpoint) {
    this(securityIdentity, tunnelEndpoint, 0);
  }

  public static RemoteEndpointInfo decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("remote_endpoint_info", SIZE, bytes);
    return new RemoteEndpointInfo(in.getInt(), Layout.address(in), Layout.u8(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putInt(securityIdentity);
    Layout.putAddress(out, tunnelEndpoint);
    out.put((byte) key);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code identity=4521 encryptkey=0 tunnelendpoint=192.168.1.12}. */
  @Override
  public String toString() {
    return "identity="
        + Integer.toUnsignedString(securityIdentity)
        + " encryptkey="
        + key
        + " tunnelendpoint="
        + tunnelEndpoint;
  }
}
