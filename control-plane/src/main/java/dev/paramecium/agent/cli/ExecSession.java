package dev.paramecium.agent.cli;

import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * Brings one command's output to its client, no faster than the client takes it ({@link
 * ExecOutput#WINDOW}). It ends with the output, with a signal, or with the client.
 */
public final class ExecSession extends AbstractBehavior<ExecSession.Command> {

  private static final int CHUNK = 64 * 1024;

  /** What the session can be told. */
  public sealed interface Command {}

  private record Input(ExecInput input) implements Command {}

  private record Ready(@Nullable CommandOutput output, String error) implements Command {}

  private record ClientGone() implements Command {}

  private final ActorRef<ExecOutput> client;
  private final Deque<ExecOutput.Data> chunks = new ArrayDeque<>();
  private int credit = ExecOutput.WINDOW;
  private int exitCode = -1;

  /** Tells {@code client} that the command runs, and later what it printed. */
  public static Behavior<Command> create(
      CompletionStage<CommandOutput> output, ActorRef<ExecOutput> client) {
    return Behaviors.setup(context -> new ExecSession(context, output, client));
  }

  private ExecSession(
      ActorContext<Command> context,
      CompletionStage<CommandOutput> output,
      ActorRef<ExecOutput> client) {
    super(context);
    this.client = client;
    context.watchWith(client, new ClientGone());
    client.tell(new ExecOutput.Started(context.messageAdapter(ExecInput.class, Input::new)));
    context.pipeToSelf(
        output,
        (done, failure) ->
            failure == null
                ? new Ready(done, "")
                : new Ready(null, String.valueOf(failure.getMessage())));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    return switch (command) {
      case Ready ready -> onReady(ready);
      case Input(ExecInput input) -> onInput(input);
      case ClientGone _ -> Behaviors.stopped();
    };
  }

  private Behavior<Command> onReady(Ready ready) {
    CommandOutput output =
        ready.output() != null ? ready.output() : CommandOutput.error(ready.error());
    cut(1, output.stdout());
    cut(2, output.stderr());
    exitCode = output.exitCode();
    return send();
  }

  private void cut(int stream, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (int at = 0; at < bytes.length; at += CHUNK) {
      chunks.add(
          new ExecOutput.Data(
              stream, Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + CHUNK))));
    }
  }

  private Behavior<Command> onInput(ExecInput input) {
    return switch (input) {
      case ExecInput.Ack ack -> {
        credit += ack.messages();
        yield send();
      }
      case ExecInput.Signal signal -> {
        client.tell(new ExecOutput.Exited(128 + signal.number()));
        yield Behaviors.stopped();
      }
      case ExecInput.Stdin _ -> {
        client.tell(new ExecOutput.Ack(1)); // no command of the agent reads
        yield this;
      }
      case ExecInput.CloseStdin _, ExecInput.Resize _ -> this;
    };
  }

  private Behavior<Command> send() {
    if (exitCode < 0) {
      return this;
    }
    while (credit > 0 && !chunks.isEmpty()) {
      client.tell(chunks.remove());
      credit--;
    }
    if (!chunks.isEmpty()) {
      return this;
    }
    client.tell(new ExecOutput.Exited(exitCode));
    return Behaviors.stopped();
  }
}
