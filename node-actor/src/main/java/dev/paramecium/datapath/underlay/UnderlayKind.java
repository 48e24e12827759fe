package dev.paramecium.datapath.underlay;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How frames cross between nodes. */
public enum UnderlayKind {
  /** UDP: {@link #UDP_GSO} where the system has it, {@link #UDP_NIO} elsewhere. */
  UDP,
  /** UDP by sendmmsg and recvmmsg with segmentation offload. */
  UDP_GSO,
  /** UDP by java.nio. */
  UDP_NIO,
  /** Length-prefixed frames on TCP connections. */
  TCP;

  /**
   * Reads {@code udp}, {@code udp-gso}, {@code udp-nio} or {@code tcp}.
   *
   * @throws IllegalArgumentException naming what is allowed
   */
  public static UnderlayKind parse(String text) {
    for (UnderlayKind kind : values()) {
      if (kind.toString().equals(text)) {
        return kind;
      }
    }
    throw new IllegalArgumentException(
        "underlay \""
            + text
            + "\" is not known: use "
            + Arrays.stream(values())
                .map(UnderlayKind::toString)
                .collect(Collectors.joining(", ")));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
