package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpRequest;
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
 * An exec or attach session between a client's connection and the process on its node.
 *
 * <pre>
 *   kubectl  --WebSocketExec or SpdyExec-->  ExecStream  --ExecInput-->   process
 *            <--ExecTransport--                          <--ExecOutput--
 * </pre>
 *
 * Output is acknowledged to the process when the socket has taken it, so a slow client is a full
 * pipe. Input goes on as the process reads it; while more waits than a little, or the process does
 * not run yet, the connection is not read, so a slow process is a full pipe as well.
 */
final class ExecStream extends AbstractBehavior<ExecStream.Message> {

  private static final int SIGKILL = 9;

  /** What an exec session is told. */
  sealed interface Message {}

  /** The connection is ready: the command can be started. */
  record Begin(ExecTransport transport) implements Message {}

  /** Bytes for stdin. */
  record Stdin(byte[] bytes) implements Message {}

  /** The client has closed its side of stdin. */
  record StdinClosed() implements Message {}

  /** The terminal's size as {@code {"Width":W,"Height":H}}. */
  record Resized(byte[] json) implements Message {}

  /** The connection is gone. */
  record Closed() implements Message {}

  private record Output(ExecOutput output) implements Message {}

  private record Sent() implements Message {}

  private final ActorRef<KubeletRequest> kubelet;
  private final boolean attached;
  private final Function<ActorRef<ExecOutput>, KubeletRequest> start;
  private final InputQueue input = new InputQueue(bytes -> transport().passedOn(bytes));
  private @Nullable ExecTransport transport;

  static void openInPod(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      ApiPath path,
      Query query)
      throws BadRequest {
    ExecRequest exec = parse(query);
    open(
        context,
        request,
        services,
        exec,
        KubeletLookup.ofContainer(services, path.namespace(), path.name(), query.text("container")),
        client ->
            new KubeletRequest.Exec(
                path.namespace(), path.name(), query.text("container"), exec, client));
  }

  /** Joins a container's main process; leaving it, it goes on. */
  static void attach(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      ApiPath path,
      Query query)
      throws BadRequest {
    String container = query.text("container");
    open(
        context,
        request,
        services,
        new ExecRequest("", List.of(), query.flag("stdin"), query.flag("tty")),
        KubeletLookup.ofContainer(services, path.namespace(), path.name(), container),
        client -> new KubeletRequest.Attach(path.namespace(), path.name(), container, client));
  }

  static void openOnNode(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      String node,
      Query query)
      throws BadRequest {
    ExecRequest exec = parse(query);
    open(
        context,
        request,
        services,
        exec,
        KubeletLookup.ofNode(services, node),
        client -> new KubeletRequest.HostExec(exec, client));
  }

  static void openInWorld(
      ChannelHandlerContext context,
      FullHttpRequest request,
      RestServer.Services services,
      String host,
      Query query)
      throws BadRequest {
    ExecRequest exec = parse(query);
    open(
        context,
        request,
        services,
        exec,
        KubeletLookup.ofWorld(services, host),
        client -> new KubeletRequest.HostExec(exec, client));
  }

  private static ExecRequest parse(Query query) throws BadRequest {
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
      ExecRequest exec,
      CompletionStage<KubeletLookup.Found> lookup,
      Function<ActorRef<ExecOutput>, KubeletRequest> start)
      throws BadRequest {
    String upgrade =
        StreamUpgrade.asked(
            request,
            "exec and attach are served over WebSocket (v5.channel.k8s.io, v4.channel.k8s.io) and"
                + " SPDY/3.1");
    StreamUpgrade.whenFound(
        context,
        request,
        lookup,
        kubelet -> {
          ActorRef<Message> session = spawn(services, kubelet, exec, start);
          context.channel().closeFuture().addListener(_ -> session.tell(new Closed()));
          if (upgrade.equals("websocket")) {
            WebSocketExec.upgrade(context, request, session);
          } else {
            SpdyExec.upgrade(context, request, exec, session);
          }
        });
  }

