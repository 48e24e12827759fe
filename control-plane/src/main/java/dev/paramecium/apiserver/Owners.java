package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which objects name which as their owner: the store's keys by the owner's uid. */
final class Owners {

  private final Map<String, Set<String>> dependents = new HashMap<>();

  /** An object has become another; null is none. */
  void change(String key, @Nullable KubeObject before, @Nullable KubeObject after) {
    if (before != null) {
      for (JsonNode owner : before.json().path("metadata").path("ownerReferences")) {
        Set<String> keys = dependents.get(owner.path("uid").asText());
        if (keys != null && keys.remove(key) && keys.isEmpty()) {
          dependents.remove(owner.path("uid").asText());
        }
      }
    }
    if (after != null) {
      for (JsonNode owner : after.json().path("metadata").path("ownerReferences")) {
        dependents.computeIfAbsent(owner.path("uid").asText(), _ -> new LinkedHashSet<>()).add(key);
      }
    }
  }

  List<String> dependentsOf(String uid) {
    return List.copyOf(dependents.getOrDefault(uid, Set.of()));
  }
}
