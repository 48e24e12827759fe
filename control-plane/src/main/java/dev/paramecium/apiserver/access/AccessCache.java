package dev.paramecium.apiserver.access;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * The objects that say who may do what, as an informer last told them. One actor a kind writes; any
 * thread reads.
 */
final class AccessCache {

  private static final List<ResourceType> KINDS =
      List.of(
          ResourceType.ROLE,
          ResourceType.CLUSTER_ROLE,
          ResourceType.ROLE_BINDING,
          ResourceType.CLUSTER_ROLE_BINDING,
          ResourceType.SERVICE_ACCOUNT);

  private final Map<ResourceType, Map<String, KubeObject>> objects = new ConcurrentHashMap<>();

  private AccessCache() {
    KINDS.forEach(kind -> objects.put(kind, new ConcurrentHashMap<>()));
  }

  static AccessCache start(ActorSystem<?> system, ApiClient api) {
    AccessCache cache = new AccessCache();
    for (ResourceType kind : KINDS) {
      system.systemActorOf(
          cache.follow(api, kind),
          "access-" + kind.plural() + "-" + UUID.randomUUID(),
          Props.empty());
    }
    return cache;
  }

  /** A cache of these objects, which stay as they are. */
  static AccessCache of(Map<ResourceType, List<KubeObject>> objects) {
    AccessCache cache = new AccessCache();
    objects.forEach((kind, all) -> all.forEach(object -> cache.put(kind, object)));
    return cache;
  }

  private Behavior<InformerEvent> follow(ApiClient api, ResourceType kind) {
    return Behaviors.setup(
        context -> {
          api.inform(kind, "", "", "", context.getSelf());
          return Behaviors.receiveMessage(
              event -> {
                switch (event) {
                  case InformerEvent.Upserted(_, KubeObject current) -> put(kind, current);
                  case InformerEvent.Removed(KubeObject last) -> of(kind).remove(key(last));
                  case InformerEvent.Synced _ -> {}
                }
                return Behaviors.same();
              });
        });
  }

  private void put(ResourceType kind, KubeObject object) {
    of(kind).put(key(object), object);
  }

  private Map<String, KubeObject> of(ResourceType kind) {
    return objects.getOrDefault(kind, Map.of());
  }

  private static String key(KubeObject object) {
    return object.namespace() + "/" + object.name();
  }

  Collection<KubeObject> all(ResourceType kind) {
    return of(kind).values();
  }

  @Nullable KubeObject find(ResourceType kind, String namespace, String name) {
    return of(kind).get(namespace + "/" + name);
  }
}
