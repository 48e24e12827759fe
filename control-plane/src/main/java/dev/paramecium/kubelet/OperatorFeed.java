package dev.paramecium.kubelet;

import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.operator.OperatorLog;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;

/**
 * Tells one cilium-operator container what the operator in the control plane does: each line once,
 * in a file that holds the newest ones, which the container prints when it is written.
 */
final class OperatorFeed extends AbstractBehavior<OperatorFeed.Command> {

  /** Where the container looks for them: a number, a space and the line, for each. */
  static final String PATH = "/var/run/cilium/operator.log";

  /** What the feed tells itself. */
  sealed interface Command {}

  private record Found(Receptionist.Listing operators) implements Command {}

  private record Told(OperatorLog.Lines lines) implements Command {}

  private record Written(int count, String error) implements Command {}

  private enum Tick implements Command {
    WRITE
  }

  private final String containerId;
  private final KernelCalls kernel;
  private final TimerScheduler<Command> timers;
  private final ActorRef<OperatorLog.Lines> lines;
  private final Backoff backoff = Backoff.forApi();
  private final List<String> pending = new ArrayList<>();
  private long last;
  private boolean writing;

  /** A feed; stop it when the container has ended. */
  static Behavior<Command> create(String containerId, KernelCalls kernel) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(context -> new OperatorFeed(context, timers, containerId, kernel)));
  }

  private OperatorFeed(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String containerId,
      KernelCalls kernel) {
    super(context);
    this.timers = timers;
    this.containerId = containerId;
    this.kernel = kernel;
    this.lines = context.messageAdapter(OperatorLog.Lines.class, Told::new);
    ActorRef<Receptionist.Listing> listings =
        context.messageAdapter(Receptionist.Listing.class, Found::new);
    context.getSystem().receptionist().tell(Receptionist.subscribe(OperatorLog.KEY, listings));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Found(Receptionist.Listing operators) ->
          operators
              .getServiceInstances(OperatorLog.KEY)
              .forEach(log -> log.tell(new OperatorLog.Follow(last, lines)));
      case Told(OperatorLog.Lines told) -> onTold(told);
      case Written written -> onWritten(written);
      case Tick.WRITE -> write();
    }
    return this;
  }

  private void onTold(OperatorLog.Lines told) {
    long number = told.first();
    for (String line : told.lines()) {
      if (number > last) {
        last = number;
        pending.add(number + " " + line + "\n");
      }
      number++;
    }
    write();
  }

  private void write() {
    if (writing || pending.isEmpty() || timers.isTimerActive(Tick.WRITE)) {
      return;
    }
    writing = true;
    int count = pending.size();
    byte[] text = String.join("", pending).getBytes(StandardCharsets.UTF_8);
    getContext()
        .pipeToSelf(
            kernel.writeFile(containerId, PATH, text),
            (_, failure) ->
                new Written(count, failure == null ? "" : KernelCalls.message(failure)));
  }

  private void onWritten(Written written) {
    writing = false;
    if (written.error().isEmpty()) {
      pending.subList(0, written.count()).clear();
      backoff.reset();
      write();
    } else {
      getContext().getLog().info("the operator's pod has not its log: {}", written.error());
      timers.startSingleTimer(Tick.WRITE, backoff.next());
    }
  }
}
