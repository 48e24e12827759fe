package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.syscall.ExecRequest;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynReplyFrame;
import io.netty.handler.codec.spdy.DefaultSpdyWindowUpdateFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrame;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyGoAwayFrame;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Exec over SPDY/3.1 with {@code v4.channel.k8s.io}, which kubectl before 1.30 speaks and later
 * ones fall back to: the client opens one stream for each of error, stdin, stdout, stderr and
 * resize, and waits for the reply to each.
 *
 * <p>The client's library (moby/spdystream) keeps no send windows, so neither are kept here; what
 * holds output back is the socket.
 */
final class SpdyExec extends SimpleChannelInboundHandler<SpdyFrame> implements ExecTransport {

  private static final String PROTOCOL = "v4.channel.k8s.io";
  private static final int LINGER_SECONDS = 5;
  private static final int STREAMS_SECONDS = 30;

  private final Channel channel;
  private final ActorRef<ExecStream.Message> session;
  private final InputWindow input;
  private final Set<String> awaited = new HashSet<>(Set.of("error", "stdout"));
  private final Map<String, Integer> streams = new HashMap<>();
  private boolean begun;

  private SpdyExec(Channel channel, ExecRequest exec, ActorRef<ExecStream.Message> session) {
    this.channel = channel;
    this.session = session;
    this.input = new InputWindow(channel);
    if (exec.stdin()) {
      awaited.add("stdin");
    }
    awaited.add(exec.tty() ? "resize" : "stderr");
  }

  /** Answers the upgrade; the session begins when the client has opened its streams. */
  static void upgrade(
      ChannelHandlerContext context,
      FullHttpRequest request,
      ExecRequest exec,
      ActorRef<ExecStream.Message> session) {
    SpdyUpgrade.upgrade(context, request, PROTOCOL, new SpdyExec(context.channel(), exec, session));
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    var _ =
        context
            .executor()
            .schedule(
                () -> {
                  if (!begun) {
                    var _ = context.close();
                  }
                },
                STREAMS_SECONDS,
                TimeUnit.SECONDS);
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, SpdyFrame frame) {
    switch (frame) {
      case SpdySynReplyFrame _ -> {}
      case SpdySynStreamFrame opened -> opened(context, opened);
      case SpdyDataFrame data -> data(context, data);
      case SpdyPingFrame ping -> {
        var _ = context.writeAndFlush(new DefaultSpdyPingFrame(ping.id()));
      }
      case SpdyGoAwayFrame _ -> {
        var _ = context.close();
      }
      default -> {}
    }
  }

  private void opened(ChannelHandlerContext context, SpdySynStreamFrame opened) {
    CharSequence type = opened.headers().get("streamtype");
    if (opened.isInvalid() || type == null || streams.containsKey(type.toString())) {
      var _ = context.close();
      return;
    }
    streams.put(type.toString(), opened.streamId());
    SpdySynReplyFrame reply = new DefaultSpdySynReplyFrame(opened.streamId());
    // Without any header Netty writes no header block at all, and the client waits for one.
    reply.headers().set("streamtype", type);
    var _ = context.writeAndFlush(reply);
    if (!begun && streams.keySet().containsAll(awaited)) {
      begun = true;
      input.close();
      session.tell(new ExecStream.Begin(this));
    }
  }

  private void data(ChannelHandlerContext context, SpdyDataFrame data) {
    byte[] bytes = ByteBufUtil.getBytes(data.content());
    if (bytes.length > 0) {
      var _ = context.write(new DefaultSpdyWindowUpdateFrame(data.streamId(), bytes.length));
      var _ = context.writeAndFlush(new DefaultSpdyWindowUpdateFrame(0, bytes.length));
    }
    if (is("stdin", data.streamId())) {
      if (bytes.length > 0) {
        input.received(bytes.length);
        session.tell(new ExecStream.Stdin(bytes));
      }
      if (data.isLast()) {
        session.tell(new ExecStream.StdinClosed());
      }
    } else if (is("resize", data.streamId()) && bytes.length > 0) {
      session.tell(new ExecStream.Resized(bytes));
    }
  }

  private int id(String type) {
    Integer id = streams.get(type);
    if (id == null) {
      throw new IllegalStateException("the session began without the stream " + type);
    }
    return id;
  }

  private boolean is(String type, int streamId) {
    Integer id = streams.get(type);
    return id != null && id == streamId;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    var _ = context.close();
  }

  // The methods of the transport are called from the session's thread; the pipeline's own state is
  // touched on the event loop only.

  @Override
  public void output(int stream, byte[] bytes, Runnable sent) {
    channel
        .eventLoop()
        .execute(
            () -> {
              // With a terminal there is one output.
              int id = stream == 2 && streams.containsKey("stderr") ? id("stderr") : id("stdout");
              channel
                  .writeAndFlush(new DefaultSpdyDataFrame(id, Unpooled.wrappedBuffer(bytes)))
                  .addListener(_ -> sent.run());
            });
  }

  @Override
  public void finish(ObjectNode status) {
    channel
        .eventLoop()
        .execute(
            () -> {
              var _ = channel.write(last(id("error"), Answer.bytes(status)));
              for (String type : new String[] {"stdout", "stderr"}) {
                Integer id = streams.get(type);
                if (id != null) {
                  var _ = channel.write(last(id, new byte[0]));
                }
              }
              channel.flush();
              input.discard();
              // The client says goodbye; one that does not is hung up on.
              var _ =
                  channel
                      .eventLoop()
                      .schedule(
                          () -> {
                            var _ = channel.close();
                          },
                          LINGER_SECONDS,
                          TimeUnit.SECONDS);
            });
  }

  private static SpdyDataFrame last(int streamId, byte[] bytes) {
    SpdyDataFrame frame = new DefaultSpdyDataFrame(streamId, Unpooled.wrappedBuffer(bytes));
    frame.setLast(true);
    return frame;
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
