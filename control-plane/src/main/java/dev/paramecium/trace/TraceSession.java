package dev.paramecium.trace;

import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.kubelet.Kubelets;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * One trace: sets the taps on every node, passes observations on until it is stopped, and takes the
 * taps away.
 */
public final class TraceSession extends AbstractBehavior<TraceSession.Command> {

  /** Where observations go. Called on this actor's thread; must not block. */
  public interface Sink {

    /**
     * All taps are set: what is sent from now on is seen.
     *
     * @param missing how many nodes did not answer in time
     */
    void armed(int nodes, int missing);

    void observed(Observation observation);
  }

  /** What this actor is told. */
  public sealed interface Command {}

  /** Ends the trace. */
  public record Stop() implements Command {}

  private record NodesFound(Set<ActorRef<KubeletRequest>> kubelets) implements Command {}

  private record NodeArmed(String nodeName) implements Command {}

  private record Observed(Observation observation) implements Command {}

  private record ArmingTimedOut() implements Command {}

  private static final Duration ARMING_LIMIT = Duration.ofSeconds(2);

  private final String traceId;
  private final TraceFilter filter;
  private final Sink sink;
  private final ActorRef<Observation> observer;
  private final Set<ActorRef<KubeletRequest>> kubelets = new HashSet<>();
  private final Set<String> armedNodes = new HashSet<>();
  private boolean told;

  /** A trace of what matches {@code filter}; {@code traceId} must be unique in the cluster. */
  public static Behavior<Command> create(String traceId, TraceFilter filter, Sink sink) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startSingleTimer(new ArmingTimedOut(), ARMING_LIMIT);
                  return new TraceSession(context, traceId, filter, sink);
                }));
  }

  private TraceSession(
      ActorContext<Command> context, String traceId, TraceFilter filter, Sink sink) {
    super(context);
    this.traceId = traceId;
    this.filter = filter;
    this.sink = sink;
    this.observer = context.messageAdapter(Observation.class, Observed::new);
    Kubelets.find(context, NodesFound::new);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(NodesFound.class, this::arm)
        .onMessage(NodeArmed.class, this::nodeArmed)
        .onMessage(Observed.class, this::observed)
        .onMessage(ArmingTimedOut.class, _ -> armingTimedOut())
        .onMessage(Stop.class, _ -> Behaviors.stopped())
        .onSignal(PostStop.class, _ -> disarm())
        .build();
  }

  private Behavior<Command> arm(NodesFound found) {
    kubelets.addAll(found.kubelets());
    ActorRef<KubeletRequest.TraceArmed> replies =
        getContext()
            .messageAdapter(
                KubeletRequest.TraceArmed.class, reply -> new NodeArmed(reply.nodeName()));
    for (ActorRef<KubeletRequest> kubelet : kubelets) {
      kubelet.tell(new KubeletRequest.ArmTrace(traceId, filter, observer, replies));
    }
    tellWhenAllAreArmed();
    return this;
  }

  private Behavior<Command> nodeArmed(NodeArmed armed) {
    armedNodes.add(armed.nodeName());
    tellWhenAllAreArmed();
    return this;
  }

  private void tellWhenAllAreArmed() {
    if (!told && armedNodes.size() == kubelets.size()) {
      told = true;
      sink.armed(armedNodes.size(), 0);
    }
  }

  private Behavior<Command> armingTimedOut() {
    if (!told) {
      told = true;
      sink.armed(armedNodes.size(), kubelets.size() - armedNodes.size());
    }
    return this;
  }

  private Behavior<Command> observed(Observed observed) {
    sink.observed(observed.observation());
    return this;
  }

  private Behavior<Command> disarm() {
    for (ActorRef<KubeletRequest> kubelet : kubelets) {
      kubelet.tell(new KubeletRequest.DisarmTrace(traceId));
    }
    return this;
  }
}
