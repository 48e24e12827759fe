package dev.paramecium.container.probe;

import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.Result;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** Connects to a port and hangs up, as {@code pkg/probe/tcp} does. */
public final class TcpDial implements TcpHandler {

  private final SocketAddress remote;
  private final ActorRef<Result<Done>> replyTo;
  private Sockets.@Nullable Timer timer;
  private @Nullable TcpConnection connection;
  private boolean over;

  private TcpDial(SocketAddress remote, ActorRef<Result<Done>> replyTo) {
    this.remote = remote;
    this.replyTo = replyTo;
  }

  /** Answers {@code replyTo} once, after {@code timeoutMs} at the latest. */
  public static void start(
      Sockets sockets, SocketAddress remote, long timeoutMs, ActorRef<Result<Done>> replyTo) {
    TcpDial dial = new TcpDial(remote, replyTo);
    try {
      dial.timer =
          sockets.schedule(
              timeoutMs, () -> dial.fail(Errno.ETIMEDOUT, GoError.dialTimeout(remote)));
      dial.connection = sockets.connect(remote, dial);
    } catch (SocketException e) {
      dial.fail(Errno.EIO, GoError.dial(remote, e.error()));
    }
  }

  private void fail(Errno errno, String message) {
    end(Result.failed(errno, message));
  }

  private void end(Result<Done> result) {
    if (over) {
      return;
    }
    over = true;
    if (timer != null) {
      timer.cancel();
    }
    if (connection != null) {
      connection.close();
    }
    replyTo.tell(result);
  }

  @Override
  public void connected(TcpConnection made) {
    end(Result.ok(Done.getInstance()));
  }

  @Override
  public void data(TcpConnection from, byte[] bytes, int offset, int count) {
    // That the port is open was the question; what a server says first is not read.
  }

  @Override
  public void peerClosed(TcpConnection from) {
    end(Result.ok(Done.getInstance()));
  }

  @Override
  public void failed(TcpConnection from, SocketError error) {
    fail(Errno.EIO, GoError.dial(remote, error));
  }
}
