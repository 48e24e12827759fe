package dev.paramecium.packet;

import dev.paramecium.abi.Ipv4Address;
import java.util.Arrays;
import java.util.Objects;

/**
 * The IPv4 header (RFC 791): 20 to 60 bytes.
 *
 * <pre>
 *   0            1     2              4    6                       8     9          10         12       16            20
 *   | 4 | length | TOS | total length | id | flags, frag offset/8  | TTL | protocol | checksum | source | destination | options | payload
 * </pre>
 */
public final class Ipv4 {

  public static final int VERSION_LENGTH = 0;
  public static final int TOS = 1;
  public static final int TOTAL_LENGTH = 2;
  public static final int IDENTIFICATION = 4;
  public static final int FRAGMENT = 6;
  public static final int TTL = 8;
  public static final int PROTOCOL = 9;
  public static final int CHECKSUM = 10;
  public static final int SOURCE = 12;
  public static final int DESTINATION = 16;
  public static final int OPTIONS = 20;

  public static final int MIN_HEADER_LENGTH = 20;
  public static final int MAX_HEADER_LENGTH = 60;

  public static final int DONT_FRAGMENT = 0x4000;
  public static final int MORE_FRAGMENTS = 0x2000;
  public static final int FRAGMENT_OFFSET_MASK = 0x1fff;

  public static final int DEFAULT_TTL = 64;

  private Ipv4() {}

  /** A packet in place. */
  public static final class View {
    private byte[] bytes = new byte[MIN_HEADER_LENGTH];
    private int at;
    private int headerLength = MIN_HEADER_LENGTH;
    private int totalLength = MIN_HEADER_LENGTH;

    /**
     * Looks at a packet of {@code length} bytes, which may be followed by the link's padding. False
     * if they are no IPv4 packet: too short for the header or for what it says, or of another
     * version. The checksum is another question: {@link #checksumIsValid}.
     */
    public boolean wrap(byte[] bytes, int at, int length) {
      if (length < MIN_HEADER_LENGTH || Wire.u8(bytes, at) >>> 4 != 4) {
        return false;
      }
      int header = (Wire.u8(bytes, at) & 15) << 2;
      int total = Wire.u16(bytes, at + TOTAL_LENGTH);
      if (header < MIN_HEADER_LENGTH || total < header || length < total) {
        return false;
      }
      this.bytes = bytes;
      this.at = at;
      this.headerLength = header;
      this.totalLength = total;
      return true;
    }

    public int headerLength() {
      return headerLength;
    }

    public int totalLength() {
      return totalLength;
    }

    public int tos() {
      return Wire.u8(bytes, at + TOS);
    }

    public int identification() {
      return Wire.u16(bytes, at + IDENTIFICATION);
    }

    public boolean dontFragment() {
      return (Wire.u16(bytes, at + FRAGMENT) & DONT_FRAGMENT) != 0;
    }

    public boolean moreFragments() {
      return (Wire.u16(bytes, at + FRAGMENT) & MORE_FRAGMENTS) != 0;
    }

    /** Where in the datagram this payload belongs, in bytes. */
    public int fragmentOffset() {
      return (Wire.u16(bytes, at + FRAGMENT) & FRAGMENT_OFFSET_MASK) << 3;
    }

    /** Whether this is a part of a datagram. */
    public boolean isFragment() {
      return (Wire.u16(bytes, at + FRAGMENT) & (MORE_FRAGMENTS | FRAGMENT_OFFSET_MASK)) != 0;
    }

    public int ttl() {
      return Wire.u8(bytes, at + TTL);
    }

    public int protocol() {
      return Wire.u8(bytes, at + PROTOCOL);
    }

    public int checksum() {
      return Wire.u16(bytes, at + CHECKSUM);
    }

    /** In host order. */
    public int source() {
      return Wire.i32(bytes, at + SOURCE);
    }

    /** In host order. */
    public int destination() {
      return Wire.i32(bytes, at + DESTINATION);
    }

    public boolean hasOptions() {
      return headerLength > MIN_HEADER_LENGTH;
    }

    public boolean checksumIsValid() {
      return Checksum.isValid(bytes, at, headerLength, 0);
    }

    public int payloadAt() {
      return at + headerLength;
    }

    public int payloadLength() {
      return totalLength - headerLength;
    }

    /** The sum of the payload's pseudo header. */
    public long pseudoHeader() {
      return Checksum.pseudoHeader(source(), destination(), protocol(), payloadLength());
    }

