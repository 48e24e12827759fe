package dev.paramecium.apiserver;

import dev.paramecium.proto.StoredObject;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** The one writer of the journal, on a thread that may block. */
final class JournalWriter {

  /** What the writer is told. */
  sealed interface Command {}

  /** Makes a batch durable; answered with {@link Outcome}. */
  record Write(List<StoredObject> records, ActorRef<Outcome> replyTo) implements Command {}

  /** Replaces the past by the live objects. Goes to the writer between two writes. */
  record Compact(Collection<StoredObject> live, long resourceVersion) implements Command {}

  /**
   * What became of a batch.
   *
   * @param failure empty if it is durable, else why it is not
   */
  record Outcome(String failure) {}

  private JournalWriter() {}

  static Behavior<Command> create(Journal journal) {
    return Behaviors.setup(
        context ->
            Behaviors.receive(Command.class)
                .onMessage(
                    Write.class,
                    write -> {
                      write.replyTo().tell(new Outcome(append(journal, write.records())));
                      return Behaviors.same();
                    })
                .onMessage(
                    Compact.class,
                    compact -> {
                      try {
                        journal.compact(compact.live(), compact.resourceVersion());
                      } catch (IOException e) {
                        context.getLog().warn("the journal was not compacted: {}", e.getMessage());
                      }
                      return Behaviors.same();
                    })
                .onSignal(
                    PostStop.class,
                    _ -> {
                      journal.close();
                      return Behaviors.same();
                    })
                .build());
  }

  private static String append(Journal journal, List<StoredObject> records) {
    try {
      journal.append(records);
      return "";
    } catch (IOException e) {
      return e.getMessage() == null || e.getMessage().isEmpty() ? e.toString() : e.getMessage();
    }
  }
}
