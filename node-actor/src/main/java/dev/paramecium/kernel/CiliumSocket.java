package dev.paramecium.kernel;

import dev.paramecium.inspect.AgentSocket;
import dev.paramecium.syscall.AgentCall;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/** The agent's socket: the actor that listens on it, as long as it lives. */
final class CiliumSocket implements AgentSocket {

  /** How long Cilium's clients wait ({@code pkg/client}). */
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final Scheduler scheduler;
  private volatile @Nullable ActorRef<AgentCall> listener;

  CiliumSocket(Scheduler scheduler) {
    this.scheduler = scheduler;
  }

  void listen(ActorRef<AgentCall> agent) {
    listener = agent;
  }

  /** An actor ended; the one that listens is another if the agent has started anew. */
  void ended(ActorRef<?> actor) {
    if (actor.equals(listener)) {
      listener = null;
    }
  }

  @Override
  public @Nullable CompletionStage<AgentCall.Reply> call(List<String> argv) {
    ActorRef<AgentCall> agent = listener;
    return agent == null
        ? null
        : AskPattern.ask(agent, replyTo -> new AgentCall(argv, replyTo), TIMEOUT, scheduler);
  }
}
