package dev.paramecium.packet;

import dev.paramecium.abi.IpProtocol;

/**
 * The TCP header (RFC 9293 section 3.1): 20 to 60 bytes.
 *
 * <pre>
 *   0          2               4          8                12         13      14       16         18       20
 *   | src port | dst port      | sequence | acknowledgment | length/4 | flags | window | checksum | urgent | options | payload
 * </pre>
 *
 * Options are in {@link TcpOptions}.
 */
public final class Tcp {

  public static final int SOURCE_PORT = 0;
  public static final int DESTINATION_PORT = 2;
  public static final int SEQUENCE = 4;
  public static final int ACKNOWLEDGMENT = 8;
  public static final int DATA_OFFSET = 12;
  public static final int FLAGS = 13;
  public static final int WINDOW = 14;
  public static final int CHECKSUM = 16;
  public static final int URGENT = 18;
  public static final int OPTIONS = 20;

  public static final int MIN_HEADER_LENGTH = 20;
  public static final int MAX_HEADER_LENGTH = 60;

  public static final int FIN = 0x01;
  public static final int SYN = 0x02;
  public static final int RST = 0x04;
  public static final int PSH = 0x08;
  public static final int ACK = 0x10;
  public static final int URG = 0x20;
  public static final int ECE = 0x40;
  public static final int CWR = 0x80;

  private Tcp() {}

  /** A segment in place. */
  public static final class View {
    private byte[] bytes = new byte[MIN_HEADER_LENGTH];
    private int at;
    private int headerLength = MIN_HEADER_LENGTH;
    private int length = MIN_HEADER_LENGTH;

    /** False if the bytes are too few for the header that they begin. */
    public boolean wrap(byte[] bytes, int at, int length) {
      if (length < MIN_HEADER_LENGTH) {
        return false;
      }
      int header = Wire.u8(bytes, at + DATA_OFFSET) >>> 4 << 2;
      if (header < MIN_HEADER_LENGTH || header > length) {
        return false;
      }
      this.bytes = bytes;
      this.at = at;
      this.headerLength = header;
      this.length = length;
      return true;
    }

    public int sourcePort() {
      return Wire.u16(bytes, at + SOURCE_PORT);
    }

    public int destinationPort() {
      return Wire.u16(bytes, at + DESTINATION_PORT);
    }

    /** An unsigned number, as all of TCP's 32 bits. */
    public int sequence() {
      return Wire.i32(bytes, at + SEQUENCE);
    }

    public int acknowledgment() {
      return Wire.i32(bytes, at + ACKNOWLEDGMENT);
    }

    /** {@link #SYN} and the others. */
    public int flags() {
      return Wire.u8(bytes, at + FLAGS);
    }

    public boolean has(int flag) {
      return (flags() & flag) != 0;
    }

    /** As it stands in the header, before scaling. */
    public int window() {
      return Wire.u16(bytes, at + WINDOW);
    }

    public int checksum() {
      return Wire.u16(bytes, at + CHECKSUM);
    }

    public int urgentPointer() {
      return Wire.u16(bytes, at + URGENT);
    }

    public int headerLength() {
      return headerLength;
    }

    /**
     * Reads the options.
     *
     * @return false if they are malformed; {@code into} has those before the fault
     */
    public boolean readOptions(TcpOptions into) {
      return into.read(bytes, at + OPTIONS, headerLength - MIN_HEADER_LENGTH);
    }

    /**
     * @param source of the IPv4 header, in host order
     */
    public boolean checksumIsValid(int source, int destination) {
      return Checksum.isValid(
          bytes, at, length, Checksum.pseudoHeader(source, destination, IpProtocol.TCP, length));
    }

    /** Writes the port and corrects the checksum. */
    public void setSourcePort(int port) {
      replacePort(SOURCE_PORT, port);
    }

    /** Writes the port and corrects the checksum. */
    public void setDestinationPort(int port) {
      replacePort(DESTINATION_PORT, port);
    }

    private void replacePort(int field, int port) {
      int old = Wire.u16(bytes, at + field);
      Wire.setU16(bytes, at + field, port);
      Checksum.replaceL4Port(bytes, at + CHECKSUM, old, port, false);
    }

    public int payloadAt() {
      return at + headerLength;
    }

    public int payloadLength() {
      return length - headerLength;
    }
  }

  /**
   * A header's value.
   *
   * @param sequence unsigned
   * @param acknowledgment unsigned; counts only with {@link #ACK}
   * @param window before scaling
   */
  public record Header(
      int sourcePort,
      int destinationPort,
      int sequence,
      int acknowledgment,
      int flags,
      int window,
      int urgentPointer,
      TcpOptions.Value options) {

    public Header {
      Wire.require("source port", sourcePort, 0xffff);
      Wire.require("destination port", destinationPort, 0xffff);
      Wire.require("flags", flags, 0xff);
      Wire.require("window", window, 0xffff);
      Wire.require("urgent pointer", urgentPointer, 0xffff);
    }

    /** In bytes, options included. */
    public int headerLength() {
      return MIN_HEADER_LENGTH + options.length();
    }

    /**
     * Writes the header in front of {@code payloadLength} bytes that are there already, with the
     * checksum over both; answers the index after the header.
     */
    public int encode(byte[] out, int at, int payloadLength, long pseudoHeader) {
      Wire.setU16(out, at + SOURCE_PORT, sourcePort);
      Wire.setU16(out, at + DESTINATION_PORT, destinationPort);
      Wire.setI32(out, at + SEQUENCE, sequence);
      Wire.setI32(out, at + ACKNOWLEDGMENT, acknowledgment);
      Wire.setU8(out, at + DATA_OFFSET, headerLength() >>> 2 << 4);
      Wire.setU8(out, at + FLAGS, flags);
      Wire.setU16(out, at + WINDOW, window);
      Wire.setU16(out, at + CHECKSUM, 0);
      Wire.setU16(out, at + URGENT, urgentPointer);
      options.encode(out, at + OPTIONS);
      Wire.setU16(
          out,
          at + CHECKSUM,
          Checksum.finish(Checksum.sum(out, at, headerLength() + payloadLength) + pseudoHeader));
      return at + headerLength();
    }
  }
}
