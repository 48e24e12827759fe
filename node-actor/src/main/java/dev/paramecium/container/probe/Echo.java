package dev.paramecium.container.probe;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Clock;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.Result;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** Sends one echo request and waits for its reply, as {@code pkg/health} does with fastping. */
public final class Echo implements PingHandler {

  private static final int SEQUENCE = 1;
  private static final int TTL = 64;

  /** What fastping sends. */
  private static final int PAYLOAD_BYTES = 8;

  private final Clock clock;
  private final Ipv4Address address;
  private final ActorRef<Result<Long>> replyTo;
  private Sockets.@Nullable Timer timer;
  private @Nullable PingSocket socket;
  private long sentNs;
  private boolean over;

  private Echo(Clock clock, Ipv4Address address, ActorRef<Result<Long>> replyTo) {
    this.clock = clock;
    this.address = address;
    this.replyTo = replyTo;
  }

  /** Answers {@code replyTo} once, after {@code timeoutMs} at the latest. */
  public static void start(
      Sockets sockets,
      Clock clock,
      Ipv4Address address,
      long timeoutMs,
      ActorRef<Result<Long>> replyTo) {
    Echo echo = new Echo(clock, address, replyTo);
    try {
      PingSocket socket = sockets.openPing(echo);
      echo.socket = socket;
      echo.timer =
          sockets.schedule(
              timeoutMs, () -> echo.end(Result.failed(Errno.ETIMEDOUT, "Connection timed out")));
      echo.sentNs = clock.nanos();
      socket.send(address, SEQUENCE, TTL, new byte[PAYLOAD_BYTES]);
    } catch (SocketException e) {
      echo.end(Result.failed(Errno.EIO, e.error().text()));
    }
  }

  private void end(Result<Long> result) {
    if (over) {
      return;
    }
    over = true;
    if (timer != null) {
      timer.cancel();
    }
    if (socket != null) {
      socket.close();
    }
    replyTo.tell(result);
  }

  @Override
  public void reply(Ipv4Address from, int sequence, int ttl, byte[] payload) {
    if (from.equals(address)) {
      end(Result.ok(clock.nanos() - sentNs));
    }
  }
}
