package dev.paramecium.kubelet;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Asks every node the same question, once, and has the answers of those that replied in time.
 *
 * @param <A> what a node answers
 */
public final class KubeletSurvey<A> extends AbstractBehavior<KubeletSurvey.Command> {

  /** What this actor is told. */
  public sealed interface Command {}

  private record NodesFound(Set<ActorRef<KubeletRequest>> kubelets) implements Command {}

  private record Answered(Object answer) implements Command {}

  private record TimedOut() implements Command {}

  private static final Duration LIMIT = Duration.ofMillis(1500);

  private final Class<A> type;
  private final Function<ActorRef<A>, KubeletRequest> question;
  private final Consumer<List<A>> result;
  private final List<A> answers = new ArrayList<>();
  private int expected = -1;

  /**
   * Calls {@code result} once, on this actor's thread, and stops.
   *
   * @param question the request, with where it is answered
   */
  public static <A> Behavior<Command> create(
      Class<A> type, Function<ActorRef<A>, KubeletRequest> question, Consumer<List<A>> result) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startSingleTimer(new TimedOut(), LIMIT);
                  return new KubeletSurvey<>(context, type, question, result);
                }));
  }

  private KubeletSurvey(
      ActorContext<Command> context,
      Class<A> type,
      Function<ActorRef<A>, KubeletRequest> question,
      Consumer<List<A>> result) {
    super(context);
    this.type = type;
    this.question = question;
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
    KubeletRequest request = question.apply(getContext().messageAdapter(type, Answered::new));
    found.kubelets().forEach(kubelet -> kubelet.tell(request));
    return expected == 0 ? finish() : this;
  }

  private Behavior<Command> answered(Answered answered) {
    answers.add(type.cast(answered.answer()));
    return answers.size() == expected ? finish() : this;
  }

  private Behavior<Command> finish() {
    result.accept(List.copyOf(answers));
    return Behaviors.stopped();
  }
}
