package dev.paramecium.abi;

import java.util.List;

/**
 * What conntrack knew about a traced packet ({@code bpf/lib/trace.h}); the ordinal is Cilium's
 * number. The first five are conntrack's states.
 */
public enum TraceReason {
  NEW,
  ESTABLISHED,
  REPLY,
  RELATED,
  REOPENED,
  UNKNOWN;

  /** Set in a reason's number when the packet came or goes encrypted. */
  public static final int ENCRYPTED = 0x80;

  private static final List<String> TEXT =
      List.of("new", "established", "reply", "related", "reopened", "unknown");

  public int code() {
    return ordinal();
  }

  /** {@code established}; the number of a reason that Cilium does not know. */
  public static String text(int code) {
    int reason = code & ~ENCRYPTED;
    return reason >= 0 && reason < TEXT.size() ? TEXT.get(reason) : Integer.toString(reason);
  }
}
