package dev.paramecium.packet;

import dev.paramecium.abi.IpProtocol;

/**
 * The UDP header (RFC 768): 8 bytes.
 *
 * <pre>
 *   0             2                  4        6          8
 *   | source port | destination port | length | checksum | payload
 * </pre>
 */
public final class Udp {

  public static final int SOURCE_PORT = 0;
  public static final int DESTINATION_PORT = 2;
  public static final int LENGTH = 4;
  public static final int CHECKSUM = 6;
  public static final int HEADER_LENGTH = 8;

  private Udp() {}

  /** A datagram in place. */
  public static final class View {
    private byte[] bytes = new byte[HEADER_LENGTH];
    private int at;
    private int length = HEADER_LENGTH;

    /** False if the bytes are too few for the header or for what it says. */
    public boolean wrap(byte[] bytes, int at, int length) {
      if (length < HEADER_LENGTH) {
        return false;
      }
      int said = Wire.u16(bytes, at + LENGTH);
      if (said < HEADER_LENGTH || said > length) {
        return false;
      }
      this.bytes = bytes;
      this.at = at;
      this.length = said;
      return true;
    }

    public int sourcePort() {
      return Wire.u16(bytes, at + SOURCE_PORT);
    }

    public int destinationPort() {
      return Wire.u16(bytes, at + DESTINATION_PORT);
    }

    /** Header and payload. */
    public int length() {
      return length;
    }

    /** 0 if the sender computed none. */
    public int checksum() {
      return Wire.u16(bytes, at + CHECKSUM);
    }

    /**
     * Whether there is no checksum or a right one.
     *
     * @param source of the IPv4 header, in host order
     */
    public boolean checksumIsValid(int source, int destination) {
      return checksum() == 0
          || Checksum.isValid(
              bytes,
              at,
              length,
              Checksum.pseudoHeader(source, destination, IpProtocol.UDP, length));
    }

    /** Writes the port and corrects the checksum if there is one. */
    public void setSourcePort(int port) {
      replacePort(SOURCE_PORT, port);
    }

    /** Writes the port and corrects the checksum if there is one. */
    public void setDestinationPort(int port) {
      replacePort(DESTINATION_PORT, port);
    }

    private void replacePort(int field, int port) {
      int old = Wire.u16(bytes, at + field);
      Wire.setU16(bytes, at + field, port);
      Checksum.replaceL4Port(bytes, at + CHECKSUM, old, port, true);
    }

    public int payloadAt() {
      return at + HEADER_LENGTH;
    }

    public int payloadLength() {
      return length - HEADER_LENGTH;
    }
  }

  /** A header's value. */
  public record Header(int sourcePort, int destinationPort, int payloadLength) {

    public Header {
      Wire.require("source port", sourcePort, 0xffff);
      Wire.require("destination port", destinationPort, 0xffff);
      Wire.require("payload length", payloadLength, 0xffff - HEADER_LENGTH);
    }

    /**
     * Writes the header with checksum 0, which on IPv4 means none; answers the index after it. With
     * the payload behind it, {@link #writeChecksum} adds one.
     */
    public int encode(byte[] out, int at) {
      Wire.setU16(out, at + SOURCE_PORT, sourcePort);
      Wire.setU16(out, at + DESTINATION_PORT, destinationPort);
      Wire.setU16(out, at + LENGTH, HEADER_LENGTH + payloadLength);
      Wire.setU16(out, at + CHECKSUM, 0);
      return at + HEADER_LENGTH;
    }

    /** Writes the checksum of the header at {@code at} and the payload that follows it. */
    public void writeChecksum(byte[] out, int at, long pseudoHeader) {
      Wire.setU16(out, at + CHECKSUM, 0);
      int checksum =
          Checksum.finish(Checksum.sum(out, at, HEADER_LENGTH + payloadLength) + pseudoHeader);
      Wire.setU16(out, at + CHECKSUM, checksum == 0 ? 0xffff : checksum);
    }

    public byte[] encode() {
      byte[] out = new byte[HEADER_LENGTH];
      encode(out, 0);
      return out;
    }
  }
}
