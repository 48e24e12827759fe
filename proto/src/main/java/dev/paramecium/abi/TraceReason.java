package dev.paramecium.abi;

import java.util.List;

/**
 * What conntrack knew about a traced packet, with Cilium's number ({@code bpf/lib/trace.h}). The
 * first five are conntrack's states.
 */
public enum TraceReason {
  NEW(0),
  ESTABLISHED(1),
  REPLY(2),
  RELATED(3),
  REOPENED(4),
  UNKNOWN(5);

  /** Set in a reason's number when the packet came or goes encrypted. */
  public static final int ENCRYPTED = 0x80;

  private static final List<String> TEXT =
      List.of("new", "established", "reply", "related", "reopened", "unknown");

  private final int code;

  TraceReason(int code) {
    this.code = code;
  }

  public int code() {
    return code;
  }

  /** {@code established}; the number of a reason that Cilium does not know. */
  public static String text(int code) {
    int reason = code & ~ENCRYPTED;
    return reason >= 0 && reason < TEXT.size() ? TEXT.get(reason) : Integer.toString(reason);
  }
}
