package dev.paramecium.controller;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;

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
   * @param again when to look again although nothing changed; zero for never
   */
  record Plan(List<Write> writes, Duration again) {

    public static final Plan NOTHING = new Plan(List.of(), Duration.ZERO);

    public Plan {
      writes = List.copyOf(writes);
    }
  }
}
