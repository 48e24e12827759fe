package dev.paramecium.container.proxy;

import dev.paramecium.container.socket.TcpConnection;
import java.util.ArrayDeque;
import java.util.Deque;

/** What is to be written to a connection, and waits while its send buffer is full. */
final class Outlet {

  /** How much may wait before whoever fills it should pause. */
  private static final int HIGH_WATER = 64 << 10;

  private final TcpConnection connection;
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private int offset;
  private long bytes;
  private boolean closing;

  Outlet(TcpConnection connection) {
    this.connection = connection;
  }

  /** The bytes are given. */
  void write(byte[] more) {
    if (more.length > 0) {
      waiting.add(more);
      bytes += more.length;
      flush();
    }
  }

  boolean isFull() {
    return bytes > HIGH_WATER;
  }

  /** Closes the connection when all is written. */
  void close() {
    closing = true;
    flush();
  }

  /** Writes on; to be called when there is room again. */
  void flush() {
    for (byte[] next = waiting.peek(); next != null; next = waiting.peek()) {
      int taken = connection.write(next, offset, next.length - offset);
      offset += taken;
      bytes -= taken;
      if (offset < next.length) {
        return;
      }
      waiting.poll();
      offset = 0;
    }
    if (closing) {
      connection.close();
    }
  }
}
