package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct policy_verdict_notify}, 32 bytes with the header: policy decided about a new
 * connection. Body: remote_label u32, verdict s32, dst_port u16, proto u8, flags u8 (bits 0-1
 * direction, 2 IPv6, 3-5 match, 6 audited), 4 padding.
 *
 * @param remoteLabel the peer's identity
 * @param verdict negative: the drop code; 0: allowed; positive: the proxy's port
 * @param direction {@link #INGRESS} or {@link #EGRESS} of the pod
 * @param match {@link #MATCH_NONE} and the others
 * @param captured not to be changed after
 */
@SuppressWarnings("ArrayRecordComponent") // records are written and read, never compared
public record PolicyVerdictNotify(
    int source,
    int hash,
    int originalLength,
    int remoteLabel,
    int verdict,
    int destinationPort,
    int protocol,
    int direction,
    boolean ipv6,
    int match,
    boolean audited,
    byte[] captured)
    implements MonitorEvent {

  public static final int SIZE = 32;

  public static final int INGRESS = 1;
  public static final int EGRESS = 2;

  public static final int MATCH_NONE = 0;
  public static final int MATCH_L3_ONLY = 1;
  public static final int MATCH_L3_L4 = 2;
  public static final int MATCH_L4_ONLY = 3;
  public static final int MATCH_ALL = 4;

  public static PolicyVerdictNotify decode(byte[] bytes) {
    ByteBuffer in = EventLayout.reader("policy_verdict_notify", bytes, SIZE);
    in.position(HEADER_SIZE);
    int remoteLabel = in.getInt();
    int verdict = in.getInt();
    int destinationPort = Layout.u16(in);
    int protocol = Layout.u8(in);
    int flags = Layout.u8(in);
    return new PolicyVerdictNotify(
        EventLayout.source(in),
        EventLayout.hash(in),
        EventLayout.originalLength(in),
        remoteLabel,
        verdict,
        destinationPort,
        protocol,
        flags & 3,
        (flags & 4) != 0,
        flags >>> 3 & 7,
        (flags & 0x40) != 0,
        EventLayout.captured(in, SIZE));
  }

  @Override
  public byte[] encode() {
    ByteBuffer out = EventLayout.writer(TYPE_POLICY_VERDICT, 0, this, SIZE);
    out.position(HEADER_SIZE);
    out.putInt(remoteLabel).putInt(verdict).putShort((short) destinationPort);
    out.put((byte) protocol);
    out.put((byte) (direction | (ipv6 ? 4 : 0) | match << 3 | (audited ? 0x40 : 0)));
    return Layout.bytes(out);
  }

  /** {@code L3-L4}: the word in {@code cilium monitor}. */
  public String matchText() {
    return switch (match) {
      case MATCH_L3_ONLY -> "L3-Only";
      case MATCH_L3_L4 -> "L3-L4";
      case MATCH_L4_ONLY -> "L4-Only";
      case MATCH_ALL -> "all";
      case MATCH_NONE -> "none";
      default -> "unknown";
    };
  }

  /** {@code allow}, {@code deny}, {@code redirect} or {@code audit}. */
  public String actionText() {
    if (audited) {
      return "audit";
    }
    return verdict < 0 ? "deny" : verdict > 0 ? "redirect" : "allow";
  }
}