  private static ActorRef<Message> spawn(
      RestServer.Services services,
      ActorRef<KubeletRequest> kubelet,
      ExecRequest exec,
      Function<ActorRef<ExecOutput>, KubeletRequest> start) {
    boolean attached = exec.argv().isEmpty();
    return services
        .system()
        .systemActorOf(
            Behaviors.setup(actor -> new ExecStream(actor, kubelet, attached, start)),
            "exec-" + UUID.randomUUID(),
            Props.empty());
  }

  private ExecStream(
      ActorContext<Message> context,
      ActorRef<KubeletRequest> kubelet,
      boolean attached,
      Function<ActorRef<ExecOutput>, KubeletRequest> start) {
    super(context);
    this.kubelet = kubelet;
    this.attached = attached;
    this.start = start;
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Begin.class, this::begin)
        .onMessage(Output.class, message -> output(message.output()))
        .onMessage(Stdin.class, this::stdin)
        .onMessage(StdinClosed.class, _ -> stdinClosed())
        .onMessage(Resized.class, this::resize)
        .onMessage(Sent.class, _ -> tell(new ExecInput.Ack(1)))
        .onMessage(Closed.class, _ -> closed())
        .onSignal(Terminated.class, _ -> fail("the node that ran the command is gone"))
        .build();
  }

  private Behavior<Message> begin(Begin begin) {
    transport = begin.transport();
    getContext().watch(kubelet);
    kubelet.tell(start.apply(getContext().messageAdapter(ExecOutput.class, Output::new)));
    return this;
  }

  private Behavior<Message> output(ExecOutput output) {
    return switch (output) {
      case ExecOutput.Started started -> {
        input.connect(started.input());
        transport().begin();
        yield this;
      }
      case ExecOutput.Data data -> {
        ActorRef<Message> self = getContext().getSelf();
        transport().output(data.stream(), data.bytes(), () -> self.tell(new Sent()));
        yield this;
      }
      case ExecOutput.Ack ack -> {
        input.acknowledged(ack.messages());
        yield this;
      }
      // How a container ended is in its pod's status; the attach itself has succeeded.
      case ExecOutput.Exited exited -> end(exitStatus(attached ? 0 : exited.exitCode()));
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

  private Behavior<Message> end(ObjectNode status) {
    transport().finish(status);
    return Behaviors.stopped();
  }

  private Behavior<Message> fail(String message) {
    return end(Answer.status(500, "InternalError", message));
  }

  private ExecTransport transport() {
    if (transport == null) {
      throw new IllegalStateException("output before the session began");
    }
    return transport;
  }

  private Behavior<Message> resize(Resized resized) {
    try {
      JsonNode size =
          Answer.JSON.readTree(new String(resized.json(), java.nio.charset.StandardCharsets.UTF_8));
      tell(new ExecInput.Resize(size.path("Width").asInt(), size.path("Height").asInt()));
    } catch (JsonProcessingException e) {
      getContext().getLog().debug("a resize message that is not JSON is ignored");
    }
    return this;
  }

  private Behavior<Message> stdin(Stdin stdin) {
    input.stdin(stdin.bytes());
    return this;
  }

  private Behavior<Message> stdinClosed() {
    input.closeStdin();
    return this;
  }

  private Behavior<Message> tell(ExecInput told) {
    input.tell(told);
    return this;
  }

  private Behavior<Message> closed() {
    if (!input.isConnected() && transport != null) {
      // The process may be on its way up: it is killed as soon as it has said where.
      return Behaviors.receive(Message.class)
          .onMessage(
              Output.class,
              message -> {
                if (message.output() instanceof ExecOutput.Started started) {
                  started.input().tell(new ExecInput.Signal(SIGKILL));
                }
                return Behaviors.stopped();
              })
          .onAnyMessage(_ -> Behaviors.same())
          .build();
    }
    tell(new ExecInput.Signal(SIGKILL));
    return Behaviors.stopped();
  }
}
