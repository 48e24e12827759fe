package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct drop_notify}, 32 bytes with the header: a packet was dropped. Body: src_label u32,
 * dst_label u32, dst_id u32, line u16, file u8, ext_error s8.
 *
 * @param reason a {@link DropReason} code, the record's subtype
 * @param line of the source that dropped
 * @param file a {@link SourceFile} number
 * @param extError the errno of the step that failed, or 0
 * @param captured not to be changed after
 */
@SuppressWarnings("ArrayRecordComponent") // records are written and read, never compared
public record DropNotify(
    int reason,
    int source,
    int hash,
    int originalLength,
    int sourceLabel,
    int destinationLabel,
    int destinationId,
    int line,
    int file,
    int extError,
    byte[] captured)
    implements MonitorEvent {

  public static final int SIZE = 32;

  public static DropNotify decode(byte[] bytes) {
    ByteBuffer in = EventLayout.reader("drop_notify", bytes, SIZE);
    in.position(HEADER_SIZE);
    return new DropNotify(
        EventLayout.subtype(in),
        EventLayout.source(in),
        EventLayout.hash(in),
        EventLayout.originalLength(in),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        Layout.u16(in),
        Layout.u8(in),
        in.get(),
        EventLayout.captured(in, SIZE));
  }

  @Override
  public byte[] encode() {
    ByteBuffer out = EventLayout.writer(TYPE_DROP, reason, this, SIZE);
    out.position(HEADER_SIZE);
    out.putInt(sourceLabel).putInt(destinationLabel).putInt(destinationId);
    out.putShort((short) line).put((byte) file).put((byte) extError);
    return Layout.bytes(out);
  }
}
