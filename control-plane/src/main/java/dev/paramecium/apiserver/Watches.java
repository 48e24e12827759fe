package dev.paramecium.apiserver;

import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.ApiWatchEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Who watches what, and how far each has got.
 *
 * <pre>
 *   history of pods   | 41 | 42 | 43 | 44 | 45 |
 *                            ^ slow watcher   ^ the others
 * </pre>
 *
 * A watcher gets at most {@link ApiWatchEvent#WINDOW} events ahead of its acknowledgements; then it
 * stays where it is in its kind's {@link History}. One that the history overtakes is told {@link
 * ApiWatchEvent.Expired} and forgotten: it lists again.
 */
final class Watches {

  private final Store store;
  private final Map<ActorRef<ApiWatchEvent>, Watcher> watchers = new HashMap<>();
  private final Map<String, Set<Watcher>> byType = new HashMap<>();

  Watches(Store store) {
    this.store = store;
  }

  private static final class Watcher {
    final ApiRequest.Watch request;
    final Selector selector;
    final History history;

    /** What is left of the objects that the watch starts with. */
    final Deque<KubeObject> initial = new ArrayDeque<>();

    /** The bookmark that is owed after them, null if it has been sent or none is. */
    @Nullable Long initialRevision;

    long ordinal;
    int credit = ApiWatchEvent.WINDOW;
    long sent;

    Watcher(ApiRequest.Watch request, Selector selector, History history) {
      this.request = request;
      this.selector = selector;
      this.history = history;
    }

    void send(ApiWatchEvent event) {
      credit--;
      sent++;
      request.subscriber().tell(event);
    }

    boolean isCaughtUp() {
      return initial.isEmpty() && initialRevision == null && ordinal == history.next();
    }
  }

  /**
   * A watch that is about to start.
   *
   * @param initial the objects that it starts with, as they were at {@code revision}; empty if it
   *     resumes
   */
  record Start(
      ApiRequest.Watch request, Selector selector, List<KubeObject> initial, long revision) {}

  /** Takes down what a watch starts with: the current objects if it starts from 0. */
  Start prepare(ApiRequest.Watch request, Selector selector) {
    return request.resourceVersion() == 0
        ? new Start(
            request,
            selector,
            store.list(request.type(), request.namespace(), selector),
            store.revision())
        : new Start(request, selector, List.of(), request.resourceVersion());
  }

  /**
   * Starts a watch, when everything up to its revision is durable. A subscriber has one watch: a
   * second replaces the first.
   */
  void add(Start start) {
    ApiRequest.Watch request = start.request();
    remove(request.subscriber());
    History history = store.history(request.type());
    if (start.revision() < history.forgottenRevision()) {
      request.subscriber().tell(new ApiWatchEvent.Expired(history.forgottenRevision()));
      return;
    }
    Watcher watcher = new Watcher(request, start.selector(), history);
    watchers.put(request.subscriber(), watcher);
    byType
        .computeIfAbsent(Store.collection(request.type()), _ -> new LinkedHashSet<>())
        .add(watcher);
    watcher.ordinal = history.after(start.revision());
    watcher.initial.addAll(start.initial());
    if (request.resourceVersion() == 0) {
      watcher.initialRevision = start.revision();
      advance(watcher);
    } else {
      advance(watcher);
      // So that the subscriber knows at once that its watch stands.
      bookmark(watcher);
    }
  }

  void remove(ActorRef<ApiWatchEvent> subscriber) {
    Watcher watcher = watchers.remove(subscriber);
    if (watcher != null) {
      byType.getOrDefault(Store.collection(watcher.request.type()), Set.of()).remove(watcher);
    }
  }

  boolean contains(ActorRef<ApiWatchEvent> subscriber) {
    return watchers.containsKey(subscriber);
  }

  void acknowledge(ApiRequest.WatchAck ack) {
    Watcher watcher = watchers.get(ack.subscriber());
    if (watcher != null) {
      watcher.credit = Math.min(ApiWatchEvent.WINDOW, watcher.credit + Math.max(0, ack.events()));
      advance(watcher);
    }
  }

  /** Tells a kind's newest change to everyone whom it concerns. */
  void publish(ResourceType type) {
    for (Watcher watcher : List.copyOf(byType.getOrDefault(Store.collection(type), Set.of()))) {
      advance(watcher);
    }
  }

  /** Tells every watcher that has seen everything how far that is, and that its watch stands. */
  void bookmark() {
    watchers.values().forEach(this::bookmark);
  }

  private void bookmark(Watcher watcher) {
    if (watcher.credit > 0 && watcher.isCaughtUp()) {
      watcher.send(new ApiWatchEvent.Bookmark(store.durableRevision(), false, watcher.sent));
    }
  }

  private void advance(Watcher watcher) {
    if (watcher.ordinal < watcher.history.first()) {
      remove(watcher.request.subscriber());
      watcher
          .request
          .subscriber()
          .tell(new ApiWatchEvent.Expired(watcher.history.forgottenRevision()));
      return;
    }
    while (watcher.credit > 0 && !watcher.isCaughtUp()) {
      if (!watcher.initial.isEmpty()) {
        watcher.send(new ApiWatchEvent.Added(shown(watcher, watcher.initial.removeFirst())));
      } else if (watcher.initialRevision != null) {
        watcher.send(new ApiWatchEvent.Bookmark(watcher.initialRevision, true, watcher.sent));
        watcher.initialRevision = null;
      } else {
        ApiWatchEvent event = event(watcher, watcher.history.at(watcher.ordinal));
        watcher.ordinal++;
        if (event != null) {
          watcher.send(event);
        }
      }
    }
  }

  private static KubeObject shown(Watcher watcher, KubeObject object) {
    return Kinds.inVersion(watcher.request.type(), object);
  }

  /**
   * What a change looks like through a selector: an object that starts to match is added, one that
   * stops to match is deleted.
   */
  private static @Nullable ApiWatchEvent event(Watcher watcher, History.Entry change) {
    String namespace = watcher.request.namespace();
    if (!namespace.isEmpty() && !namespace.equals(change.after().namespace())) {
      return null;
    }
    boolean matched = change.before() != null && watcher.selector.matches(change.before());
    boolean matches = !change.deleted() && watcher.selector.matches(change.after());
    if (matches) {
      return matched
          ? new ApiWatchEvent.Modified(shown(watcher, change.after()))
          : new ApiWatchEvent.Added(shown(watcher, change.after()));
    }
    return matched ? new ApiWatchEvent.Deleted(shown(watcher, change.after())) : null;
  }
}
