package dev.paramecium.packet;

import org.jspecify.annotations.Nullable;

/**
 * The options of a TCP header: maximum segment size, window scale, selective acknowledgment,
 * timestamps (RFC 9293 section 3.2, RFC 7323, RFC 2018). A reader to be used again and again;
 * {@link Value} is what is written.
 */
public final class TcpOptions {

  public static final int END = 0;
  public static final int NO_OPERATION = 1;
  public static final int MSS = 2;
  public static final int WINDOW_SCALE = 3;
  public static final int SACK_PERMITTED = 4;
  public static final int SACK = 5;
  public static final int TIMESTAMPS = 8;

  /** Larger window scales count as this one (RFC 7323 section 2.3). */
  public static final int MAX_WINDOW_SCALE = 14;

  private static final int MAX_SACK_BLOCKS = 4;
  private static final int TWO_NO_OPERATIONS = NO_OPERATION << 8 | NO_OPERATION;

  private int mss = -1;
  private int windowScale = -1;
  private boolean sackPermitted;
  private boolean hasTimestamps;
  private int timestampValue;
  private int timestampEcho;
  private final int[] sackEdges = new int[2 * MAX_SACK_BLOCKS];
  private int sackBlocks;

  private void clear() {
    mss = -1;
    windowScale = -1;
    sackPermitted = false;
    hasTimestamps = false;
    timestampValue = 0;
    timestampEcho = 0;
    sackBlocks = 0;
  }

  /**
   * Reads {@code length} bytes of options; false if one is malformed, with those before it read. An
   * option with a length that is not its kind's, or of an unknown kind, is passed over.
   */
  public boolean read(byte[] bytes, int at, int length) {
    clear();
    int end = at + length;
    int i = at;
    while (i < end) {
      int kind = Wire.u8(bytes, i);
      if (kind == END) {
        return true;
      }
      if (kind == NO_OPERATION) {
        i++;
        continue;
      }
      if (i + 2 > end) {
        return false;
      }
      int size = Wire.u8(bytes, i + 1);
      if (size < 2 || i + size > end) {
        return false;
      }
      readOne(bytes, i, kind, size);
      i += size;
    }
    return true;
  }

  private void readOne(byte[] bytes, int at, int kind, int size) {
    if (kind == MSS && size == 4) {
      mss = Wire.u16(bytes, at + 2);
    } else if (kind == WINDOW_SCALE && size == 3) {
      windowScale = Math.min(Wire.u8(bytes, at + 2), MAX_WINDOW_SCALE);
    } else if (kind == SACK_PERMITTED && size == 2) {
      sackPermitted = true;
    } else if (kind == TIMESTAMPS && size == 10) {
      hasTimestamps = true;
      timestampValue = Wire.i32(bytes, at + 2);
      timestampEcho = Wire.i32(bytes, at + 6);
    } else if (kind == SACK && size > 2 && (size - 2) % 8 == 0) {
      sackBlocks = Math.min((size - 2) / 8, MAX_SACK_BLOCKS);
      for (int edge = 0; edge < 2 * sackBlocks; edge++) {
        sackEdges[edge] = Wire.i32(bytes, at + 2 + 4 * edge);
      }
    }
  }

  /** The maximum segment size, or -1. */
  public int mss() {
    return mss;
  }

  /** The window scale, at most {@link #MAX_WINDOW_SCALE}, or -1. */
  public int windowScale() {
    return windowScale;
  }

  public boolean sackPermitted() {
    return sackPermitted;
  }

  public boolean hasTimestamps() {
    return hasTimestamps;
  }

  public int timestampValue() {
    return timestampValue;
  }

  public int timestampEcho() {
    return timestampEcho;
  }

  /** How many blocks were acknowledged selectively, at most 4. */
  public int sackBlocks() {
    return sackBlocks;
  }

  /** Where block {@code index}, below {@link #sackBlocks}, begins. */
  public int sackLeft(int index) {
    return sackEdges[2 * index];
  }

  /** The sequence number after block {@code index}. */
  public int sackRight(int index) {
    return sackEdges[2 * index + 1];
  }

  /**
   * Options to be written.
   *
   * @param mss or -1 for none
   * @param windowScale or -1 for none
   * @param timestamps or null for none
   */
  public record Value(
      int mss, int windowScale, boolean sackPermitted, @Nullable Timestamps timestamps) {

    public static final Value NONE = new Value(-1, -1, false, null);

    public Value {
      if (mss < -1 || mss > 0xffff || windowScale < -1 || windowScale > MAX_WINDOW_SCALE) {
        throw new IllegalArgumentException(
            "MSS "
                + mss
                + " or window scale "
                + windowScale
                + " is out of range: they go to 65535 and 14, -1 is none");
      }
    }

    /** In bytes, padded to a multiple of 4: at most 20. */
    public int length() {
      return (mss >= 0 ? 4 : 0)
          + (timestamps != null ? 12 : sackPermitted ? 4 : 0)
          + (windowScale >= 0 ? 4 : 0);
    }

    /** Writes the options in the order and with the padding of Linux; answers the index after. */
    public int encode(byte[] out, int at) {
      int i = at;
      if (mss >= 0) {
        Wire.setI32(out, i, MSS << 24 | 4 << 16 | mss);
        i += 4;
      }
      if (sackPermitted || timestamps != null) {
        int first =
            sackPermitted && timestamps != null ? SACK_PERMITTED << 8 | 2 : TWO_NO_OPERATIONS;
        Wire.setU16(out, i, first);
        i += 2;
      }
      if (timestamps != null) {
        Wire.setU16(out, i, TIMESTAMPS << 8 | 10);
        Wire.setI32(out, i + 2, timestamps.value);
        Wire.setI32(out, i + 6, timestamps.echo);
        i += 10;
      } else if (sackPermitted) {
        Wire.setU16(out, i, SACK_PERMITTED << 8 | 2);
        i += 2;
      }
      if (windowScale >= 0) {
        Wire.setI32(out, i, NO_OPERATION << 24 | WINDOW_SCALE << 16 | 3 << 8 | windowScale);
        i += 4;
      }
      return i;
    }
  }

  /** The sender's clock, and the peer's as it was last heard (RFC 7323 section 3). */
  public record Timestamps(int value, int echo) {}
}
