package dev.paramecium.kubelet;

import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.log.LogBook;
import dev.paramecium.operator.Operator;
import java.nio.charset.StandardCharsets;
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
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;

/**
 * Tells one container what the component that it shows does: each line once, in a file that holds
 * the newest ones, which the container prints when it is written.
 */
final class LogFeed extends AbstractBehavior<LogFeed.Command> {

  /** Where the container looks for them: a number, a space and the line, for each. */
  static final String PATH = "/var/run/cilium/component.log";

  /** What the feed tells itself. */
  sealed interface Command {}

  private record Found(Set<ActorRef<LogBook.Command>> books) implements Command {}

  private record Told(LogBook.Lines lines) implements Command {}

  private record Written(int count, String error) implements Command {}

  private enum Tick implements Command {
    WRITE
  }

  private final String containerId;
  private final KernelCalls kernel;
  private final TimerScheduler<Command> timers;
  private final ActorRef<LogBook.Lines> lines;
  private final Backoff backoff = Backoff.forApi();
  private final List<String> pending = new ArrayList<>();
  private long last;
  private boolean writing;

  /** A feed from the operator, wherever it is; stop it when the container has ended. */
  static Behavior<Command> ofOperator(String containerId, KernelCalls kernel) {
    return create(
        containerId,
        kernel,
        context -> {
          ActorRef<Receptionist.Listing> listings =
              context.messageAdapter(
                  Receptionist.Listing.class,
                  found -> new Found(found.getServiceInstances(Operator.LOG)));
          context.getSystem().receptionist().tell(Receptionist.subscribe(Operator.LOG, listings));
        });
  }

  /** A feed from a book of this node; stop it when the container has ended. */
  static Behavior<Command> of(
      ActorRef<LogBook.Command> book, String containerId, KernelCalls kernel) {
    return create(containerId, kernel, context -> context.getSelf().tell(new Found(Set.of(book))));
  }

  private static Behavior<Command> create(
      String containerId, KernelCalls kernel, Consumer<ActorContext<Command>> find) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> {
                  find.accept(context);
                  return new LogFeed(context, timers, containerId, kernel);
                }));
  }

  private LogFeed(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String containerId,
      KernelCalls kernel) {
    super(context);
    this.timers = timers;
    this.containerId = containerId;
    this.kernel = kernel;
    this.lines = context.messageAdapter(LogBook.Lines.class, Told::new);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Found(Set<ActorRef<LogBook.Command>> books) ->
          books.forEach(book -> book.tell(new LogBook.Follow(last, lines)));
      case Told(LogBook.Lines told) -> onTold(told);
      case Written written -> onWritten(written);
      case Tick.WRITE -> write();
    }
    return this;
  }

  private void onTold(LogBook.Lines told) {
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
      getContext().getLog().info("a container has not the log that it shows: {}", written.error());
      timers.startSingleTimer(Tick.WRITE, backoff.next());
    }
  }
}
