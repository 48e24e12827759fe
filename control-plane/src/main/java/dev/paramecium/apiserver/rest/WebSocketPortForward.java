package dev.paramecium.apiserver.rest;

import dev.paramecium.kubelet.KubeletRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * {@code portforward} over WebSocket, {@code v4.channel.k8s.io}: one connection to each port that
 * the query names, in binary messages whose first byte is the channel. The first message of a
 * channel is the server's and holds the port, low byte first ({@code
 * kubelet/pkg/cri/streaming/portforward/websocket.go}). The WebSocket ends with the last of its
 * connections.
 *
 * <pre>
 *   channel 2N     data of the N-th port
 *   channel 2N+1   why it failed, if it did
 * </pre>
 */
final class WebSocketPortForward extends SimpleChannelInboundHandler<WebSocketFrame> {

  private static final String PROTOCOL = "v4.channel.k8s.io";
  private static final int MAX_FRAME = 1024 * 1024;

  /** So that a channel's number fits into its byte. */
  private static final int MAX_PORTS = 127;

  private final Channel channel;
  private final InputWindow input;

  /** One for each port, in the query's order. */
  private final List<Forwarded> connections = new ArrayList<>();

  private int open;

  /** A connection, and how many bytes for it wait on this side of the pod. */
  private static final class Forwarded {
    private final ActorRef<ForwardedConnection.Message> actor;
    private int waiting;
    private boolean ended;

    Forwarded(ActorRef<ForwardedConnection.Message> actor) {
      this.actor = actor;
    }
  }

  private WebSocketPortForward(Channel channel) {
    this.channel = channel;
    this.input = new InputWindow(channel);
  }

  /** Whether the client asks for this protocol, and not for SPDY in WebSocket messages. */
  static boolean isAsked(FullHttpRequest request) {
    return request
        .headers()
        .getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL)
        .toString()
        .contains(PROTOCOL);
  }

  /**
   * Answers the upgrade once the pod's node is found.
   *
   * @throws BadRequest if the query names no port, or one that is none
   */
  static void open(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      ApiPath pod)
      throws BadRequest {
    List<Integer> ports = ports(new Query(new QueryStringDecoder(request.uri()).parameters()));
    StreamUpgrade.whenFound(
        context,
        request,
        KubeletLookup.ofPod(services, pod.namespace(), pod.name()),
        kubelet -> upgrade(context, request, services, kubelet, pod, ports));
  }

  private static List<Integer> ports(Query query) throws BadRequest {
    List<Integer> ports = new ArrayList<>();
    for (String name : List.of("ports", "port")) {
      for (String value : query.all(name)) {
        for (String text : value.split(",", -1)) {
          if (!text.matches("[0-9]{1,5}") || port(text) < 1 || port(text) > 0xffff) {
            throw new BadRequest(
                400,
                "BadRequest",
                "query parameter \"" + name + "\": unable to parse \"" + text + "\" as a port");
          }
          ports.add(port(text));
        }
      }
    }
    if (ports.isEmpty() || ports.size() > MAX_PORTS) {
      throw new BadRequest(
          400,
          "BadRequest",
          "query parameter \"port\" is required: name 1 to " + MAX_PORTS + " ports to forward to");
    }
    return ports;
  }

  private static int port(String text) {
    return Integer.parseInt(text);
  }

  private static void upgrade(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      ActorRef<KubeletRequest> kubelet,
      ApiPath pod,
      List<Integer> ports) {
    WebSocketServerHandshaker handshaker =
        new WebSocketServerHandshakerFactory(request.uri(), PROTOCOL, false, MAX_FRAME)
            .newHandshaker(request);
    if (handshaker == null) {
      RestHandler.respond(
          context, Answer.failure(400, "BadRequest", "only WebSocket version 13 is served"), true);
      return;
    }
    RestHandler.becomeStream(context);
    Channel channel = context.channel();
    WebSocketPortForward forward = new WebSocketPortForward(channel);
    forward.input.close();
    context.pipeline().remove("keepAlive");
    context.pipeline().replace("rest", "streams", forward);
    context.pipeline().addBefore("streams", "frames", new WebSocketFrameAggregator(MAX_FRAME));
    handshaker
        .handshake(channel, request)
        .addListener(
            done -> {
              if (done.isSuccess()) {
                forward.connect(services, kubelet, pod, ports);
                forward.input.begin();
              }
            });
  }

  private void connect(
      RestServer.Services services,
      ActorRef<KubeletRequest> kubelet,
      ApiPath pod,
      List<Integer> ports) {
    open = ports.size();
    for (int i = 0; i < ports.size(); i++) {
      int number = i;
      int port = ports.get(i);
      byte[] announced = {(byte) port, (byte) (port >> 8)};
      var _ = write(channel, 2 * i, announced);
      var _ = write(channel, 2 * i + 1, announced);
      connections.add(
          new Forwarded(
              ForwardedConnection.spawn(
                  services.system(),
                  kubelet,
                  pod,
                  port,
                  new Streams(channel, number),
                  bytes -> channel.eventLoop().execute(() -> passedOn(number, bytes)),
                  () -> channel.eventLoop().execute(() -> ended(number)))));
    }
  }

  private static ChannelFuture write(Channel channel, int stream, byte[] bytes) {
    ByteBuf frame = Unpooled.buffer(bytes.length + 1);
    frame.writeByte(stream).writeBytes(bytes);
    return channel.writeAndFlush(new BinaryWebSocketFrame(frame));
  }

  /** The two channels of the connection to the N-th port. */
  private record Streams(Channel channel, int number) implements ForwardedStreams {

    @Override
    public void send(byte[] bytes, Runnable sent) {
      write(channel, 2 * number, bytes).addListener(_ -> sent.run());
    }

    @Override
    public void end(String message) {
      if (!message.isEmpty()) {
        var _ = write(channel, 2 * number + 1, message.getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  private void passedOn(int number, int bytes) {
    Forwarded connection = connections.get(number);
    if (!connection.ended) {
      connection.waiting -= bytes;
      input.passedOn(bytes);
    }
  }

  /** What still waits for the connection waits for nobody. */
  private void ended(int number) {
    Forwarded connection = connections.get(number);
    if (connection.ended) {
      return;
    }
    connection.ended = true;
    input.passedOn(connection.waiting);
    if (--open == 0) {
      input.discard();
      channel
          .writeAndFlush(new CloseWebSocketFrame(1000, ""))
          .addListener(ChannelFutureListener.CLOSE);
    }
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
    switch (frame) {
      case BinaryWebSocketFrame binary -> message(context, ByteBufUtil.getBytes(binary.content()));
      case PingWebSocketFrame ping -> {
        var _ = context.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
      }
      case CloseWebSocketFrame close ->
          context.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
      default -> {}
    }
  }

  private void message(ChannelHandlerContext context, byte[] message) {
    if (message.length == 0) {
      return;
    }
    int stream = message[0] & 0xff;
    if (stream % 2 != 0 || stream / 2 >= connections.size()) {
      var _ = context.close();
      return;
    }
    Forwarded connection = connections.get(stream / 2);
    if (message.length > 1 && !connection.ended) {
      byte[] bytes = Arrays.copyOfRange(message, 1, message.length);
      connection.waiting += bytes.length;
      input.received(bytes.length);
      connection.actor.tell(new ForwardedConnection.Upstream(bytes));
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    for (Forwarded connection : connections) {
      if (!connection.ended) {
        connection.actor.tell(new ForwardedConnection.Closed());
      }
    }
    context.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    var _ = context.close();
  }
}
