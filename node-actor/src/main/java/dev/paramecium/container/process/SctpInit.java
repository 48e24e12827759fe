package dev.paramecium.container.process;

import dev.paramecium.packet.Wire;
import java.util.zip.CRC32C;

/**
 * The packet that opens an SCTP association: a common header and an INIT chunk (RFC 9260, 3.1 and
 * 3.3.2), 32 bytes.
 */
final class SctpInit {

  private static final int LENGTH = 32;
  private static final int CHECKSUM_AT = 8;
  private static final int INIT = 1;
  private static final int CHUNK_LENGTH = 20;
  private static final int RECEIVER_WINDOW = 65536;
  private static final int STREAMS = 1;

  private SctpInit() {}

  /**
   * The packet with its CRC32c.
   *
   * @param tag the initiate tag, not 0
   */
  static byte[] packet(int sourcePort, int destinationPort, int tag) {
    byte[] packet = new byte[LENGTH];
    Wire.setU16(packet, 0, sourcePort);
    Wire.setU16(packet, 2, destinationPort);
    packet[12] = INIT;
    Wire.setU16(packet, 14, CHUNK_LENGTH);
    Wire.setI32(packet, 16, tag);
    Wire.setI32(packet, 20, RECEIVER_WINDOW);
    Wire.setU16(packet, 24, STREAMS);
    Wire.setU16(packet, 26, STREAMS);
    Wire.setI32(packet, 28, tag);
    CRC32C checksum = new CRC32C();
    checksum.update(packet);
    // The CRC is the one field of the header that goes out low byte first (RFC 9260, appendix A).
    Wire.setI32(packet, CHECKSUM_AT, Integer.reverseBytes((int) checksum.getValue()));
    return packet;
  }

  /** Whether {@code payload} comes back to the ports that an INIT went out by. */
  static boolean isAnswer(byte[] payload, int sourcePort, int destinationPort) {
    return payload.length >= 16
        && Wire.u16(payload, 0) == destinationPort
        && Wire.u16(payload, 2) == sourcePort
        && payload[12] != INIT;
  }
}
