package dev.paramecium.apiserver.rest;

import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.function.IntConsumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * One TCP connection that port-forward carries: between the client's streams and the process that
 * connected to the port from inside the pod's namespace.
 */
final class ForwardedConnection extends AbstractBehavior<ForwardedConnection.Message> {

  private static final int SIGKILL = 9;
  private static final int STDERR = 2;
  private static final int MAX_ERROR_TEXT = 4096;

  /** What a forwarded connection is told. */
  sealed interface Message {}

  /** Bytes from the client. */
  record Upstream(byte[] bytes) implements Message {}

  /** The client has closed its half. */
  record UpstreamEnded() implements Message {}

  /** The client has given up. */
  record Closed() implements Message {}

  private record Output(ExecOutput output) implements Message {}

  private record Sent() implements Message {}

  private final ApiPath pod;
  private final int port;
  private final ForwardedStreams streams;
  private final Runnable ended;
  private final InputQueue input;
  private final StringBuilder errors = new StringBuilder();
  private boolean given;

  static ActorRef<Message> spawn(
      ActorSystem<?> system,
      ActorRef<KubeletRequest> kubelet,
      ApiPath pod,
      int port,
      ForwardedStreams streams,
      IntConsumer passedOn,
      Runnable ended) {
    return system.systemActorOf(
        Behaviors.setup(
            context ->
                new ForwardedConnection(context, kubelet, pod, port, streams, passedOn, ended)),
        "port-forward-" + UUID.randomUUID(),
        Props.empty());
  }

  private ForwardedConnection(
      ActorContext<Message> context,
      ActorRef<KubeletRequest> kubelet,
      ApiPath pod,
      int port,
      ForwardedStreams streams,
      IntConsumer passedOn,
      Runnable ended) {
    super(context);
    this.pod = pod;
    this.port = port;
    this.streams = streams;
    this.input = new InputQueue(passedOn);
    this.ended = ended;
    context.watch(kubelet);
    kubelet.tell(
        new KubeletRequest.ForwardPort(
            pod.namespace(),
            pod.name(),
            port,
            context.messageAdapter(ExecOutput.class, Output::new)));
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Output.class, message -> output(message.output()))
        .onMessage(Upstream.class, this::upstream)
        .onMessage(UpstreamEnded.class, _ -> upstreamEnded())
        .onMessage(Sent.class, _ -> tell(new ExecInput.Ack(1)))
        .onMessage(Closed.class, _ -> closed())
        .onSignal(Terminated.class, _ -> end("the pod's node is gone"))
        .onSignal(PostStop.class, _ -> stopped())
        .build();
  }

  private Behavior<Message> output(ExecOutput output) {
    switch (output) {
      case ExecOutput.Started started -> {
        input.connect(started.input());
        if (given) {
          return closed();
        }
      }
      case ExecOutput.Ack(int messages) -> input.acknowledged(messages);
      case ExecOutput.Data data when data.stream() == STDERR -> {
        if (errors.length() < MAX_ERROR_TEXT) {
          errors.append(new String(data.bytes(), StandardCharsets.UTF_8));
        }
        return tell(new ExecInput.Ack(1));
      }
      case ExecOutput.Data data -> {
        ActorRef<Message> self = getContext().getSelf();
        streams.send(data.bytes(), () -> self.tell(new Sent()));
      }
      case ExecOutput.Exited(int code) -> {
        return end(code == 0 ? "" : "exit status " + code + ": " + errors.toString().strip());
      }
      case ExecOutput.Refused refused -> {
        return end(refused.message());
      }
    }
    return this;
  }

  private Behavior<Message> upstream(Upstream upstream) {
    input.stdin(upstream.bytes());
    return this;
  }

  private Behavior<Message> upstreamEnded() {
    input.closeStdin();
    return this;
  }

  private Behavior<Message> tell(ExecInput told) {
    input.tell(told);
    return this;
  }

  private Behavior<Message> end(String failure) {
    streams.end(
        failure.isEmpty()
            ? ""
            : "error forwarding port " + port + " to pod " + pod.name() + ", uid : " + failure);
    return Behaviors.stopped();
  }

  /** A process that is still on its way up is ended as soon as it has said where it is. */
  private Behavior<Message> closed() {
    given = true;
    if (!input.isConnected()) {
      return this;
    }
    input.tell(new ExecInput.Signal(SIGKILL));
    return Behaviors.stopped();
  }

  private Behavior<Message> stopped() {
    ended.run();
    return this;
  }
}
