package dev.paramecium.chaos;

import dev.paramecium.agent.CiliumAgent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * NodeChaos of the node's cilium-agent: it ends at once and is started again by its supervisor,
 * with kernel, maps and pods as they are. Injected when the new one says that it is ready.
 */
final class AgentFaults implements Action {

  static final String RESTART = "agent-restart";

  private static final Duration ANSWER = Duration.ofMillis(500);
  private static final int ATTEMPTS = 120;

  private final ActorRef<CiliumAgent.Command> agent;
  private final Scheduler scheduler;
  private final String nodeName;

  AgentFaults(ActorRef<CiliumAgent.Command> agent, Scheduler scheduler, String nodeName) {
    this.agent = agent;
    this.scheduler = scheduler;
    this.nodeName = nodeName;
  }

  @Override
  public ResourceType type() {
    return ResourceType.NODE_CHAOS;
  }

  @Override
  public boolean isMine(Experiment.Record record) {
    return record.node().equals(nodeName);
  }

  @Override
  public boolean endsWithThisProcess() {
    return false;
  }

  @Override
  public CompletionStage<Done> inject(KubeObject chaos, String id) {
    agent.tell(new CiliumAgent.Crash("NodeChaos " + chaos.name()));
    return ready(ATTEMPTS);
  }

  /** What has been restarted is as it was. */
  @Override
  public CompletionStage<Done> recover(KubeObject chaos, String id) {
    return CompletableFuture.completedFuture(Done.done());
  }

  /** An agent that is away does not answer at all. */
  private CompletionStage<Done> ready(int attempts) {
    return AskPattern.ask(agent, CiliumAgent.ReadStatus::new, ANSWER, scheduler)
        .handle((status, _) -> status != null && status.ready())
        .thenCompose(
            ready -> {
              if (ready) {
                return CompletableFuture.completedFuture(Done.done());
              }
              if (attempts == 0) {
                return CompletableFuture.failedFuture(
                    new IllegalStateException(
                        nodeName + "'s agent is not ready again: the node's log says why"));
              }
              return CompletableFuture.supplyAsync(
                      Done::done,
                      CompletableFuture.delayedExecutor(ANSWER.toMillis(), TimeUnit.MILLISECONDS))
                  .thenCompose(_ -> ready(attempts - 1));
            });
  }
}
