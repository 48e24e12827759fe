package dev.paramecium.apiserver.rest;

import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.LogRequest;
import io.netty.channel.ChannelHandlerContext;
import java.util.UUID;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/** {@code GET pods/NAME/log}: the container's log as it comes from the kubelet. */
final class LogStream extends AbstractBehavior<LogStream.Message> {

  private static final int SIGKILL = 9;

  /** What a log stream is told. */
  sealed interface Message {}

  private record Output(ExecOutput output) implements Message {}

  private record Sent() implements Message {}

  private record Closed() implements Message {}

  private final ChannelHandlerContext channel;
  private @Nullable ChunkedBody body;
  private @Nullable ActorRef<ExecInput> source;

  /**
   * Starts the stream.
   *
   * @throws BadRequest if a parameter cannot be read
   */
  static void open(
      ChannelHandlerContext context, RestServer.Services services, ApiPath path, Query query)
      throws BadRequest {
    long sinceSeconds = query.number("sinceSeconds", 0);
    if (!query.text("sinceSeconds").isEmpty() && sinceSeconds < 1) {
      throw invalid(path.name(), "sinceSeconds", sinceSeconds, "must be greater than 0");
    }
    long tailLines = query.number("tailLines", -1);
    if (!query.text("tailLines").isEmpty() && tailLines < 0) {
      throw invalid(path.name(), "tailLines", tailLines, "must be greater than or equal to 0");
    }
    long since =
        sinceSeconds == 0
            ? 0
            : services.clock().instant().minusSeconds(sinceSeconds).toEpochMilli();
    LogRequest request =
        new LogRequest(
            "",
            query.flag("follow"),
            (int) Math.min(tailLines, Integer.MAX_VALUE),
            since,
            query.flag("timestamps"));
    KubeletLookup.ofContainer(services, path.namespace(), path.name(), query.text("container"))
        .thenAccept(
            found -> {
              switch (found) {
                case KubeletLookup.Found.Missing missing ->
                    RestHandler.respond(context, Answer.failure(missing.failure()), false);
                case KubeletLookup.Found.Kubelet kubelet -> {
                  ActorRef<Message> stream =
                      services
                          .system()
                          .systemActorOf(
                              Behaviors.setup(
                                  actor ->
                                      new LogStream(
                                          actor,
                                          context,
                                          kubelet.ref(),
                                          path,
                                          query.text("container"),
                                          request)),
                              "log-" + UUID.randomUUID(),
                              Props.empty());
                  context.channel().closeFuture().addListener(_ -> stream.tell(new Closed()));
                }
              }
            });
  }

  /** {@code ValidatePodLogOptions} in {@code pkg/apis/core/validation}. */
  private static BadRequest invalid(String pod, String option, long value, String rule) {
    return new BadRequest(
        422,
        "Invalid",
        "PodLogOptions \"%s\" is invalid: %s: Invalid value: %d: %s"
            .formatted(pod, option, value, rule));
  }

  private LogStream(
      ActorContext<Message> context,
      ChannelHandlerContext channel,
      ActorRef<KubeletRequest> kubelet,
      ApiPath path,
      String container,
      LogRequest request) {
    super(context);
    this.channel = channel;
    ActorRef<ExecOutput> output = context.messageAdapter(ExecOutput.class, Output::new);
    kubelet.tell(
        new KubeletRequest.ReadLog(path.namespace(), path.name(), container, request, output));
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Output.class, message -> output(message.output()))
        .onMessage(Sent.class, _ -> acknowledge())
        .onMessage(Closed.class, _ -> closed())
        .onSignal(Terminated.class, _ -> end())
        .build();
  }

  private Behavior<Message> output(ExecOutput output) {
    switch (output) {
      case ExecOutput.Started started -> {
        source = started.input();
        getContext().watch(started.input());
        body();
      }
      case ExecOutput.Data data -> {
        ActorRef<Message> self = getContext().getSelf();
        body().send(data.bytes(), () -> self.tell(new Sent()));
      }
      case ExecOutput.Ack _ -> {}
      case ExecOutput.Exited _ -> {
        return end();
      }
      case ExecOutput.Refused refused -> {
        RestHandler.respond(channel, Answer.failure(400, "BadRequest", refused.message()), false);
        return Behaviors.stopped();
      }
    }
    return this;
  }

  private ChunkedBody body() {
    if (body == null) {
      body = ChunkedBody.start(channel, "text/plain");
    }
    return body;
  }

  private Behavior<Message> acknowledge() {
    if (source != null) {
      source.tell(new ExecInput.Ack(1));
    }
    return this;
  }

  private Behavior<Message> closed() {
    if (source != null) {
      source.tell(new ExecInput.Signal(SIGKILL));
    }
    return Behaviors.stopped();
  }

  private Behavior<Message> end() {
    body().end();
    return Behaviors.stopped();
  }
}
