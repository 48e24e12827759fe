package dev.paramecium.trace;

import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.kubelet.KubeletRequest.KubeletStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/** Asks every node for its status, once, and answers with those that replied in time. */
public final class StatusSurvey extends AbstractBehavior<StatusSurvey.Command> {

  /** What this actor is told. */
  public sealed interface Command {}

  private record NodesFound(Set<ActorRef<KubeletRequest>> kubelets) implements Command {}

  private record Answered(KubeletStatus status) implements Command {}

  private record TimedOut() implements Command {}

  private static final Duration LIMIT = Duration.ofMillis(1500);

  private final boolean kernel;
  private final Consumer<List<KubeletStatus>> result;
  private final List<KubeletStatus> answers = new ArrayList<>();
  private int expected = -1;

  /**
   * Calls {@code result} once, on this actor's thread, and stops.
   *
   * @param kernel whether the kernels are asked for their counters, too
   */
  public static Behavior<Command> create(boolean kernel, Consumer<List<KubeletStatus>> result) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startSingleTimer(new TimedOut(), LIMIT);
                  return new StatusSurvey(context, kernel, result);
                }));
  }

  private StatusSurvey(
      ActorContext<Command> context, boolean kernel, Consumer<List<KubeletStatus>> result) {
    super(context);
    this.kernel = kernel;
    this.result = result;
    Kubelets.find(context, NodesFound::new);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(NodesFound.class, this::askAll)
        .onMessage(Answered.class, this::answered)
        .onMessage(TimedOut.class, _ -> finish())
        .build();
  }

  private Behavior<Command> askAll(NodesFound found) {
    expected = found.kubelets().size();
    ActorRef<KubeletStatus> replies =
        getContext().messageAdapter(KubeletStatus.class, Answered::new);
    found
        .kubelets()
        .forEach(kubelet -> kubelet.tell(new KubeletRequest.ReadStatus(kernel, replies)));
    return expected == 0 ? finish() : this;
  }

  private Behavior<Command> answered(Answered answered) {
    answers.add(answered.status());
    return answers.size() == expected ? finish() : this;
  }

  private Behavior<Command> finish() {
    result.accept(List.copyOf(answers));
    return Behaviors.stopped();
  }
}
