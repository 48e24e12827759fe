package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct lb4_key}, key of {@code cilium_lb4_services_v2}. 12 bytes: address u32, dport u16
 * (network order), backend_slot u16, proto u8 (always 0), scope u8, 2 padding.
 *
 * @param backendSlot 0 for the frontend itself, 1 to count for its backends
 * @param scope {@link #SCOPE_EXTERNAL} or {@link #SCOPE_INTERNAL}
 */
public record Lb4Key(Ipv4Address address, int dport, int backendSlot, int scope) {

  public static final int SIZE = 12;

  public static final int SCOPE_EXTERNAL = 0;
  public static final int SCOPE_INTERNAL = 1;

  public Lb4Key {
    Layout.requireU16("dport", dport);
    Layout.requireU16("backendSlot", backendSlot);
    Layout.require("scope", scope, SCOPE_INTERNAL);
  }

  public Lb4Key(Ipv4Address address, int dport) {
    this(address, dport, 0, SCOPE_EXTERNAL);
  }

  public Lb4Key withBackendSlot(int slot) {
    return new Lb4Key(address, dport, slot, scope);
  }

  public static Lb4Key decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("lb4_key", SIZE, bytes);
    return new Lb4Key(Layout.address(in), Layout.networkU16(in), Layout.u16(in), bytes[9] & 0xff);
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putAddress(out, address);
    Layout.putNetworkU16(out, dport);
    out.putShort((short) backendSlot);
    out.put(9, (byte) scope);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code 10.96.0.10:53}, with {@code /i} for the internal scope. */
  @Override
  public String toString() {
    return address + ":" + dport + (scope == SCOPE_INTERNAL ? "/i" : "");
  }
}
