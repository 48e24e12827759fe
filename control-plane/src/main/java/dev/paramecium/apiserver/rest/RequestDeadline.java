package dev.paramecium.apiserver.rest;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hangs up on who takes too long over one request, however steadily its bytes drip. The clock runs
 * from a request's first byte to its last.
 */
final class RequestDeadline extends ChannelInboundHandlerAdapter {

  private final int seconds;
  private @Nullable Future<?> running;

  RequestDeadline(int seconds) {
    this.seconds = seconds;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object bytes) {
    if (running == null) {
      running =
          context
              .executor()
              .schedule(
                  () -> {
                    var _ = context.close();
                  },
                  seconds,
                  TimeUnit.SECONDS);
    }
    context.fireChannelRead(bytes);
  }

  /** The request is complete. */
  void met() {
    if (running != null) {
      running.cancel(false);
      running = null;
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    met();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    met();
    context.fireChannelInactive();
  }
}
