package dev.paramecium.apiserver;

import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.ApiWatchEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.chaos.JournalDisk;
import dev.paramecium.defect.Defect;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * The API server's core: one actor that decides every write, in order.
 *
 * <pre>
 *   request -> Writes (checks, defaults) -> Store.put -> JournalWriter (fsync) -> Store.commit -> reply, watches
 * </pre>
 *
 * A write is checked against the state that includes the writes before it, and answered after the
 * journal has it. What arrives while the disk works goes with the next batch. A read is evaluated
 * when it arrives and answered when the writes before it are durable, so nobody is told what could
 * still be lost. If the journal refuses a batch, the state goes back to what is on disk and the
 * requests of that batch fail.
 */
public final class ApiServer extends AbstractBehavior<Object> {

  private static final Duration BOOKMARKS = Duration.ofSeconds(2);

  private final Store store = new Store();
  private final Watches watches = new Watches(store);
  private final Writes writes;
  private final Kinds kinds;
  private final ActorRef<JournalWriter.Command> writer;
  private final ActorRef<JournalWriter.Outcome> outcomes;
  private final Journal journal;
  private long definitionChanges;

  /** What is done when the batch that is being written has become durable, or has failed. */
  private List<Completion> inFlight = List.of();

  private List<Completion> queued = new ArrayList<>();
  private List<Store.Change> writing = List.of();

  private sealed interface Completion {
    void durable();

    void lost(ApiReply.Failed failure);
  }

  private record Answer(ActorRef<ApiReply> replyTo, ApiReply reply) implements Completion {
    @Override
    public void durable() {
      replyTo.tell(reply);
    }

    @Override
    public void lost(ApiReply.Failed failure) {
      replyTo.tell(failure);
    }
  }

  /**
   * A read, evaluated when it arrived, so that it has seen the writes before it and none after it.
   * If those are lost, it is evaluated again.
   */
  private record Read(Supplier<Runnable> evaluation, Runnable delivery) implements Completion {
    @Override
    public void durable() {
      delivery.run();
    }

    @Override
    public void lost(ApiReply.Failed failure) {
      evaluation.get().run();
    }
  }

  private record TellBookmarks() {}

  /**
   * The API server with its journal in a folder.
   *
   * @throws UncheckedIOException from the behaviour's start if the journal cannot be opened or read
   */
  public static Behavior<ApiRequest> create(Path folder, InstantSource clock) {
    return create(folder, new JournalDisk(clock), clock);
  }

