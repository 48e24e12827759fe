package dev.paramecium.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.schema.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code metadata.managedFields}: who has said what of an object.
 *
 * <p>A create, update or patch takes the fields that it changes. An apply takes the fields that its
 * configuration names, gives back those that it no longer names, and is in conflict where another
 * manager has set a field otherwise.
 */
public final class ManagedFields {

  /** What identifies an object, or is the server's: nobody manages it. */
  private static final List<String> SERVERS_METADATA =
      List.of(
          "name",
          "namespace",
          "creationTimestamp",
          "selfLink",
          "uid",
          "generation",
          "managedFields",
          "resourceVersion");

  private ManagedFields() {}

  /**
   * Who writes.
   *
   * @param name as {@code kubectl-client-side-apply}
   * @param subresource empty for the object itself
   * @param time RFC 3339
   */
  public record Manager(String name, String subresource, String time) {}

  /**
   * A field that another manager has set otherwise.
   *
   * @param manager as a message names it
   * @param path as {@code .spec.replicas}
   */
  public record Conflict(String manager, String path) {}

  /** What an apply makes of an object; nothing if it is in conflict. */
  public record Applied(ObjectNode object, List<Conflict> conflicts) {}

  /** Says in {@code after} that the manager has made of {@code before} what it is now. */
  public static void update(
      Type.Struct type, @Nullable ObjectNode before, ObjectNode after, Manager manager) {
    JsonNode entries = before == null ? null : before.path("metadata").path("managedFields");
    JsonNode own = after.path("metadata").path("managedFields");
    ObjectNode now = managed(after);
    ObjectNode changed = TypedValues.changed(type, before == null ? null : managed(before), now);
    if (changed == null) {
      keep(after, entries);
      return;
    }
    changed.remove(FieldSets.SELF);
    ObjectNode present = TypedValues.fields(type, now, true);
    present.remove(FieldSets.SELF);
    List<ObjectNode> next = new ArrayList<>();
    ObjectNode mine = null;
    for (JsonNode entry : own.isEmpty() && entries != null ? entries : own) {
      boolean isMine = is(entry, manager, "Update", after.path("apiVersion").asText());
      JsonNode set = entry.path("fieldsV1");
      ObjectNode left =
          FieldSets.intersection(
              isMine ? FieldSets.unionOfRoots(set, changed) : FieldSets.difference(set, changed),
              present);
      if (!FieldSets.isEmptyRoot(left)) {
        ObjectNode kept = entry.deepCopy();
        kept.set("fieldsV1", left);
        if (isMine) {
          mine = kept.put("time", manager.time());
        }
        next.add(kept);
      }
    }
    if (mine == null) {
      ObjectNode set = FieldSets.intersection(changed, present);
      if (!FieldSets.isEmptyRoot(set)) {
        next.add(entry(manager, "Update", after, Objects.requireNonNull(set)));
      }
    }
    ArrayNode list = after.withObject("/metadata").putArray("managedFields");
    next.forEach(list::add);
  }

  private static void keep(ObjectNode after, @Nullable JsonNode entries) {
    if (entries != null && !entries.isMissingNode()) {
      after.withObject("/metadata").set("managedFields", entries.deepCopy());
    }
  }

