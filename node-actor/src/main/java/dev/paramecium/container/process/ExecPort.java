package dev.paramecium.container.process;

import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The address at which a client reaches its session: an actor of its own for each session, which
 * passes on what the client says, and SIGKILL when the client is gone.
 */
public final class ExecPort {

  private ExecPort() {}

  /**
   * A port for {@code client}; its owner stops it when the session ends.
   *
   * @param owner the actor that runs the session
   * @param wrap makes the owner's message of the client's
   */
  public static <T> Behavior<ExecInput> create(
      ActorRef<ExecOutput> client, ActorRef<T> owner, Function<ExecInput, T> wrap, T clientGone) {
    return Behaviors.setup(
        context -> {
          context.watch(client);
          return Behaviors.receive(ExecInput.class)
              .onAnyMessage(
                  input -> {
                    owner.tell(wrap.apply(input));
                    return Behaviors.same();
                  })
              .onSignal(
                  Terminated.class,
                  _ -> {
                    owner.tell(clientGone);
                    return Behaviors.same();
                  })
              .build();
        });
  }
}
