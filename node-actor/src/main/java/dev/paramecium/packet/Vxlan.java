package dev.paramecium.packet;

/**
 * The VXLAN header (RFC 7348 section 5): 8 bytes.
 *
 * <pre>
 *   0                     1          4              7          8
 *   | flags: 0x08, VNI is | reserved | VNI, 24 bits | reserved | Ethernet frame
 *   | valid               |
 * </pre>
 */
public final class Vxlan {

  public static final int FLAGS = 0;
  public static final int VNI = 4;
  public static final int HEADER_LENGTH = 8;

  /** The flag that makes the VNI count. */
  public static final int FLAG_VNI = 0x08;

  /** Linux's port, which Cilium uses; IANA's is 4789. */
  public static final int LINUX_PORT = 8472;

  public static final int MAX_VNI = 0xff_ffff;

  private Vxlan() {}

  /** A header in place. */
  public static final class View {
    private byte[] bytes = new byte[HEADER_LENGTH];
    private int at;
    private int length = HEADER_LENGTH;

    /** False if the bytes are too few or the VNI is not valid; reserved bits do not count. */
    public boolean wrap(byte[] bytes, int at, int length) {
      if (length < HEADER_LENGTH || (Wire.u8(bytes, at + FLAGS) & FLAG_VNI) == 0) {
        return false;
      }
      this.bytes = bytes;
      this.at = at;
      this.length = length;
      return true;
    }

    public int vni() {
      return Wire.i32(bytes, at + VNI) >>> 8;
    }

    public int payloadAt() {
      return at + HEADER_LENGTH;
    }

    public int payloadLength() {
      return length - HEADER_LENGTH;
    }
  }

  /** A header's value. */
  public record Header(int vni) {

    public Header {
      Wire.require("VNI", vni, MAX_VNI);
    }

    /** Writes the 8 bytes; answers the index after them. */
    public int encode(byte[] out, int at) {
      write(out, at, vni);
      return at + HEADER_LENGTH;
    }

    public byte[] encode() {
      byte[] out = new byte[HEADER_LENGTH];
      encode(out, 0);
      return out;
    }
  }

  /** Writes a header without a value in between; bits of {@code vni} above 24 are lost. */
  public static void write(byte[] out, int at, int vni) {
    Wire.setI32(out, at, FLAG_VNI << 24);
    Wire.setI32(out, at + VNI, vni << 8);
  }
}