    /** Writes the time to live and corrects the checksum. */
    public void setTtl(int ttl) {
      int word = Wire.u16(bytes, at + TTL);
      int changed = ttl << 8 | (word & 0xff);
      Wire.setU16(bytes, at + TTL, changed);
      Checksum.replaceL3(bytes, at + CHECKSUM, word, changed);
    }

    /** Writes the source, in host order, and corrects the header's checksum, not the payload's. */
    public void setSource(int address) {
      replaceAddress(SOURCE, address);
    }

    /** Writes the destination, in host order, and corrects the header's checksum. */
    public void setDestination(int address) {
      replaceAddress(DESTINATION, address);
    }

    private void replaceAddress(int field, int address) {
      int old = Wire.i32(bytes, at + field);
      Wire.setI32(bytes, at + field, address);
      int checksum = Checksum.replace32(checksum(), old, address);
      Wire.setU16(bytes, at + CHECKSUM, checksum);
    }
  }

  /**
   * A header's value.
   *
   * @param fragmentOffset in bytes, a multiple of 8
   * @param options padded with zeros to a multiple of 4, at most 40 bytes
   * @param payloadLength how many bytes follow the header
   */
  @SuppressWarnings("ArrayRecordComponent") // copied on the way in and out, compared by content
  public record Header(
      int tos,
      int identification,
      boolean dontFragment,
      boolean moreFragments,
      int fragmentOffset,
      int ttl,
      int protocol,
      Ipv4Address source,
      Ipv4Address destination,
      byte[] options,
      int payloadLength) {

    public Header {
      Wire.require("TOS", tos, 0xff);
      Wire.require("identification", identification, 0xffff);
      Wire.require("fragment offset", fragmentOffset, FRAGMENT_OFFSET_MASK << 3);
      Wire.require("TTL", ttl, 0xff);
      Wire.require("protocol", protocol, 0xff);
      if (fragmentOffset % 8 != 0) {
        throw new IllegalArgumentException(
            "fragment offset " + fragmentOffset + " is no multiple of 8");
      }
      if (options.length > MAX_HEADER_LENGTH - MIN_HEADER_LENGTH || options.length % 4 != 0) {
        throw new IllegalArgumentException(
            "options of "
                + options.length
                + " bytes: there may be 40, in steps of 4, padded with zeros");
      }
      Wire.require("payload length", payloadLength, 0xffff - MIN_HEADER_LENGTH - options.length);
      options = options.clone();
    }

    /** A whole datagram without options that may be fragmented on its way. */
    public Header(
        int identification,
        int ttl,
        int protocol,
        Ipv4Address source,
        Ipv4Address destination,
        int payloadLength) {
      this(
          0,
          identification,
          false,
          false,
          0,
          ttl,
          protocol,
          source,
          destination,
          new byte[0],
          payloadLength);
    }

    @Override
    public byte[] options() {
      return options.clone();
    }

    /** In bytes, options included. */
    public int headerLength() {
      return MIN_HEADER_LENGTH + options.length;
    }

    /** Writes the header with its checksum; answers the index after it. */
    public int encode(byte[] out, int at) {
      Wire.setU8(out, at + VERSION_LENGTH, 4 << 4 | headerLength() >>> 2);
      Wire.setU8(out, at + TOS, tos);
      Wire.setU16(out, at + TOTAL_LENGTH, headerLength() + payloadLength);
      Wire.setU16(out, at + IDENTIFICATION, identification);
      Wire.setU16(
          out,
          at + FRAGMENT,
          (dontFragment ? DONT_FRAGMENT : 0)
              | (moreFragments ? MORE_FRAGMENTS : 0)
              | fragmentOffset >>> 3);
      Wire.setU8(out, at + TTL, ttl);
      Wire.setU8(out, at + PROTOCOL, protocol);
      Wire.setU16(out, at + CHECKSUM, 0);
      Wire.setI32(out, at + SOURCE, source.value());
      Wire.setI32(out, at + DESTINATION, destination.value());
      System.arraycopy(options, 0, out, at + OPTIONS, options.length);
      Wire.setU16(out, at + CHECKSUM, Checksum.finish(Checksum.sum(out, at, headerLength())));
      return at + headerLength();
    }

    /** The sum of the payload's pseudo header. */
    public long pseudoHeader() {
      return Checksum.pseudoHeader(source.value(), destination.value(), protocol, payloadLength);
    }

    public byte[] encode() {
      byte[] out = new byte[headerLength()];
      encode(out, 0);
      return out;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Header that
          && Arrays.equals(encode(), that.encode())
          && payloadLength == that.payloadLength;
    }

    @Override
    public int hashCode() {
      return Objects.hash(identification, source, destination, protocol, payloadLength);
    }
  }
}
