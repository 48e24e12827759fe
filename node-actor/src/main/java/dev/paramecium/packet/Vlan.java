package dev.paramecium.packet;

/**
 * The IEEE 802.1Q tag, without the ethertype 0x8100 that announces it: 4 bytes.
 *
 * <pre>
 *   0                                      2           4
 *   | priority 3 bits | DEI 1 | VLAN id 12 | ethertype | payload
 * </pre>
 */
public final class Vlan {

  public static final int TCI = 0;
  public static final int ETHER_TYPE = 2;
  public static final int TAG_LENGTH = 4;

  private Vlan() {}

  /** A tag in place. */
  public static final class View {
    private byte[] bytes = new byte[TAG_LENGTH];
    private int at;
    private int length = TAG_LENGTH;

    /**
     * Looks at what follows an ethertype of 0x8100 or 0x88a8; false if it is too short for a tag.
     */
    public boolean wrap(byte[] bytes, int at, int length) {
      if (length < TAG_LENGTH) {
        return false;
      }
      this.bytes = bytes;
      this.at = at;
      this.length = length;
      return true;
    }

    public int priority() {
      return Wire.u8(bytes, at + TCI) >>> 5;
    }

    public boolean dropEligible() {
      return (Wire.u8(bytes, at + TCI) & 0x10) != 0;
    }

    public int id() {
      return Wire.u16(bytes, at + TCI) & 0xfff;
    }

    /** What the tagged frame carries. */
    public int etherType() {
      return Wire.u16(bytes, at + ETHER_TYPE);
    }

    public int payloadAt() {
      return at + TAG_LENGTH;
    }

    public int payloadLength() {
      return length - TAG_LENGTH;
    }
  }

  /** A tag's value. */
  public record Tag(int priority, boolean dropEligible, int id, int etherType) {

    public Tag {
      Wire.require("VLAN priority", priority, 7);
      Wire.require("VLAN id", id, 0xfff);
      Wire.require("ethertype", etherType, 0xffff);
    }

    /** Writes the 4 bytes; answers the index after them. */
    public int encode(byte[] out, int at) {
      Wire.setU16(out, at + TCI, priority << 13 | (dropEligible ? 1 << 12 : 0) | id);
      Wire.setU16(out, at + ETHER_TYPE, etherType);
      return at + TAG_LENGTH;
    }

    public byte[] encode() {
      byte[] out = new byte[TAG_LENGTH];
      encode(out, 0);
      return out;
    }
  }
}
