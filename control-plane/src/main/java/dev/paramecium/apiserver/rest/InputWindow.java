package dev.paramecium.apiserver.rest;

import io.netty.channel.Channel;

/**
 * Reads a client's connection only while its session can pass on what it says: what waits between
 * the two stays below {@link #LIMIT} bytes and one read. Its state is the event loop's.
 */
final class InputWindow {

  private static final int LIMIT = 1 << 20;

  private final Channel channel;
  private long waiting;
  private boolean discarding;

  InputWindow(Channel channel) {
    this.channel = channel;
  }

  /** Reads nothing until {@link #begin}; on the event loop. */
  void close() {
    channel.config().setAutoRead(false);
  }

  /** The session takes input; from any thread. */
  void begin() {
    channel.config().setAutoRead(true);
  }

  /** Bytes go to the session; on the event loop. */
  void received(int bytes) {
    waiting += bytes;
    if (waiting >= LIMIT && !discarding) {
      channel.config().setAutoRead(false);
    }
  }

  /** The session has passed bytes on; from any thread. */
  void passedOn(int bytes) {
    channel
        .eventLoop()
        .execute(
            () -> {
              boolean full = waiting >= LIMIT;
              waiting -= bytes;
              if (full && waiting < LIMIT) {
                channel.config().setAutoRead(true);
              }
            });
  }

  /** The session is over: what still comes is read, to find the client's goodbye; any thread. */
  void discard() {
    channel
        .eventLoop()
        .execute(
            () -> {
              discarding = true;
              channel.config().setAutoRead(true);
            });
  }
}
