package dev.paramecium.apiserver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.proto.StoredObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The objects, and the changes that are still remembered.
 *
 * <p>A change is first {@link #put} (later requests see it), then either {@link #commit}ted, when
 * the journal has it, or {@link #rollBack}ed.
 */
final class Store {

  /** How many changes of one kind a watch can resume over. */
  static final int HISTORY = 10_000;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final NavigableMap<String, KubeObject> objects = new TreeMap<>();
  private static final String DEFINITIONS = collection(ResourceType.CUSTOM_RESOURCE_DEFINITION);
  private final Owners owners = new Owners();
  private final Deque<Change> uncommitted = new ArrayDeque<>();
  private final Map<String, History> histories = new HashMap<>();
  private long definitionChanges;
  private long revision;
  private long durableRevision;
  private long replayedFrom;

  /**
   * One write.
   *
   * @param before null for a creation
   * @param after the object as written; for a deletion its last state, with the deletion's
   *     resourceVersion
   */
  record Change(
      long revision,
      String key,
      ResourceType type,
      @Nullable KubeObject before,
      KubeObject after,
      boolean deleted) {

    History.Entry entry() {
      return new History.Entry(revision, before, after, deleted);
    }

    StoredObject toRecord() {
      StoredObject.Builder record =
          StoredObject.newBuilder().setKey(key).setResourceVersion(revision);
      if (!deleted) {
        record.setJson(encode(after));
      }
      return record.build();
    }
  }

  private static ByteString encode(KubeObject object) {
    try {
      return ByteString.copyFrom(JSON.writeValueAsBytes(object.json()));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String key(ResourceType type, String namespace, String name) {
    return prefix(type, namespace) + name;
  }

  /** Where all objects of a resource are, in whichever version they were written. */
  static String collection(ResourceType type) {
    return type.group() + "/" + type.plural() + "/";
  }

  private static String prefix(ResourceType type, String namespace) {
    String all = collection(type);
    return type.namespaced() && !namespace.isEmpty() ? all + namespace + "/" : all;
  }

  /**
   * Takes over what the journal holds: the objects that were alive at a revision, the record of
   * that revision, which has no key, and the changes since, over which watches can resume.
   */
  void replay(StoredObject record) {
    long at = record.getResourceVersion();
    revision = Math.max(revision, at);
    durableRevision = revision;
    String key = record.getKey();
    if (key.isEmpty()) {
      replayedFrom = at;
      histories.clear();
      return;
    }
    KubeObject after = record.getJson().isEmpty() ? null : decode(record.getJson());
    KubeObject before = set(key, after);
    if (at <= replayedFrom) {
      return; // a crash came between the objects' writing and the end of the changes before it
    }
    if (after != null) {
      history(collectionOf(key)).add(new History.Entry(at, before, after, false));
    } else if (before != null) {
      history(collectionOf(key))
          .add(new History.Entry(at, before, stamped(before.copy(), at), true));
    }
  }

  private static KubeObject decode(ByteString json) {
    try {
      return new KubeObject((ObjectNode) JSON.readTree(json.toByteArray()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The {@link #collection} that a key is in: its group and its plural. */
  private static String collectionOf(String key) {
    return key.substring(0, key.indexOf('/', key.indexOf('/') + 1) + 1);
  }

  /** Puts an object, or none, under a key. */
  private @Nullable KubeObject set(String key, @Nullable KubeObject object) {
    KubeObject before = object == null ? objects.remove(key) : objects.put(key, object);
    owners.change(key, before, object);
    if (key.startsWith(DEFINITIONS)) {
      definitionChanges++;
    }
    return before;
  }

  /** The objects that name this uid as an owner's, with their types. */
  List<Stored> dependentsOf(Kinds kinds, String uid) {
    List<Stored> found = new ArrayList<>();
    for (String key : owners.dependentsOf(uid)) {
      KubeObject object = objects.get(key);
      if (object != null) {
        kinds.ofKey(key).ifPresent(kind -> found.add(new Stored(kind.type(), object)));
      }
    }
    return found;
  }

  /** How often a CustomResourceDefinition has changed, also by being taken back. */
  long definitionChanges() {
    return definitionChanges;
  }

  /**
   * The newest revision, whether it is durable or not. Not one that was taken back: after a restart
   * its number is another change's, which who had been told of it would miss.
   */
  long revision() {
    return uncommitted.isEmpty() ? durableRevision : uncommitted.getLast().revision();
  }

  /** The newest revision that is in the journal. */
  long durableRevision() {
    return durableRevision;
  }

  /** The remembered durable changes of a kind. */
  History history(ResourceType type) {
    return history(collection(type));
  }

  private History history(String collection) {
    return histories.computeIfAbsent(collection, _ -> new History(HISTORY, replayedFrom));
  }

  @Nullable KubeObject get(ResourceType type, String namespace, String name) {
    return objects.get(key(type, namespace, name));
  }

  List<KubeObject> list(ResourceType type, String namespace, Selector selector) {
    String prefix = prefix(type, namespace);
    List<KubeObject> found = new ArrayList<>();
    for (KubeObject object : objects.subMap(prefix, true, prefix + '\uffff', false).values()) {
      if (selector.matches(object)) {
        found.add(object);
      }
    }
    return found;
  }

  /** Whether any object is in a namespace. */
  List<Stored> inNamespace(Kinds kinds, String namespace) {
    List<Stored> found = new ArrayList<>();
    for (ServedKind kind : kinds.all()) {
      if (kind.type().namespaced()) {
        String prefix = prefix(kind.type(), namespace);
        objects
            .subMap(prefix, true, prefix + '\uffff', false)
            .values()
            .forEach(object -> found.add(new Stored(kind.type(), object)));
      }
    }
    return found;
  }

  /** An object and its type. */
  record Stored(ResourceType type, KubeObject object) {}

  /**
   * Writes an object under the next revision, which is put into it. The tree becomes the store's.
   */
  KubeObject put(ResourceType type, ObjectNode json) {
    KubeObject object = stamp(json);
    String key = key(type, object.namespace(), object.name());
    uncommitted.add(new Change(revision, key, type, set(key, object), object, false));
    return object;
  }

  /** Deletes an object under the next revision. */
  KubeObject remove(ResourceType type, KubeObject object) {
    KubeObject last = stamp(object.copy().json());
    String key = key(type, object.namespace(), object.name());
    uncommitted.add(new Change(revision, key, type, set(key, null), last, true));
    return last;
  }

  private KubeObject stamp(ObjectNode json) {
    revision++;
    return stamped(new KubeObject(json), revision);
  }

  private static KubeObject stamped(KubeObject object, long revision) {
    object.json().withObject("/metadata").put("resourceVersion", Long.toString(revision));
    return object;
  }

  boolean hasUncommitted() {
    return !uncommitted.isEmpty();
  }

  /** The changes that no batch holds yet, oldest first; they count as being written from now on. */
  List<Change> uncommitted() {
    return List.copyOf(uncommitted);
  }

  /** {@code changes}, the oldest uncommitted ones, are durable. */
  void commit(List<Change> changes, Consumer<Change> committed) {
    for (Change change : changes) {
      uncommitted.removeFirst();
      durableRevision = change.revision();
      history(change.type()).add(change.entry());
      committed.accept(change);
    }
  }

  int uncommittedCount() {
    return uncommitted.size();
  }

  /** Nothing that is uncommitted will ever be durable. Revisions are not used again. */
  void rollBack() {
    rollBackTo(0);
  }

  /** Takes back the newest changes, so that {@code count} uncommitted ones are left. */
  void rollBackTo(int count) {
    while (uncommitted.size() > count) {
      Change change = uncommitted.removeLast();
      set(change.key(), change.before());
    }
  }

  /** Every object as the journal keeps it. */
  Collection<StoredObject> live() {
    List<StoredObject> live = new ArrayList<>();
    objects.forEach(
        (key, object) ->
            live.add(
                StoredObject.newBuilder()
                    .setKey(key)
                    .setResourceVersion(object.resourceVersion())
                    .setJson(encode(object))
                    .build()));
    return live;
  }
}
