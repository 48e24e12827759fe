package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import java.util.Arrays;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Exec over WebSocket, {@code v5.channel.k8s.io} or {@code v4}: binary messages whose first byte is
 * the channel.
 *
 * <pre>
 *   0 stdin   1 stdout   2 stderr   3 the final Status   4 resize {"Width":W,"Height":H}   255 closes the channel named next (v5)
 * </pre>
 */
final class WebSocketExec extends SimpleChannelInboundHandler<WebSocketFrame>
    implements ExecTransport {

  private static final String PROTOCOLS = "v5.channel.k8s.io,v4.channel.k8s.io";
  private static final int MAX_FRAME = 1024 * 1024;
  private static final int STDIN = 0;
  private static final int STATUS = 3;
  private static final int RESIZE = 4;
  private static final int CLOSE = 255;

  private final Channel channel;
  private final ActorRef<ExecStream.Message> session;
  private final InputWindow input;

  private WebSocketExec(Channel channel, ActorRef<ExecStream.Message> session) {
    this.channel = channel;
    this.session = session;
    this.input = new InputWindow(channel);
  }

  /** Answers the handshake and begins the session; on the connection's event loop. */
  static void upgrade(
      ChannelHandlerContext context,
      FullHttpRequest request,
      ActorRef<ExecStream.Message> session) {
    WebSocketServerHandshaker handshaker =
        new WebSocketServerHandshakerFactory(request.uri(), PROTOCOLS, false, MAX_FRAME)
            .newHandshaker(request);
    if (handshaker == null) {
      RestHandler.respond(
          context, Answer.failure(400, "BadRequest", "only WebSocket version 13 is served"), true);
      return;
    }
    RestHandler.becomeStream(context);
    Channel channel = context.channel();
    WebSocketExec transport = new WebSocketExec(channel, session);
    transport.input.close();
    context.pipeline().remove("keepAlive");
    context.pipeline().replace("rest", "exec", transport);
    context.pipeline().addBefore("exec", "frames", new WebSocketFrameAggregator(MAX_FRAME));
    handshaker
        .handshake(channel, request)
        .addListener(
            done -> {
              if (done.isSuccess()) {
                session.tell(new ExecStream.Begin(transport));
              }
            });
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
    switch (frame) {
      case BinaryWebSocketFrame binary -> message(ByteBufUtil.getBytes(binary.content()));
      case TextWebSocketFrame text -> message(ByteBufUtil.getBytes(text.content()));
      case PingWebSocketFrame ping -> {
        var _ = context.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
      }
      case CloseWebSocketFrame close ->
          context.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
      case ContinuationWebSocketFrame _ -> {
        var _ = context.close();
      }
      default -> {}
    }
  }

  private void message(byte[] message) {
    if (message.length == 0) {
      return;
    }
    byte[] rest = Arrays.copyOfRange(message, 1, message.length);
    switch (message[0] & 0xff) {
      case STDIN -> {
        input.received(rest.length);
        session.tell(new ExecStream.Stdin(rest));
      }
      case RESIZE -> session.tell(new ExecStream.Resized(rest));
      case CLOSE -> {
        if (rest.length == 1 && rest[0] == STDIN) {
          session.tell(new ExecStream.StdinClosed());
        }
      }
      default -> {}
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    var _ = context.close();
  }

  @Override
  public void output(int stream, byte[] bytes, Runnable sent) {
    ByteBuf frame = Unpooled.buffer(bytes.length + 1);
    frame.writeByte(stream).writeBytes(bytes);
    channel.writeAndFlush(new BinaryWebSocketFrame(frame)).addListener(_ -> sent.run());
  }

  @Override
  public void finish(ObjectNode status) {
    input.discard();
    output(STATUS, Answer.bytes(status), () -> {});
    channel
        .writeAndFlush(new CloseWebSocketFrame(1000, ""))
        .addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void begin() {
    input.begin();
  }

  @Override
  public void passedOn(int bytes) {
    input.passedOn(bytes);
  }
}
