package dev.paramecium.controller;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Owner references with {@code controller: true}: who looks after whom. */
public final class Owners {

  private Owners() {}

  /** The reference to the object's controller, null if it has none. */
  public static @Nullable JsonNode controllerOf(KubeObject object) {
    for (JsonNode owner : object.at("/metadata/ownerReferences")) {
      if (owner.path("controller").asBoolean()) {
        return owner;
      }
    }
    return null;
  }

  public static boolean isControlledBy(KubeObject object, KubeObject owner) {
    JsonNode reference = controllerOf(object);
    return reference != null && reference.path("uid").asText().equals(owner.uid());
  }

  /** What {@code owner} controls among the objects of a type. */
  public static List<KubeObject> controlled(
      ObjectCache cache, ResourceType type, KubeObject owner) {
    return cache.in(type, owner.namespace()).stream()
        .filter(object -> isControlledBy(object, owner))
        .toList();
  }

  /** The name of the object's controller if it is of {@code kind}; null otherwise. */
  public static Reconciler.@Nullable Key ownerOf(KubeObject object, String kind) {
    JsonNode reference = controllerOf(object);
    return reference == null || !reference.path("kind").asText().equals(kind)
        ? null
        : new Reconciler.Key(object.namespace(), reference.path("name").asText());
  }

  /** Makes {@code owner} the controller of what is being made. */
  public static void setController(ObjectNode object, KubeObject owner) {
    object
        .withObject("/metadata")
        .withArray("ownerReferences")
        .addObject()
        .put("apiVersion", owner.apiVersion())
        .put("kind", owner.kind())
        .put("name", owner.name())
        .put("uid", owner.uid())
        .put("controller", true)
        .put("blockOwnerDeletion", true);
  }
}
