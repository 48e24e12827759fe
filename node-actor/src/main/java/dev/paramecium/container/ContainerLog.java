package dev.paramecium.container;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a container wrote, as lines with their time, the newest {@link #CAPACITY} bytes of it. Older
 * lines are dropped, and whoever reads there is told how many.
 *
 * <pre>
 *   dropped | first ......................... end |  next line
 *           | at most CAPACITY bytes              |
 * </pre>
 */
final class ContainerLog {

  /** How many bytes of lines are kept. */
  static final int CAPACITY = 1 << 20;

  /** A longer line is cut into several, as CRI runtimes do. */
  static final int MAX_LINE = 16384;

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  /** A line, its newline included where the process wrote one. */
  record Line(long epochMs, long subMilliNs, byte[] bytes) {

    String timestamp() {
      return TIME.format(Instant.ofEpochMilli(epochMs).plusNanos(subMilliNs));
    }
  }

  private final Deque<Line> lines = new ArrayDeque<>();
  private final ByteArrayOutputStream[] partial = {
    new ByteArrayOutputStream(), new ByteArrayOutputStream()
  };
  private final List<Runnable> followers = new ArrayList<>();
  private long first;
  private int bytes;
  private boolean closed;

  /**
   * Appends what a process wrote.
   *
   * @param stream 1 or 2; each has its own unfinished line
   */
  void write(int stream, byte[] text, long epochMs, long nanos) {
    ByteArrayOutputStream line = partial[stream - 1];
    for (byte b : text) {
      line.write(b);
      if (b == '\n' || line.size() >= MAX_LINE) {
        add(new Line(epochMs, nanos % 1_000_000, line.toByteArray()));
        line.reset();
      }
    }
    wakeFollowers();
  }

  /** The container exited: an unfinished line counts as one, and followers come to the end. */
  void close(long epochMs, long nanos) {
    for (ByteArrayOutputStream line : partial) {
      if (line.size() > 0) {
        add(new Line(epochMs, nanos % 1_000_000, line.toByteArray()));
        line.reset();
      }
    }
    closed = true;
    wakeFollowers();
  }

  private void add(Line line) {
    lines.add(line);
    bytes += line.bytes().length;
    while (bytes > CAPACITY) {
      bytes -= lines.removeFirst().bytes().length;
      first++;
    }
  }

  private void wakeFollowers() {
    for (Runnable follower : List.copyOf(followers)) {
      follower.run();
    }
  }

  boolean isClosed() {
    return closed;
  }

  /** The number of the oldest line that is kept; as many were dropped before it. */
  long first() {
    return first;
  }

  /** The number that the next line will have. */
  long end() {
    return first + lines.size();
  }

  /** Lines from {@code from} on, at most {@code count}. */
  List<Line> read(long from, int count) {
    return lines.stream().skip(Math.max(0, from - first)).limit(count).toList();
  }

  /** The number of the first line written at or after {@code epochMs}, {@link #end} if none was. */
  long since(long epochMs) {
    long number = first;
    for (Line line : lines) {
      if (line.epochMs() >= epochMs) {
        return number;
      }
      number++;
    }
    return number;
  }

  void follow(Runnable follower) {
    followers.add(follower);
  }

  void unfollow(@Nullable Runnable follower) {
    followers.remove(follower);
  }

  /** Says to a reader that lines are missing. */
  static byte[] gap(long count) {
    return ("[paramecium] "
            + count
            + " older lines were dropped: a container's log keeps its newest "
            + CAPACITY
            + " bytes\n")
        .getBytes(StandardCharsets.UTF_8);
  }

  /** Bytes of the lines that are kept. */
  int size() {
    return bytes;
  }
}
