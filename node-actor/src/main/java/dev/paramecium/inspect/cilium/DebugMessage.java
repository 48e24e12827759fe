package dev.paramecium.inspect.cilium;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.Ipv4Address;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * {@code struct debug_msg}, 20 bytes: type u8, subtype u8, source u16, hash u32, three arguments
 * u32 ({@code bpf/lib/dbg.h}, {@code pkg/monitor/datapath_debug.go}).
 *
 * @param subtype which message it is
 */
record DebugMessage(int subtype, int source, int hash, int arg1, int arg2, int arg3) {

  static final int SIZE = 20;

  static DebugMessage decode(byte[] bytes) {
    if (bytes.length < SIZE) {
      throw new IllegalArgumentException(
          "debug_msg has at least " + SIZE + " bytes, got " + bytes.length);
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    return new DebugMessage(
        in.get(1) & 0xff,
        in.getShort(2) & 0xffff,
        in.getInt(4),
        in.getInt(8),
        in.getInt(12),
        in.getInt(16));
  }

  private static String address(int argument) {
    return Ipv4Address.format(Integer.reverseBytes(argument));
  }

  private static int port(int argument) {
    return Short.reverseBytes((short) argument) & 0xffff;
  }

  private static String unsigned(int argument) {
    return Integer.toUnsignedString(argument);
  }

  private String flow() {
    return "src="
        + address(arg1)
        + ":"
        + (arg3 & 0xffff)
        + " dst="
        + address(arg2)
        + ":"
        + (arg3 >>> 16);
  }

  private static String state(int state) {
    return switch (state) {
      case 0 -> "New";
      case 1 -> "Established";
      case 2 -> "Reply";
      case 3 -> "Related";
      default -> DropReason.text(state & 0xff);
    };
  }

  /** The message's sentence; those of IPv6 and of what v1.12 no longer sends have only numbers. */
  String text() {
    return switch (subtype) {
      case 1 ->
          "No message, arg1="
              + unsigned(arg1)
              + " (0x"
              + Integer.toHexString(arg1)
              + ") arg2="
              + unsigned(arg2)
              + " (0x"
              + Integer.toHexString(arg2)
              + ")";
      case 2 ->
          "Attempting local delivery for container id "
              + unsigned(arg1)
              + " from seclabel "
              + unsigned(arg2);
      case 3 ->
          "Encapsulating to node "
              + unsigned(arg1)
              + " (0x"
              + Integer.toHexString(arg1)
              + ") from seclabel "
              + unsigned(arg2);
      case 5 ->
          "Policy evaluation would deny packet from " + unsigned(arg1) + " to " + unsigned(arg2);
      case 8 -> "CT entry found lifetime=" + unsigned(arg1) + ", revnat=" + port(arg2);
      case 15 -> "CT verdict: " + state(arg1) + ", revnat=" + port(arg2);
      case 16 -> "Tunnel decap: id=" + unsigned(arg1) + " flowlabel=" + Integer.toHexString(arg2);
      case 19 -> "Going to host, policy-skip=" + unsigned(arg1);
      case 20 -> "Going to the stack, policy-skip=" + unsigned(arg1);
      case 30 -> "Frontend service lookup, addr=" + address(arg1) + " key.dport=" + port(arg2);
      case 31 -> "Frontend service lookup failed";
      case 32 -> "Service backend slot lookup: slot=" + unsigned(arg1) + ", dport=" + port(arg2);
      case 33 ->
          "Service backend slot lookup result: target=" + address(arg1) + " port=" + port(arg2);
      case 34 ->
          "Service backend slot lookup failed: slot=" + unsigned(arg1) + ", dport=" + port(arg2);
      case 35 -> "Backend service lookup failed: backend_id=" + unsigned(arg1);
      case 36 -> "Reverse NAT lookup, index=" + port(arg1);
      case 37 -> "Performing reverse NAT, address=" + address(arg1) + " port=" + port(arg2);
      case 38 -> "Loopback SNAT from=" + address(arg1) + " to=" + address(arg2);
      case 39 -> "Loopback reverse SNAT from=" + address(arg1) + " to=" + address(arg2);
      case 46 -> "Destination is inside cluster prefix, source identity: " + unsigned(arg1);
      case 47 ->
          "Attempting encapsulation, lookup key: "
              + address(arg1)
              + ", identity: "
              + unsigned(arg2);
      case 48 -> "Conntrack lookup 1/2: " + flow();
      case 49 -> "Conntrack lookup 2/2: nexthdr=" + (arg1 >>> 8) + " flags=" + (arg1 & 0xff);
      case 50 ->
          "Conntrack create: proxy-port="
              + (arg1 >>> 16)
              + " revnat="
              + port(arg1)
              + " src-identity="
              + unsigned(arg2)
              + " lb="
              + address(arg3);
      case 56 -> "Failed to map addr=" + address(arg1) + " to identity";
      case 58 -> "Successfully mapped addr=" + address(arg1) + " to identity=" + unsigned(arg2);
      case 60 ->
          "Stale CT entry found stale_ct.rev_nat_id="
              + unsigned(arg2)
              + ", svc.rev_nat_id="
              + unsigned(arg1);
      case 61 -> "Inheriting identity=" + unsigned(arg1) + " from stack";
      default ->
          "Unknown message type=" + subtype + " arg1=" + unsigned(arg1) + " arg2=" + unsigned(arg2);
    };
  }
}
