package dev.paramecium.api;

/** One element of a watch. */
public sealed interface ApiWatchEvent {

  /** How many events may be unacknowledged. */
  int WINDOW = 256;

  /** The object is new to the watcher (also when it starts to match the selector). */
  record Added(KubeObject object) implements ApiWatchEvent {}

  record Modified(KubeObject object) implements ApiWatchEvent {}

  /** The object's last state (also when it stops to match the selector). */
  record Deleted(KubeObject object) implements ApiWatchEvent {}

  /**
   * Everything up to {@code resourceVersion} has been sent; {@code initialEventsEnd} after the
   * current objects of a watch from 0. One comes every few seconds: silence means that the watch is
   * lost.
   *
   * @param sent how many events this watch had sent before this one: a subscriber that got fewer
   *     has lost some on the way
   */
  record Bookmark(long resourceVersion, boolean initialEventsEnd, long sent)
      implements ApiWatchEvent {}

  /** HTTP 410 Gone: list again. The watch is over. */
  record Expired(long oldestResourceVersion) implements ApiWatchEvent {}
}