  /** The same on a disk that may have faults. */
  static Behavior<ApiRequest> create(Path folder, JournalDisk disk, InstantSource clock) {
    return Behaviors.setup(
        _ -> {
          try {
            return create(new JournalOnDisk(FileJournal.open(folder), disk), clock);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** An API server that forgets everything when it stops; it needs no cluster. */
  public static Behavior<ApiRequest> inMemory(InstantSource clock) {
    return Behaviors.setup(_ -> create(new MemoryJournal(), clock));
  }

  /**
   * The API server over a journal, which it closes when it stops.
   *
   * @throws UncheckedIOException from the behaviour's start if the journal cannot be read
   */
  public static Behavior<ApiRequest> create(Journal journal, InstantSource clock) {
    return Behaviors.setup(
            (ActorContext<Object> context) ->
                Behaviors.withTimers(
                    timers -> {
                      timers.startTimerWithFixedDelay(new TellBookmarks(), BOOKMARKS);
                      return new ApiServer(context, journal, clock);
                    }))
        .narrow();
  }

  private ApiServer(ActorContext<Object> context, Journal journal, InstantSource clock) {
    super(context);
    this.kinds = Kinds.standard();
    this.journal = journal;
    this.writes = new Writes(kinds, store, clock);
    try {
      journal.replay(store::replay);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    defineKinds();
    this.writer =
        context.spawn(JournalWriter.create(journal), "journal", DispatcherSelector.blocking());
    this.outcomes = context.messageAdapter(JournalWriter.Outcome.class, outcome -> outcome);
    writes.createStandardObjects();
    flush();
  }

  @Override
  public Receive<Object> createReceive() {
    return newReceiveBuilder()
        .onMessage(ApiRequest.class, this::request)
        .onMessage(JournalWriter.Outcome.class, this::journalled)
        .onMessage(TellBookmarks.class, _ -> tellBookmarks())
        .onSignal(Terminated.class, this::watcherGone)
        .build();
  }

  private Behavior<Object> request(ApiRequest request) {
    switch (request) {
      case ApiRequest.Create create -> write(create.replyTo(), () -> writes.create(create));
      case ApiRequest.Update update -> write(update.replyTo(), () -> writes.update(update));
      case ApiRequest.Patch patch -> write(patch.replyTo(), () -> writes.patch(patch));
      case ApiRequest.Delete delete -> write(delete.replyTo(), () -> writes.delete(delete));
      case ApiRequest.DeleteAll all -> write(all.replyTo(), () -> writes.deleteAll(all));
      case ApiRequest.Get get -> read(get.replyTo(), () -> get(get));
      case ApiRequest.List list -> read(list.replyTo(), () -> list(list));
      case ApiRequest.Watch watch -> read(() -> watch(watch));
      case ApiRequest.WatchAck ack -> watches.acknowledge(ack);
      case ApiRequest.Unwatch unwatch -> unwatch(unwatch.subscriber());
    }
    return this;
  }

  private interface Write {
    ApiReply perform() throws StatusException;
  }

  private void write(ActorRef<ApiReply> replyTo, Write write) {
    ApiReply reply;
    int before = store.uncommittedCount();
    try {
      reply = write.perform();
    } catch (StatusException e) {
      reply = e.reply();
    } catch (RuntimeException | StackOverflowError e) {
      // One request that breaks a rule of ours must not take the API server down with it.
      getContext().getLog().error("a write broke off", e);
      store.rollBackTo(before);
      reply = StatusException.internal("the request could not be handled: " + e).reply();
    }
    if (reply instanceof ApiReply.Stored stored
        && stored.object().kind().equals("ConfigMap")
        && Defect.LOSE_WRITE.strikes()) {
      store.rollBackTo(before);
    }
    queued.add(new Answer(replyTo, reply));
    defineKinds();
    flush();
  }

  /** Serves the custom kinds that are defined now. */
  private void defineKinds() {
    if (store.definitionChanges() != definitionChanges) {
      definitionChanges = store.definitionChanges();
      kinds.define(store.list(ResourceType.CUSTOM_RESOURCE_DEFINITION, "", Selector.EVERYTHING));
    }
  }

  private void read(ActorRef<ApiReply> replyTo, Supplier<ApiReply> read) {
    read(
        () -> {
          ApiReply reply = read.get();
          return () -> replyTo.tell(reply);
        });
  }

  private void read(Supplier<Runnable> evaluation) {
    queued.add(new Read(evaluation, evaluation.get()));
    flush();
  }

  /** Sends what is uncommitted to the journal, unless a batch is on its way. */
  private void flush() {
    if (!inFlight.isEmpty() || !writing.isEmpty()) {
      return;
    }
    if (!store.hasUncommitted()) {
      List<Completion> ready = queued;
      queued = new ArrayList<>();
      ready.forEach(Completion::durable);
      return;
    }
    writing = store.uncommitted();
    inFlight = queued;
    queued = new ArrayList<>();
    writer.tell(
        new JournalWriter.Write(writing.stream().map(Store.Change::toRecord).toList(), outcomes));
  }

  private Behavior<Object> journalled(JournalWriter.Outcome outcome) {
    List<Completion> done = inFlight;
    List<Store.Change> written = writing;
    inFlight = List.of();
    writing = List.of();
    if (outcome.failure().isEmpty()) {
      store.commit(written, change -> watches.publish(change.type()));
      done.forEach(Completion::durable);
      if (journal.wantsCompaction()) {
        compact();
      }
    } else {
      fail(done, outcome.failure());
    }
    flush();
    return this;
  }

  /** The journal has neither this batch nor the changes that were decided on top of it. */
  private void fail(List<Completion> batch, String failure) {
    getContext().getLog().error("the journal refused {} requests: {}", batch.size(), failure);
    store.rollBack();
    defineKinds();
    List<Completion> all = new ArrayList<>(batch);
    all.addAll(queued);
    queued = new ArrayList<>();
    ApiReply.Failed lost =
        StatusException.internal(
                "the write is not stored: the journal cannot be written ("
                    + failure
                    + "). Free disk space and try again.")
            .reply();
    all.forEach(completion -> completion.lost(lost));
  }

  private void compact() {
    // Only durable objects may go into a snapshot; between batches there are no others.
    if (!store.hasUncommitted()) {
      writer.tell(new JournalWriter.Compact(store.live(), store.revision()));
    }
  }

  private ApiReply get(ApiRequest.Get get) {
    try {
      ServedKind kind = kinds.of(get.type());
      KubeObject object = store.get(get.type(), get.namespace(), get.name());
      return object == null
          ? StatusException.notFound(kind.qualifiedPlural(), get.name()).reply()
          : new ApiReply.Stored(Kinds.inVersion(kind.type(), object), false);
    } catch (StatusException e) {
      return e.reply();
    }
  }

  private ApiReply list(ApiRequest.List list) {
    try {
      kinds.of(list.type());
      Selector selector = Selector.parse(list.type(), list.labelSelector(), list.fieldSelector());
      return new ApiReply.Listed(
          store.list(list.type(), list.namespace(), selector).stream()
              .map(object -> Kinds.inVersion(list.type(), object))
              .toList(),
          store.revision());
    } catch (StatusException e) {
      return e.reply();
    }
  }

  private Runnable watch(ApiRequest.Watch watch) {
    try {
      kinds.of(watch.type());
      Selector selector =
          Selector.parse(watch.type(), watch.labelSelector(), watch.fieldSelector());
      Watches.Start start = watches.prepare(watch, selector);
      return () -> {
        if (!watches.contains(watch.subscriber())) {
          getContext().watch(watch.subscriber());
        }
        watches.add(start);
      };
    } catch (StatusException e) {
      getContext().getLog().warn("a watch was refused: {}", e.getMessage());
      long revision = store.revision();
      return () -> watch.subscriber().tell(new ApiWatchEvent.Expired(revision));
    }
  }

  private void unwatch(ActorRef<ApiWatchEvent> subscriber) {
    if (watches.contains(subscriber)) {
      watches.remove(subscriber);
      getContext().unwatch(subscriber);
    }
  }

  private Behavior<Object> watcherGone(Terminated terminated) {
    watches.remove(terminated.getRef().unsafeUpcast());
    return this;
  }

  private Behavior<Object> tellBookmarks() {
    watches.bookmark();
    return this;
  }
}
