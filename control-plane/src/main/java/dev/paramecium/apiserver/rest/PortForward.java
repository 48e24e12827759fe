package dev.paramecium.apiserver.rest;

import dev.paramecium.kubelet.KubeletRequest;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynReplyFrame;
import io.netty.handler.codec.spdy.DefaultSpdyWindowUpdateFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrame;
import io.netty.handler.codec.spdy.SpdyGoAwayFrame;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import io.netty.handler.codec.spdy.SpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * {@code portforward}: many TCP connections to one pod over one SPDY connection. Each has two
 * streams with the same {@code requestid}: {@code error}, which the client closes at once, and
 * {@code data}. What is said on the error stream ends the connection ({@code
 * kubelet/pkg/cri/streaming/portforward}).
 *
 * <pre>
 *   kubectl  --SPDY, or SPDY in WebSocket messages-->  PortForward  --ForwardedConnection-->  kubelet
 *                                                           |-------ForwardedConnection-->  kubelet
 * </pre>
 */
final class PortForward extends SimpleChannelInboundHandler<SpdyFrame> {

  /** What the client opens at once before one of them is served. */
  private static final int MAX_CONNECTIONS = 1024;

  private final Channel channel;
  private final InputWindow input;
  private final RestServer.Services services;
  private final ActorRef<KubeletRequest> kubelet;
  private final ApiPath pod;

  /** Error streams that still wait for their data stream, by request id. */
  private final Map<String, Integer> errorStreams = new HashMap<>();

  /** By data stream. */
  private final Map<Integer, Forwarded> connections = new HashMap<>();

  /** A connection, and how many bytes for it wait on this side of the pod. */
  private static final class Forwarded {
    private final ActorRef<ForwardedConnection.Message> actor;
    private int waiting;

    Forwarded(ActorRef<ForwardedConnection.Message> actor) {
      this.actor = actor;
    }
  }

  private PortForward(
      Channel channel,
      RestServer.Services services,
      ActorRef<KubeletRequest> kubelet,
      ApiPath pod) {
    this.channel = channel;
    this.input = new InputWindow(channel);
    this.services = services;
    this.kubelet = kubelet;
    this.pod = pod;
  }

  /**
   * Answers the upgrade once the pod's node is found.
   *
   * @throws BadRequest if the client asks for neither of the two upgrades
   */
  static void open(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      ApiPath path)
      throws BadRequest {
    var _ =
        StreamUpgrade.asked(
            request,
            "port-forward is served over SPDY/3.1, bare or in WebSocket messages"
                + " (SPDY/3.1+portforward.k8s.io), and over WebSocket (v4.channel.k8s.io)");
    if (WebSocketPortForward.isAsked(request)) {
      WebSocketPortForward.open(context, request, services, path);
      return;
    }
    StreamUpgrade.whenFound(
        context,
        request,
        KubeletLookup.ofPod(services, path.namespace(), path.name()),
        kubelet ->
            SpdyUpgrade.upgrade(
                context,
                request,
                "portforward.k8s.io",
                new PortForward(context.channel(), services, kubelet, path)));
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, SpdyFrame frame) {
    switch (frame) {
      case SpdySynStreamFrame opened -> opened(context, opened);
      case SpdyDataFrame data -> data(context, data);
      case SpdyRstStreamFrame reset -> reset(reset.streamId());
      case SpdyPingFrame ping -> {
        var _ = context.writeAndFlush(new DefaultSpdyPingFrame(ping.id()));
      }
      case SpdyGoAwayFrame _ -> {
        var _ = context.close();
      }
      case SpdySynReplyFrame _ -> {}
      default -> {}
    }
  }

  private void opened(ChannelHandlerContext context, SpdySynStreamFrame opened) {
    String type = text(opened, "streamtype");
    String request = text(opened, "requestid");
    int port = port(text(opened, "port"));
    Integer error = type.equals("data") ? errorStreams.remove(request) : null;
    boolean refused =
        opened.isInvalid()
            || request.isEmpty()
            || port < 0
            || !(type.equals("error") ? !errorStreams.containsKey(request) : error != null)
            || errorStreams.size() + connections.size() >= MAX_CONNECTIONS;
    if (refused) {
      var _ =
          context.writeAndFlush(
              new DefaultSpdyRstStreamFrame(opened.streamId(), SpdyStreamStatus.REFUSED_STREAM));
      return;
    }
    SpdySynReplyFrame reply = new DefaultSpdySynReplyFrame(opened.streamId());
    // Without any header Netty writes no header block at all, and the client waits for one.
    reply.headers().set("streamtype", type);
    var _ = context.writeAndFlush(reply);
    if (error == null) {
      errorStreams.put(request, opened.streamId());
    } else {
      connect(opened.streamId(), error, port);
    }
  }

  private void connect(int dataStream, int errorStream, int port) {
    SpdyForwardedStreams streams = new SpdyForwardedStreams(channel, dataStream, errorStream);
    connections.put(
        dataStream,
        new Forwarded(
            ForwardedConnection.spawn(
                services.system(),
                kubelet,
                pod,
                port,
                streams,
                bytes -> channel.eventLoop().execute(() -> passedOn(dataStream, bytes)),
                () -> channel.eventLoop().execute(() -> forget(dataStream)))));
  }

  private void passedOn(int dataStream, int bytes) {
    Forwarded connection = connections.get(dataStream);
    if (connection != null) {
      connection.waiting -= bytes;
      input.passedOn(bytes);
    }
  }

  /** What still waits for the connection waits for nobody. */
  private @Nullable Forwarded forget(int dataStream) {
    Forwarded connection = connections.remove(dataStream);
    if (connection != null) {
      input.passedOn(connection.waiting);
    }
    return connection;
  }

  private void data(ChannelHandlerContext context, SpdyDataFrame data) {
    byte[] bytes = ByteBufUtil.getBytes(data.content());
    if (bytes.length > 0) {
      var _ = context.write(new DefaultSpdyWindowUpdateFrame(data.streamId(), bytes.length));
      var _ = context.writeAndFlush(new DefaultSpdyWindowUpdateFrame(0, bytes.length));
    }
    Forwarded connection = connections.get(data.streamId());
    if (connection == null) {
      return;
    }
    if (bytes.length > 0) {
      connection.waiting += bytes.length;
      input.received(bytes.length);
      connection.actor.tell(new ForwardedConnection.Upstream(bytes));
    }
    if (data.isLast()) {
      connection.actor.tell(new ForwardedConnection.UpstreamEnded());
    }
  }

  private void reset(int stream) {
    Forwarded connection = forget(stream);
    if (connection != null) {
      connection.actor.tell(new ForwardedConnection.Closed());
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    connections
        .values()
        .forEach(connection -> connection.actor.tell(new ForwardedConnection.Closed()));
    connections.clear();
    context.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    var _ = context.close();
  }

  private static String text(SpdySynStreamFrame opened, String header) {
    @Nullable CharSequence value = opened.headers().get(header);
    return value == null ? "" : value.toString();
  }

  private static int port(String text) {
    return text.matches("[0-9]{1,5}") && Integer.parseInt(text) <= 0xffff
        ? Integer.parseInt(text)
        : -1;
  }
}
