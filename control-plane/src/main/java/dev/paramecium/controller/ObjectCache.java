package dev.paramecium.controller;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a controller knows of the objects that it watches. */
public final class ObjectCache {

  private final Map<String, Map<String, KubeObject>> byKind = new HashMap<>();
  private final Map<String, Long> seen = new HashMap<>();

  void put(KubeObject object) {
    byKind.computeIfAbsent(object.kind(), _ -> new TreeMap<>()).put(key(object), object);
    seen.merge(object.kind(), object.resourceVersion(), Math::max);
  }

  void remove(KubeObject object) {
    byKind.getOrDefault(object.kind(), new TreeMap<>()).remove(key(object));
    seen.merge(object.kind(), object.resourceVersion(), Math::max);
  }

  private static String key(KubeObject object) {
    return object.namespace() + "/" + object.name();
  }

  /** In order of namespace and name. */
  public Collection<KubeObject> all(ResourceType type) {
    return byKind.getOrDefault(type.kind(), Map.of()).values();
  }

  public List<KubeObject> in(ResourceType type, String namespace) {
    return all(type).stream().filter(object -> object.namespace().equals(namespace)).toList();
  }

  public @Nullable KubeObject get(ResourceType type, String namespace, String name) {
    return byKind.getOrDefault(type.kind(), Map.of()).get(namespace + "/" + name);
  }

  /** Whether everything of {@code type} up to {@code revision} is known. */
  boolean hasSeen(ResourceType type, long revision) {
    return seen.getOrDefault(type.kind(), 0L) >= revision;
  }
}
