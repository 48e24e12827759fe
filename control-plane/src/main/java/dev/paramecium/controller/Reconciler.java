package dev.paramecium.controller;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.events.Event;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * What a controller is for, as a function of what it knows: no state of its own, so that being
 * asked twice, or after a restart, does no harm.
 */
public interface Reconciler {

  /** In words, for logs: {@code replicaset-controller}. */
  String name();

  /** What it must know; the first is what it reconciles. */
  List<ResourceType> watched();

  /** Which objects of its own a change of any watched object concerns. */
  Collection<Key> concerned(KubeObject changed, ObjectCache cache);

  /** What to do about one object; it may be gone. */
  Plan plan(Key key, ObjectCache cache, Instant now);

  /** An object of the reconciled type. */
  record Key(String namespace, String name) {

    public static Key of(KubeObject object) {
      return new Key(object.namespace(), object.name());
    }
  }

  /**
   * The writes, all at once.
   *
   * @param announcements what is said of some of them when they have succeeded
   * @param again when to look again although nothing changed; zero for never
   */
  record Plan(List<Write> writes, List<Announcement> announcements, Duration again) {

    public static final Plan NOTHING = new Plan(List.of(), Duration.ZERO);

    public Plan {
      writes = List.copyOf(writes);
      announcements = List.copyOf(announcements);
    }

    /** What is said of a write; equal writes, as pods of one template, are announced equally. */
    public Optional<Announcement> announcementOf(Write write) {
      return announcements.stream().filter(said -> said.write().equals(write)).findFirst();
    }

    /** Writes that nobody needs to hear of. */
    public Plan(List<Write> writes, Duration again) {
      this(writes, List.of(), again);
    }
  }

  /**
   * An event about {@code owner} that says what a write did.
   *
   * @param message with {@code %s} for the name of what was written, which the API server may have
   *     chosen
   */
  record Announcement(
      Write write, KubeObject owner, Event.Type type, String reason, String message) {

    /** Nothing that anybody need look at. */
    public Announcement(Write write, KubeObject owner, String reason, String message) {
      this(write, owner, Event.Type.NORMAL, reason, message);
    }

    /** The event, when {@code written} is what the write left. */
    public Event event(KubeObject written) {
      return new Event(owner, "", type, reason, message.formatted(written.name()));
    }
  }
}
