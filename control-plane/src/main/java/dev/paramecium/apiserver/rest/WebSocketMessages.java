package dev.paramecium.apiserver.rest;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import java.util.function.Consumer;

/**
 * A watch over WebSocket: each event is one text message ({@code HandleWS} of {@code
 * apiserver/pkg/endpoints/handlers/watch.go}). What the client says is not listened to.
 */
final class WebSocketMessages extends SimpleChannelInboundHandler<WebSocketFrame>
    implements ResponseStream {

  private static final int MAX_FRAME = 64 * 1024;
  private static final int NORMAL_CLOSURE = 1000;

  private final Channel channel;

  private WebSocketMessages(Channel channel) {
    this.channel = channel;
  }

  /** Whether the client asks for a WebSocket. */
  static boolean isAsked(FullHttpRequest request) {
    return request
        .headers()
        .containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true);
  }

  /** Answers the upgrade, then gives the stream to {@code opened}. */
  static void start(
      ChannelHandlerContext context, FullHttpRequest request, Consumer<ResponseStream> opened) {
    WebSocketServerHandshaker handshaker =
        new WebSocketServerHandshakerFactory(request.uri(), null, false, MAX_FRAME)
            .newHandshaker(request);
    if (handshaker == null) {
      RestHandler.respond(
          context, Answer.failure(400, "BadRequest", "only WebSocket version 13 is served"), true);
      return;
    }
    RestHandler.becomeStream(context);
    WebSocketMessages messages = new WebSocketMessages(context.channel());
    context.pipeline().remove("keepAlive");
    context.pipeline().replace("rest", "messages", messages);
    handshaker
        .handshake(context.channel(), request)
        .addListener(
            done -> {
              if (done.isSuccess()) {
                opened.accept(messages);
              }
            });
  }

  @Override
  public void send(byte[] bytes, Runnable sent) {
    channel
        .writeAndFlush(new TextWebSocketFrame(Unpooled.wrappedBuffer(bytes)))
        .addListener(
            written -> {
              if (written.isSuccess()) {
                sent.run();
              }
            });
  }

  @Override
  public void end() {
    channel
        .writeAndFlush(new CloseWebSocketFrame(NORMAL_CLOSURE, ""))
        .addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void onClose(Runnable task) {
    channel.closeFuture().addListener(_ -> task.run());
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
    switch (frame) {
      case PingWebSocketFrame ping -> {
        var _ = context.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
      }
      case CloseWebSocketFrame close ->
          context.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
      default -> {}
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    var _ = context.close();
  }
}
