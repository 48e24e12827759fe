package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct trace_notify}, 48 bytes with the header: a packet passed a trace point. Body:
 * src_label u32, dst_label u32, dst_id u16, reason u8, ipv6 u8, ifindex u32, orig_ip (16, IPv4 in
 * the first 4, network order).
 *
 * @param point a {@link TracePoint} code, the record's subtype
 * @param reason a {@link TraceReason} code, perhaps with {@link TraceReason#ENCRYPTED}
 * @param originalIp the source address before translation, 0.0.0.0 if not told
 * @param captured not to be changed after
 */
@SuppressWarnings("ArrayRecordComponent") // records are written and read, never compared
public record TraceNotify(
    int point,
    int source,
    int hash,
    int originalLength,
    int sourceLabel,
    int destinationLabel,
    int destinationId,
    int reason,
    boolean ipv6,
    int ifindex,
    Ipv4Address originalIp,
    byte[] captured)
    implements MonitorEvent {

  public static final int SIZE = 48;

  public static TraceNotify decode(byte[] bytes) {
    ByteBuffer in = EventLayout.reader("trace_notify", bytes, SIZE);
    in.position(HEADER_SIZE);
    return new TraceNotify(
        EventLayout.subtype(in),
        EventLayout.source(in),
        EventLayout.hash(in),
        EventLayout.originalLength(in),
        in.getInt(),
        in.getInt(),
        Layout.u16(in),
        Layout.u8(in),
        (Layout.u8(in) & 1) != 0,
        in.getInt(),
        Layout.address(in),
        EventLayout.captured(in, SIZE));
  }

  @Override
  public byte[] encode() {
    ByteBuffer out = EventLayout.writer(TYPE_TRACE, point, this, SIZE);
    out.position(HEADER_SIZE);
    out.putInt(sourceLabel).putInt(destinationLabel).putShort((short) destinationId);
    out.put((byte) reason).put((byte) (ipv6 ? 1 : 0)).putInt(ifindex);
    Layout.putAddress(out, originalIp);
    return Layout.bytes(out);
  }
}
