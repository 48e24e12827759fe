package dev.paramecium.packet;

/**
 * ICMP (RFC 792): 8 bytes of header.
 *
 * <pre>
 *   0      1      2          4                              8
 *   | type | code | checksum | echo: identifier, sequence   | echo: data
 *                            | 3/4: unused, next-hop MTU    | error: the packet's IPv4 header and 8 bytes
 * </pre>
 */
public final class Icmp {

  public static final int TYPE = 0;
  public static final int CODE = 1;
  public static final int CHECKSUM = 2;
  public static final int REST = 4;
  public static final int IDENTIFIER = 4;
  public static final int SEQUENCE = 6;
  public static final int NEXT_HOP_MTU = 6;
  public static final int HEADER_LENGTH = 8;

  public static final int ECHO_REPLY = 0;
  public static final int DESTINATION_UNREACHABLE = 3;
  public static final int ECHO_REQUEST = 8;
  public static final int TIME_EXCEEDED = 11;
  public static final int PARAMETER_PROBLEM = 12;

  public static final int NET_UNREACHABLE = 0;
  public static final int HOST_UNREACHABLE = 1;
  public static final int PROTOCOL_UNREACHABLE = 2;
  public static final int PORT_UNREACHABLE = 3;
  public static final int FRAGMENTATION_NEEDED = 4;

  private Icmp() {}

  /** A message in place. */
  public static final class View {
    private byte[] bytes = new byte[HEADER_LENGTH];
    private int at;
    private int length = HEADER_LENGTH;

    /** False if the bytes are too few for a header. */
    public boolean wrap(byte[] bytes, int at, int length) {
      if (length < HEADER_LENGTH) {
        return false;
      }
      this.bytes = bytes;
      this.at = at;
      this.length = length;
      return true;
    }

    public int type() {
      return Wire.u8(bytes, at + TYPE);
    }

    public int code() {
      return Wire.u8(bytes, at + CODE);
    }

    public int checksum() {
      return Wire.u16(bytes, at + CHECKSUM);
    }

    /** Of an echo. */
    public int identifier() {
      return Wire.u16(bytes, at + IDENTIFIER);
    }

    /** Of an echo. */
    public int sequence() {
      return Wire.u16(bytes, at + SEQUENCE);
    }

    /** Of {@link #FRAGMENTATION_NEEDED} (RFC 1191). */
    public int nextHopMtu() {
      return Wire.u16(bytes, at + NEXT_HOP_MTU);
    }

    /** Whether the payload is the start of the packet that the message complains about. */
    public boolean isError() {
      int type = type();
      return type == DESTINATION_UNREACHABLE || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM;
    }

    public boolean checksumIsValid() {
      return Checksum.isValid(bytes, at, length, 0);
    }

    public int payloadAt() {
      return at + HEADER_LENGTH;
    }

    public int payloadLength() {
      return length - HEADER_LENGTH;
    }
  }

  /**
   * A header's value.
   *
   * @param rest the 32 bits after the checksum
   */
  public record Header(int type, int code, int rest) {

    public Header {
      Wire.require("ICMP type", type, 0xff);
      Wire.require("ICMP code", code, 0xff);
    }

    public static Header echo(boolean request, int identifier, int sequence) {
      Wire.require("identifier", identifier, 0xffff);
      Wire.require("sequence", sequence, 0xffff);
      return new Header(request ? ECHO_REQUEST : ECHO_REPLY, 0, identifier << 16 | sequence);
    }

    /** The packet did not fit: RFC 1191. */
    public static Header fragmentationNeeded(int nextHopMtu) {
      Wire.require("next-hop MTU", nextHopMtu, 0xffff);
      return new Header(DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED, nextHopMtu);
    }

    /**
     * Writes the header in front of {@code payloadLength} bytes that are there already, with the
     * checksum over both; answers the index after the header.
     */
    public int encode(byte[] out, int at, int payloadLength) {
      Wire.setU8(out, at + TYPE, type);
      Wire.setU8(out, at + CODE, code);
      Wire.setU16(out, at + CHECKSUM, 0);
      Wire.setI32(out, at + REST, rest);
      Wire.setU16(
          out,
          at + CHECKSUM,
          Checksum.finish(Checksum.sum(out, at, HEADER_LENGTH + payloadLength)));
      return at + HEADER_LENGTH;
    }

    /** A message with this payload. */
    public byte[] encode(byte[] payload) {
      byte[] out = new byte[HEADER_LENGTH + payload.length];
      System.arraycopy(payload, 0, out, HEADER_LENGTH, payload.length);
      encode(out, 0, payload.length);
      return out;
    }
  }
}
