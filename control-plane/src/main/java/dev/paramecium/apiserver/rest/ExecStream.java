package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * An exec session over WebSocket, {@code v5.channel.k8s.io} or {@code v4}: binary messages whose
 * first byte is the channel.
 *
 * <pre>
 *   0 stdin   1 stdout   2 stderr   3 the final Status   4 resize {"Width":W,"Height":H}   255 closes the channel named next (v5)
 * </pre>
 */
final class ExecStream extends AbstractBehavior<ExecStream.Message> {

  private static final String PROTOCOLS = "v5.channel.k8s.io,v4.channel.k8s.io";
  private static final int MAX_FRAME = 1024 * 1024;
  private static final int STATUS = 3;
  private static final int RESIZE = 4;
  private static final int CLOSE = 255;
  private static final int SIGKILL = 9;

  /** What an exec session is told. */
  sealed interface Message {}

  private record Output(ExecOutput output) implements Message {}

  private record Input(byte[] message) implements Message {}

  private record Sent() implements Message {}

  private record Closed() implements Message {}

  private final Channel channel;
  private @Nullable ActorRef<ExecInput> process;

  static void openInPod(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      ApiPath path,
      RestHandler.Query query)
      throws BadRequest {
    ExecRequest exec = parse(query);
    open(
        context,
        request,
        services,
        KubeletLookup.ofPod(services, path.namespace(), path.name()),
        client ->
            new KubeletRequest.Exec(
                path.namespace(), path.name(), query.text("container"), exec, client));
  }

  static void openOnNode(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      String node,
      RestHandler.Query query)
      throws BadRequest {
    ExecRequest exec = parse(query);
    open(
        context,
        request,
        services,
        KubeletLookup.ofNode(services, node),
        client -> new KubeletRequest.HostExec(exec, client));
  }

  private static ExecRequest parse(RestHandler.Query query) throws BadRequest {
    List<String> command = query.all("command");
    if (command.isEmpty()) {
      throw new BadRequest(
          400, "BadRequest", "you must specify at least one command for the container");
    }
    return new ExecRequest("", command, query.flag("stdin"), query.flag("tty"));
  }

  private static void open(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      CompletionStage<KubeletLookup.Found> lookup,
      Function<ActorRef<ExecOutput>, KubeletRequest> start)
      throws BadRequest {
    if (!"websocket".equalsIgnoreCase(request.headers().get(HttpHeaderNames.UPGRADE))) {
      throw new BadRequest(
          400,
          "BadRequest",
          "exec needs a WebSocket: send Upgrade: websocket with Sec-WebSocket-Protocol"
              + " v5.channel.k8s.io or v4.channel.k8s.io");
    }
    request.retain();
    lookup.thenAccept(
        found ->
            context
                .channel()
                .eventLoop()
                .execute(
                    () -> {
                      try {
                        switch (found) {
                          case KubeletLookup.Found.Missing missing ->
                              RestHandler.respond(
                                  context, Answer.failure(missing.failure()), false);
                          case KubeletLookup.Found.Kubelet kubelet ->
                              upgrade(context, request, services, kubelet.ref(), start);
                        }
                      } finally {
                        request.release();
                      }
                    }));
  }

  private static void upgrade(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      ActorRef<KubeletRequest> kubelet,
      Function<ActorRef<ExecOutput>, KubeletRequest> start) {
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
    ActorRef<Message> session =
        services
            .system()
            .systemActorOf(
                Behaviors.setup(actor -> new ExecStream(actor, channel)),
                "exec-" + UUID.randomUUID(),
                Props.empty());
    channel.closeFuture().addListener(_ -> session.tell(new Closed()));
    context.pipeline().remove("keepAlive");
    context.pipeline().replace("rest", "exec", new Frames(session));
    context.pipeline().addBefore("exec", "frames", new WebSocketFrameAggregator(MAX_FRAME));
    handshaker
        .handshake(channel, request)
        .addListener(
            done -> {
              if (done.isSuccess()) {
                session.tell(new Begin(kubelet, start));
              }
            });
  }

  private record Begin(
      ActorRef<KubeletRequest> kubelet, Function<ActorRef<ExecOutput>, KubeletRequest> start)
      implements Message {}

  /** Netty's side: frames in. */
  private static final class Frames extends SimpleChannelInboundHandler<WebSocketFrame> {