  /**
   * Applies a configuration.
   *
   * @param live null if there is no such object yet
   */
  public static Applied apply(
      Type.Struct type,
      @Nullable ObjectNode live,
      ObjectNode configuration,
      Manager manager,
      boolean force) {
    ObjectNode wanted = managed(configuration);
    ObjectNode mine = TypedValues.fields(type, wanted, false);
    ObjectNode merged =
        live == null
            ? configuration.deepCopy()
            : (ObjectNode) TypedValues.merge(type, live, wanted);
    ObjectNode changed =
        live == null ? null : TypedValues.changed(type, managed(live), managed(merged));
    String apiVersion = configuration.path("apiVersion").asText();
    List<ObjectNode> next = new ArrayList<>();
    List<Conflict> conflicts = new ArrayList<>();
    ObjectNode others = null;
    JsonNode before = null;
    JsonNode entries =
        live == null
            ? JsonNodeFactory.instance.arrayNode()
            : live.path("metadata").path("managedFields");
    for (JsonNode entry : entries) {
      if (is(entry, manager, "Apply", apiVersion)) {
        before = entry.path("fieldsV1");
        continue;
      }
      ObjectNode set = entry.path("fieldsV1").deepCopy();
      ObjectNode contested = FieldSets.intersection(set, changed);
      if (contested != null && !FieldSets.isEmptyRoot(contested)) {
        FieldSets.paths(contested).forEach(p -> conflicts.add(new Conflict(name(entry), p)));
        set = FieldSets.difference(set, contested);
      }
      if (set != null && !set.isEmpty()) {
        ObjectNode kept = entry.deepCopy();
        kept.set("fieldsV1", set);
        next.add(kept);
        others = FieldSets.unionOfRoots(others, set);
      }
    }
    if (!conflicts.isEmpty() && !force) {
      return new Applied(merged, conflicts);
    }
    ObjectNode givenBack = FieldSets.difference(FieldSets.difference(before, mine), others);
    if (givenBack != null) {
      TypedValues.remove(type, merged, givenBack);
    }
    boolean same = before != null && before.equals(mine);
    ObjectNode entry = entry(manager, "Apply", configuration, mine);
    for (JsonNode old : entries) {
      if (same && is(old, manager, "Apply", apiVersion)) {
        entry.set("time", old.path("time"));
      }
    }
    ArrayNode list = merged.withObject("/metadata").putArray("managedFields");
    if (!mine.isEmpty()) {
      list.add(entry);
    }
    next.forEach(list::add);
    return new Applied(merged, List.of());
  }

  private static ObjectNode managed(ObjectNode object) {
    ObjectNode managed = object.deepCopy();
    managed.remove(List.of("apiVersion", "kind"));
    if (managed.get("metadata") instanceof ObjectNode metadata) {
      metadata.remove(SERVERS_METADATA);
      if (metadata.isEmpty()) {
        managed.remove("metadata");
      }
    }
    return managed;
  }

  private static boolean is(JsonNode entry, Manager manager, String operation, String apiVersion) {
    return entry.path("manager").asText().equals(manager.name())
        && entry.path("operation").asText().equals(operation)
        && entry.path("apiVersion").asText().equals(apiVersion)
        && entry.path("subresource").asText().equals(manager.subresource());
  }

  private static ObjectNode entry(
      Manager manager, String operation, ObjectNode object, ObjectNode fields) {
    ObjectNode entry = JsonNodeFactory.instance.objectNode();
    entry
        .put("manager", manager.name())
        .put("operation", operation)
        .put("apiVersion", object.path("apiVersion").asText())
        .put("time", manager.time())
        .put("fieldsType", "FieldsV1")
        .set("fieldsV1", fields);
    if (!manager.subresource().isEmpty()) {
      entry.put("subresource", manager.subresource());
    }
    return entry;
  }

  private static String name(JsonNode entry) {
    String name = "\"" + entry.path("manager").asText() + "\"";
    if (!entry.path("subresource").asText().isEmpty()) {
      name += " with subresource \"" + entry.path("subresource").asText() + "\"";
    }
    if (entry.path("operation").asText().equals("Update")) {
      name += " using " + entry.path("apiVersion").asText();
      if (!entry.path("time").asText().isEmpty()) {
        name += " at " + entry.path("time").asText();
      }
    }
    return name;
  }

  /** What an apply is refused with. */
  public static String message(List<Conflict> conflicts) {
    if (conflicts.size() == 1) {
      Conflict one = conflicts.getFirst();
      return "Apply failed with 1 conflict: conflict with " + one.manager() + ": " + one.path();
    }
    Map<String, List<String>> byManager = new TreeMap<>();
    for (Conflict conflict : conflicts) {
      byManager.computeIfAbsent(conflict.manager(), _ -> new ArrayList<>()).add(conflict.path());
    }
    Map<String, String> lines = new LinkedHashMap<>();
    byManager.forEach(
        (manager, paths) ->
            lines.put(
                manager,
                paths.size() == 1
                    ? "conflict with " + manager + ": " + paths.getFirst()
                    : "conflicts with " + manager + ":\n- " + String.join("\n- ", paths)));
    return "Apply failed with "
        + conflicts.size()
        + " conflicts: "
        + String.join("\n", lines.values());
  }
}
