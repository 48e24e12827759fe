package dev.paramecium.apiserver;

import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.ApiWatchEvent;
import dev.paramecium.api.KubeObject;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Who watches what, and how far each has got.
 *
 * <p>A watcher gets at most {@link ApiWatchEvent#WINDOW} events ahead of its acknowledgements; more
 * wait here, up to {@link #BACKLOG}. One that falls further behind is told {@link
 * ApiWatchEvent.Expired} and forgotten: it lists again.
 */
final class Watches {

  private static final int BACKLOG = 4 * Store.HISTORY;

  private final Map<ActorRef<ApiWatchEvent>, Watcher> watchers = new HashMap<>();

  private static final class Watcher {
    final ApiRequest.Watch request;
    final Selector selector;
    final Deque<ApiWatchEvent> backlog = new ArrayDeque<>();
    int credit = ApiWatchEvent.WINDOW;
    long sentRevision;

    Watcher(ApiRequest.Watch request, Selector selector) {
      this.request = request;
      this.selector = selector;
    }
  }

  /**
   * Starts a watch: the current objects if it starts from 0, else the remembered changes since its
   * revision.
   */
  void add(ApiRequest.Watch request, Selector selector, Store store) {
    if (request.resourceVersion() != 0 && request.resourceVersion() < store.forgottenRevision()) {
      request.subscriber().tell(new ApiWatchEvent.Expired(store.forgottenRevision()));
      return;
    }
    Watcher watcher = new Watcher(request, selector);
    watchers.put(request.subscriber(), watcher);
    if (request.resourceVersion() == 0) {
      for (KubeObject object : store.list(request.type(), request.namespace(), selector)) {
        offer(watcher, new ApiWatchEvent.Added(object));
      }
      watcher.sentRevision = store.revision();
      offer(watcher, new ApiWatchEvent.Bookmark(store.revision(), true));
    } else {
      for (Store.Change change : store.historyAfter(request.resourceVersion())) {
        tell(watcher, change);
      }
    }
  }

  void remove(ActorRef<ApiWatchEvent> subscriber) {
    watchers.remove(subscriber);
  }

  boolean contains(ActorRef<ApiWatchEvent> subscriber) {
    return watchers.containsKey(subscriber);
  }

  void acknowledge(ApiRequest.WatchAck ack) {
    Watcher watcher = watchers.get(ack.subscriber());
    if (watcher != null) {
      watcher.credit += ack.events();
      drain(watcher);
    }
  }

  /** Tells a durable change to everyone whom it concerns. */
  void publish(Store.Change change) {
    for (Watcher watcher : List.copyOf(watchers.values())) {
      tell(watcher, change);
    }
  }

  /** Tells every watcher of everything how far the store is, so that it can resume from there. */
  void bookmark(long revision) {
    for (Watcher watcher : watchers.values()) {
      if (watcher.sentRevision < revision && watcher.backlog.isEmpty()) {
        watcher.sentRevision = revision;
        offer(watcher, new ApiWatchEvent.Bookmark(revision, false));
      }
    }
  }

  private void tell(Watcher watcher, Store.Change change) {
    ApiWatchEvent event = event(watcher, change);
    if (event != null) {
      watcher.sentRevision = change.revision();
      offer(watcher, event);
    }
  }

  /**
   * What a change looks like through a selector: an object that starts to match is added, one that
   * stops to match is deleted.
   */
  private static @Nullable ApiWatchEvent event(Watcher watcher, Store.Change change) {
    if (!change.type().equals(watcher.request.type())
        || !(watcher.request.namespace().isEmpty()
            || watcher.request.namespace().equals(change.after().namespace()))) {
      return null;
    }
    boolean matched = change.before() != null && watcher.selector.matches(change.before());
    boolean matches = !change.deleted() && watcher.selector.matches(change.after());
    if (matches) {
      return matched
          ? new ApiWatchEvent.Modified(change.after())
          : new ApiWatchEvent.Added(change.after());
    }
    return matched ? new ApiWatchEvent.Deleted(change.after()) : null;
  }

  private void offer(Watcher watcher, ApiWatchEvent event) {
    watcher.backlog.addLast(event);
    drain(watcher);
    if (watcher.backlog.size() > BACKLOG) {
      watchers.remove(watcher.request.subscriber());
      watcher.request.subscriber().tell(new ApiWatchEvent.Expired(watcher.sentRevision));
    }
  }

  private static void drain(Watcher watcher) {
    while (watcher.credit > 0 && !watcher.backlog.isEmpty()) {
      watcher.credit--;
      watcher.request.subscriber().tell(watcher.backlog.removeFirst());
    }
  }
}
