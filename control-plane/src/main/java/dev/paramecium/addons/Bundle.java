package dev.paramecium.addons;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Objects that a cluster is given together, once. Their ConfigMap is written last: where it exists
 * they were given, and what the cluster's owner has changed or deleted since stays so.
 */
record Bundle(List<KubeObject> objects, KubeObject configMap) {

  private static final List<ResourceType> TYPES =
      List.of(
          ResourceType.SERVICE_ACCOUNT,
          ResourceType.SERVICE,
          ResourceType.DAEMON_SET,
          ResourceType.DEPLOYMENT);

  Bundle {
    objects = List.copyOf(objects);
  }

  /** The objects, one ConfigMap among them. */
  static Bundle of(List<KubeObject> objects) {
    KubeObject configMap =
        objects.stream()
            .filter(object -> object.kind().equals(ResourceType.CONFIG_MAP.kind()))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("a bundle without a ConfigMap"));
    return new Bundle(objects, configMap);
  }

  /** Completes when the cluster has it, exceptionally if it could not be written now. */
  CompletionStage<Done> install(ApiClient api) {
    return api.get(ResourceType.CONFIG_MAP, configMap.namespace(), configMap.name())
        .thenCompose(
            reply -> {
              if (!(reply instanceof ApiReply.Failed failed)) {
                return CompletableFuture.completedFuture(Done.getInstance());
              }
              if (failed.code() != 404) {
                return CompletableFuture.failedFuture(new IllegalStateException(failed.message()));
              }
              CompletionStage<Done> all = CompletableFuture.completedFuture(Done.getInstance());
              for (ResourceType type : TYPES) {
                for (KubeObject object : objects) {
                  if (object.kind().equals(type.kind())) {
                    all = all.thenCompose(_ -> api.ensure(type, object));
                  }
                }
              }
              return all.thenCompose(_ -> api.ensure(ResourceType.CONFIG_MAP, configMap));
            });
  }
}
