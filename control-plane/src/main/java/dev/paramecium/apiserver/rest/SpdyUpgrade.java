package dev.paramecium.apiserver.rest;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.MessageToMessageCodec;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.util.List;
import java.util.Locale;

/**
 * Turns an HTTP connection into one of SPDY/3.1 frames: bare, as every kubectl can, or carried in
 * binary WebSocket messages, as kubectl prefers from 1.31.
 */
final class SpdyUpgrade {

  private static final String PROTOCOL_HEADER = "X-Stream-Protocol-Version";
  private static final int MAX_FRAME = 1024 * 1024;

  private SpdyUpgrade() {}

  /**
   * Answers the upgrade and puts {@code handler}, which takes {@code SpdyFrame}s, at the end of the
   * pipeline. On the connection's event loop.
   *
   * @param protocol what the two speak over the frames, as {@code portforward.k8s.io}
   */
  static void upgrade(
      ChannelHandlerContext context,
      FullHttpRequest request,
      String protocol,
      ChannelHandler handler) {
    String upgrade = request.headers().get(HttpHeaderNames.UPGRADE, "").toLowerCase(Locale.ROOT);
    if (upgrade.equals("websocket")) {
      tunnel(context, request, protocol, handler);
    } else {
      bare(context, request, protocol, handler);
    }
  }

  private static void bare(
      ChannelHandlerContext context,
      FullHttpRequest request,
      String protocol,
      ChannelHandler handler) {
    if (!request.headers().getAll(PROTOCOL_HEADER).contains(protocol)) {
      RestHandler.respond(
          context,
          Answer.failure(
              403,
              "Forbidden",
              "unable to upgrade: unable to negotiate protocol: client supports "
                  + request.headers().getAll(PROTOCOL_HEADER)
                  + ", server accepts ["
                  + protocol
                  + "]"),
          true);
      return;
    }
    RestHandler.becomeStream(context);
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS, Unpooled.EMPTY_BUFFER);
    response
        .headers()
        .set(HttpHeaderNames.CONNECTION, "Upgrade")
        .set(HttpHeaderNames.UPGRADE, "SPDY/3.1")
        .set(PROTOCOL_HEADER, protocol);
    ChannelPipeline pipeline = context.pipeline();
    pipeline.remove("keepAlive");
    context
        .channel()
        .writeAndFlush(response)
        .addListener(
            written -> {
              if (written.isSuccess()) {
                pipeline.remove("body");
                pipeline.replace("rest", "streams", handler);
                pipeline.addBefore("streams", "spdy", new SpdyFrameCodec(SpdyVersion.SPDY_3_1));
                // Last: what the client has sent ahead goes on to the SPDY codec.
                pipeline.remove("codec");
              }
            });
  }

  private static void tunnel(
      ChannelHandlerContext context,
      FullHttpRequest request,
      String protocol,
      ChannelHandler handler) {
    WebSocketServerHandshaker handshaker =
        new WebSocketServerHandshakerFactory(
                request.uri(), "SPDY/3.1+" + protocol, false, MAX_FRAME)
            .newHandshaker(request);
    if (handshaker == null) {
      RestHandler.respond(
          context, Answer.failure(400, "BadRequest", "only WebSocket version 13 is served"), true);
      return;
    }
    RestHandler.becomeStream(context);
    ChannelPipeline pipeline = context.pipeline();
    Channel channel = context.channel();
    channel.config().setAutoRead(false);
    pipeline.remove("keepAlive");
    handshaker
        .handshake(channel, request)
        .addListener(
            done -> {
              if (done.isSuccess()) {
                pipeline.replace("rest", "streams", handler);
                pipeline.addBefore("streams", "tunnel", new Tunnel());
                pipeline.addBefore("streams", "spdy", new SpdyFrameCodec(SpdyVersion.SPDY_3_1));
                channel.config().setAutoRead(true);
              }
            });
  }

  /** Bytes of SPDY in and out of binary messages; where one ends means nothing. */
  private static final class Tunnel extends MessageToMessageCodec<WebSocketFrame, ByteBuf> {

    @Override
    protected void encode(ChannelHandlerContext context, ByteBuf bytes, List<Object> out) {
      out.add(new BinaryWebSocketFrame(bytes.retain()));
    }

    @Override
    protected void decode(ChannelHandlerContext context, WebSocketFrame frame, List<Object> out) {
      switch (frame) {
        case BinaryWebSocketFrame binary -> out.add(binary.content().retain());
        case ContinuationWebSocketFrame more -> out.add(more.content().retain());
        case PingWebSocketFrame ping -> {
          var _ = context.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
        }
        case CloseWebSocketFrame close ->
            context.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
        default -> {}
      }
    }
  }
}
