package dev.paramecium.abi;

import java.util.List;

/**
 * Where a program tells that a packet passed ({@code bpf/lib/trace.h}); the ordinal is Cilium's
 * number.
 */
public enum TracePoint {
  TO_LXC("to-endpoint"),
  TO_PROXY("to-proxy"),
  TO_HOST("to-host"),
  TO_STACK("to-stack"),
  TO_OVERLAY("to-overlay"),
  FROM_LXC("from-endpoint"),
  FROM_PROXY("from-proxy"),
  FROM_HOST("from-host"),
  FROM_STACK("from-stack"),
  FROM_OVERLAY("from-overlay"),
  FROM_NETWORK("from-network"),
  TO_NETWORK("to-network");

  private static final List<TracePoint> BY_CODE = List.of(values());

  private final String text;

  TracePoint(String text) {
    this.text = text;
  }

  public int code() {
    return ordinal();
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
