package dev.paramecium.controller;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.Reconciler.Key;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.yaml.snakeyaml.Yaml;

/**
 * Reconcilers on one thread without an API server: what they write is at once what they see, one
 * randomly chosen reconciler at a time, and pods become ready or go when the test says so.
 */
final class World {

  static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  final ObjectCache cache = new ObjectCache();
  private final List<Reconciler> reconcilers;
  private final Random random;
  private long revision;

  /** {@code reason: message} of everything that was announced. */
  final List<String> events = new ArrayList<>();

  World(Random random) {
    this(random, Controllers.all());
  }

  World(Random random, List<Reconciler> reconcilers) {
    this.random = random;
    this.reconcilers = reconcilers;
  }

  static KubeObject object(String yaml) {
    return new KubeObject((ObjectNode) new ObjectMapper().valueToTree(new Yaml().load(yaml)));
  }

  /** Stores a new or changed object. */
  KubeObject put(KubeObject object) {
    KubeObject stored = object.copy();
    ObjectNode metadata = stored.json().withObject("/metadata");
    metadata.put("resourceVersion", Long.toString(++revision));
    if (!metadata.has("name")) {
      metadata.put("name", metadata.path("generateName").asText() + revision);
    }
    if (!metadata.has("uid")) {
      metadata.put("uid", "uid-" + revision);
      metadata.put("generation", 1);
      metadata.put("creationTimestamp", NOW.plusSeconds(revision).toString());
    }
    cache.put(stored);
    return stored;
  }

  /** One object of one reconciler is looked at; false if nobody wants to change anything. */
  boolean step() {
    List<Runnable> wishes = new ArrayList<>();
    for (Reconciler reconciler : reconcilers) {
      for (KubeObject object : List.copyOf(cache.all(reconciler.watched().getFirst()))) {
        Reconciler.Plan plan = reconciler.plan(Key.of(object), cache, NOW);
        if (!plan.writes().isEmpty()) {
          wishes.add(() -> apply(plan));
        }
      }
    }
    if (wishes.isEmpty()) {
      return false;
    }
    wishes.get(random.nextInt(wishes.size())).run();
    return true;
  }

  private void apply(Reconciler.Plan plan) {
    for (Write write : plan.writes()) {
      KubeObject written = apply(write);
      plan.announcementOf(write)
          .map(announcement -> announcement.event(written))
          .ifPresent(event -> events.add(event.reason() + ": " + event.message()));
    }
  }

  private KubeObject apply(Write write) {
    return switch (write) {
      case Write.Create(ResourceType _, KubeObject object) -> put(object);
      case Write.Update(ResourceType type, KubeObject object) -> {
        KubeObject now = object.copy();
        KubeObject old = cache.get(type, object.namespace(), object.name());
        now.json().set("status", old.at("/status").isMissingNode() ? null : old.at("/status"));
        if (!old.at("/spec").equals(now.at("/spec"))) {
          now.json()
              .withObject("/metadata")
              .put("generation", old.at("/metadata/generation").asLong() + 1);
        }
        yield put(now);
      }
      case Write.UpdateStatus(ResourceType type, KubeObject object) -> {
        KubeObject now = cache.get(type, object.namespace(), object.name()).copy();
        now.json().set("status", object.at("/status"));
        yield put(now);
      }
      case Write.Delete(ResourceType type, KubeObject object) -> {
        delete(type, object);
        yield object;
      }
      case Write.Kill(ResourceType type, KubeObject object, long _) -> {
        delete(type, object);
        yield object;
      }
    };
  }

  void delete(ResourceType type, KubeObject object) {
    KubeObject old = cache.get(type, object.namespace(), object.name());
    if (old != null && old.uid().equals(object.uid())) {
      cache.remove(old);
    }
  }

  List<KubeObject> pods() {
    return List.copyOf(cache.all(ResourceType.POD));
  }

  /** A kubelet's work on one pod. */
  void setPod(KubeObject pod, String phase, boolean ready) {
    KubeObject changed = pod.copy();
    ObjectNode status = changed.json().withObject("/status");
    status.put("phase", phase);
    status.put("podIP", "10.0.0." + pod.resourceVersion() % 250);
    status
        .putArray("conditions")
        .addObject()
        .put("type", "Ready")
        .put("status", ready ? "True" : "False")
        .put("lastTransitionTime", NOW.toString());
    put(changed);
  }

  /** Everything that is not ready becomes ready, until nobody wants anything any more. */
  void settle() {
    for (int i = 0; i < 10_000; i++) {
      boolean moved = step();
      for (KubeObject pod : pods()) {
        if (pod.text("/status/phase").isEmpty()) {
          setPod(pod, "Running", true);
          moved = true;
        }
      }
      if (!moved) {
        return;
      }
    }
    throw new IllegalStateException("the controllers never come to rest");
  }
}
