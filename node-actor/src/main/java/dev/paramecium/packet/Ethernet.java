package dev.paramecium.packet;

import dev.paramecium.abi.MacAddress;

/**
 * The Ethernet II header (IEEE 802.3): 14 bytes.
 *
 * <pre>
 *   0             6             12          14
 *   | destination | source      | ethertype | payload
 * </pre>
 */
public final class Ethernet {

  public static final int DESTINATION = 0;
  public static final int SOURCE = 6;
  public static final int ETHER_TYPE = 12;
  public static final int HEADER_LENGTH = 14;

  private Ethernet() {}

  /** A frame in place. */
  public static final class View {
    private byte[] bytes = new byte[HEADER_LENGTH];
    private int at;
    private int length = HEADER_LENGTH;

    /**
     * Looks at {@code length} bytes from index {@code at}; false, and the view stays where it was,
     * if they hold no header.
     */
    public boolean wrap(byte[] bytes, int at, int length) {
      if (length < HEADER_LENGTH) {
        return false;
      }
      this.bytes = bytes;
      this.at = at;
      this.length = length;
      return true;
    }

    public long destination() {
      return Wire.mac(bytes, at + DESTINATION);
    }

    public long source() {
      return Wire.mac(bytes, at + SOURCE);
    }

    public int etherType() {
      return Wire.u16(bytes, at + ETHER_TYPE);
    }

    public void setDestination(long mac) {
      Wire.setMac(bytes, at + DESTINATION, mac);
    }

    public void setSource(long mac) {
      Wire.setMac(bytes, at + SOURCE, mac);
    }

    public void setEtherType(int etherType) {
      Wire.setU16(bytes, at + ETHER_TYPE, etherType);
    }

    /** Whether the group bit of the destination is set, as in a broadcast. */
    public boolean isMulticast() {
      return (Wire.u8(bytes, at) & 1) != 0;
    }

    /** Index of the first byte after the header. */
    public int payloadAt() {
      return at + HEADER_LENGTH;
    }

    public int payloadLength() {
      return length - HEADER_LENGTH;
    }
  }

  /** A header's value. */
  public record Header(MacAddress destination, MacAddress source, int etherType) {

    public Header {
      Wire.require("ethertype", etherType, 0xffff);
    }

    /** Writes the 14 bytes; answers the index after them. */
    public int encode(byte[] out, int at) {
      Wire.setMac(out, at + DESTINATION, destination.value());
      Wire.setMac(out, at + SOURCE, source.value());
      Wire.setU16(out, at + ETHER_TYPE, etherType);
      return at + HEADER_LENGTH;
    }

    public byte[] encode() {
      byte[] out = new byte[HEADER_LENGTH];
      encode(out, 0);
      return out;
    }
  }
}
