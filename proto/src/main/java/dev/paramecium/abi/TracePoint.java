package dev.paramecium.abi;

import java.util.List;

/** Where a program tells that a packet passed, with Cilium's number ({@code bpf/lib/trace.h}). */
public enum TracePoint {
  TO_LXC(0, "to-endpoint"),
  TO_PROXY(1, "to-proxy"),
  TO_HOST(2, "to-host"),
  TO_STACK(3, "to-stack"),
  TO_OVERLAY(4, "to-overlay"),
  FROM_LXC(5, "from-endpoint"),
  FROM_PROXY(6, "from-proxy"),
  FROM_HOST(7, "from-host"),
  FROM_STACK(8, "from-stack"),
  FROM_OVERLAY(9, "from-overlay"),
  FROM_NETWORK(10, "from-network"),
  TO_NETWORK(11, "to-network");

  private static final List<TracePoint> BY_CODE = List.of(values());

  private final int code;
  private final String text;

  TracePoint(int code, String text) {
    this.code = code;
    this.text = text;
  }

  public int code() {
    return code;
  }

  /** {@code to-endpoint}: the name in Hubble and in {@code cilium monitor -j}. */
  public String text() {
    return text;
  }

  /** The name for a code, the number for one that Cilium does not know. */
  public static String text(int code) {
    return code >= 0 && code < BY_CODE.size()
        ? BY_CODE.get(code).text
        : Integer.toUnsignedString(code);
  }

  /**
   * @throws IllegalArgumentException for a code that is none
   */
  public static TracePoint of(int code) {
    if (code < 0 || code >= BY_CODE.size()) {
      throw new IllegalArgumentException(
          "trace point " + code + " is unknown: the last is " + (BY_CODE.size() - 1));
    }
    return BY_CODE.get(code);
  }
}
