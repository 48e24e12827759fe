package dev.paramecium.container.process;

import java.util.ArrayList;
import java.util.List;

/** The lines that were typed at a terminal, for the arrow keys. */
final class LineHistory {

  /** Busybox keeps as many (CONFIG_FEATURE_EDITING_HISTORY). */
  private static final int MAX_LINES = 255;

  private final List<byte[]> lines = new ArrayList<>();
  private int at;

  /** A line was finished; the next {@link #older} is it. */
  void add(byte[] line) {
    if (line.length > 0) {
      if (lines.size() == MAX_LINES) {
        lines.removeFirst();
      }
      lines.add(line);
    }
    at = lines.size();
  }

  /** The line before the one that is shown; the oldest again if there is none before. */
  byte[] older() {
    at = Math.max(0, at - 1);
    return current();
  }

  /** The line after the one that is shown; empty behind the last. */
  byte[] newer() {
    at = Math.min(lines.size(), at + 1);
    return current();
  }

  private byte[] current() {
    return at < lines.size() ? lines.get(at) : new byte[0];
  }
}