    private final ActorRef<Message> session;

    Frames(ActorRef<Message> session) {
      this.session = session;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
      switch (frame) {
        case BinaryWebSocketFrame binary ->
            session.tell(new Input(ByteBufUtil.getBytes(binary.content())));
        case PingWebSocketFrame ping ->
            context.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
        case CloseWebSocketFrame close ->
            context.writeAndFlush(close.retain()).addListener(_ -> context.close());
        case ContinuationWebSocketFrame _ -> context.close();
        default -> {}
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }

  private ExecStream(ActorContext<Message> context, Channel channel) {
    super(context);
    this.channel = channel;
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Begin.class, this::begin)
        .onMessage(Output.class, message -> output(message.output()))
        .onMessage(Input.class, message -> input(message.message()))
        .onMessage(Sent.class, _ -> tell(new ExecInput.Ack(1)))
        .onMessage(Closed.class, _ -> closed())
        .onSignal(Terminated.class, _ -> fail("the node that ran the command is gone"))
        .build();
  }

  private Behavior<Message> begin(Begin begin) {
    getContext().watch(begin.kubelet());
    begin
        .kubelet()
        .tell(begin.start().apply(getContext().messageAdapter(ExecOutput.class, Output::new)));
    return this;
  }

  private Behavior<Message> output(ExecOutput output) {
    return switch (output) {
      case ExecOutput.Started started -> {
        process = started.input();
        yield this;
      }
      case ExecOutput.Data data -> {
        ActorRef<Message> self = getContext().getSelf();
        send(data.stream(), data.bytes(), () -> self.tell(new Sent()));
        yield this;
      }
      case ExecOutput.Exited exited -> end(exitStatus(exited.exitCode()));
      case ExecOutput.Refused refused ->
          end(Answer.status(500, "InternalError", "Internal error occurred: " + refused.message()));
    };
  }

  private static ObjectNode exitStatus(int exitCode) {
    ObjectNode status = Answer.JSON.createObjectNode();
    status.putObject("metadata");
    if (exitCode == 0) {
      return status.put("status", "Success");
    }
    status
        .put("status", "Failure")
        .put("message", "command terminated with non-zero exit code: exit status " + exitCode)
        .put("reason", "NonZeroExitCode");
    status
        .putObject("details")
        .putArray("causes")
        .addObject()
        .put("reason", "ExitCode")
        .put("message", Integer.toString(exitCode));
    return status;
  }

  private void send(int stream, byte[] bytes, Runnable sent) {
    ByteBuf frame = Unpooled.buffer(bytes.length + 1);
    frame.writeByte(stream).writeBytes(bytes);
    channel.writeAndFlush(new BinaryWebSocketFrame(frame)).addListener(_ -> sent.run());
  }

  private Behavior<Message> end(ObjectNode status) {
    send(STATUS, Answer.bytes(status), () -> {});
    channel.writeAndFlush(new CloseWebSocketFrame(1000, "")).addListener(_ -> channel.close());
    return Behaviors.stopped();
  }

  private Behavior<Message> fail(String message) {
    return end(Answer.status(500, "InternalError", message));
  }

  private Behavior<Message> input(byte[] message) {
    if (message.length == 0) {
      return this;
    }
    byte[] rest = java.util.Arrays.copyOfRange(message, 1, message.length);
    switch (message[0] & 0xff) {
      case 0 -> tell(new ExecInput.Stdin(rest));
      case RESIZE -> resize(rest);
      case CLOSE -> tell(new ExecInput.CloseStdin());
      default -> {}
    }
    return this;
  }

  private void resize(byte[] json) {
    try {
      JsonNode size =
          Answer.JSON.readTree(new String(json, java.nio.charset.StandardCharsets.UTF_8));
      tell(new ExecInput.Resize(size.path("Width").asInt(), size.path("Height").asInt()));
    } catch (JsonProcessingException e) {
      getContext().getLog().debug("a resize message that is not JSON is ignored");
    }
  }

  private Behavior<Message> tell(ExecInput input) {
    if (process != null) {
      process.tell(input);
    }
    return this;
  }

  private Behavior<Message> closed() {
    tell(new ExecInput.Signal(SIGKILL));
    return Behaviors.stopped();
  }
}
