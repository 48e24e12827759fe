package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.syscall.ContainerSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What a container finds at its start beside its image: environment variables and the files of its
 * volumes. The ConfigMaps and Secrets that they come from are read from the API server at each
 * start; {@link VolumeSync} follows those of the volumes.
 *
 * <pre>
 *   pod, container --names--&gt; API server --ConfigMaps, Secrets--&gt; Environment, VolumeFiles --&gt; Inputs
 * </pre>
 */
final class ContainerInputs {

  /**
   * What was found.
   *
   * @param files by path
   * @param mounts directories that it shares with the pod's other containers
   */
  record Inputs(
      Map<String, String> env, Map<String, byte[]> files, List<ContainerSpec.Mount> mounts) {}

  /** A ConfigMap or a Secret of the pod's namespace. */
  record Source(ResourceType type, String name) {

    static Source configMap(JsonNode name) {
      return new Source(ResourceType.CONFIG_MAP, name.asText());
    }

    static Source secret(JsonNode name) {
      return new Source(ResourceType.SECRET, name.asText());
    }

    /** {@code configmap "web"}, as the kubelet writes it. */
    @Override
    public String toString() {
      return type.kind().toLowerCase(Locale.ROOT) + " \"" + name + "\"";
    }
  }

  /** What a manifest refers to and what is not there: the container waits for it. */
  static final class Missing extends RuntimeException {

    private final boolean volume;

    /**
     * @param volume whether a volume lacks it, and not the environment
     */
    Missing(boolean volume, String message) {
      super(message);
      this.volume = volume;
    }

    boolean isOfVolume() {
      return volume;
    }

    @Override
    public String getMessage() {
      return String.valueOf(super.getMessage());
    }
  }

  private final ApiClient api;
  private final ServiceLinks services;

  ContainerInputs(ApiClient api, ServiceLinks services) {
    this.api = api;
    this.services = services;
  }

  /**
   * Finds what a container needs. Completes at once where nothing has to be asked for, and
   * exceptionally with {@link Missing}, or with whatever kept the API server from answering.
   */
  CompletionStage<Inputs> of(KubeObject pod, JsonNode container, PodFields fields) {
    Map<Source, Optional<KubeObject>> found = new HashMap<>();
    List<CompletableFuture<?>> asked = new ArrayList<>();
    for (Source source : sources(pod, container)) {
      if (found.putIfAbsent(source, Optional.empty()) == null) {
        asked.add(read(pod.namespace(), source, found));
      }
    }
    Map<String, String> links = services.of(pod);
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(
            _ -> {
              Map<String, byte[]> files = new VolumeFiles(pod, fields, found).of(container);
              Map<String, String> env = new Environment(fields, found).of(container, links);
              return new Inputs(env, files, sharedDirectories(pod, container, env));
            });
  }

  /** Where the container mounts emptyDirs of the pod. */
  private static List<ContainerSpec.Mount> sharedDirectories(
      KubeObject pod, JsonNode container, Map<String, String> env) {
    List<ContainerSpec.Mount> mounts = new ArrayList<>();
    for (JsonNode mount : container.path("volumeMounts")) {
      String volume = mount.path("name").asText();
      if (VolumeFiles.volume(pod, volume).path("emptyDir").isObject()) {
        String subPath =
            mount.path("subPathExpr").isTextual()
                ? Environment.expand(mount.path("subPathExpr").asText(), env)
                : mount.path("subPath").asText();
        mounts.add(new ContainerSpec.Mount(mount.path("mountPath").asText(), volume, subPath));
      }
    }
    return mounts;
  }

  private CompletableFuture<?> read(
      String namespace, Source source, Map<Source, Optional<KubeObject>> found) {
    return api.get(source.type(), namespace, source.name())
        .thenAccept(
            reply -> {
              switch (reply) {
                case ApiReply.Stored stored -> {
                  synchronized (found) {
                    found.put(source, Optional.of(stored.object()));
                  }
                }
                case ApiReply.Failed failed when failed.code() == 404 -> {}
                case ApiReply.Failed failed -> throw new IllegalStateException(failed.message());
                case ApiReply.Deleted _, ApiReply.Listed _ ->
                    throw new IllegalStateException("no object in answer to a get");
              }
            })
        .toCompletableFuture();
  }

  private static List<Source> sources(KubeObject pod, JsonNode container) {
    List<Source> sources = new ArrayList<>();
    for (JsonNode from : container.path("envFrom")) {
      add(sources, from, "configMapRef", "secretRef", "name");
    }
    for (JsonNode variable : container.path("env")) {
      add(sources, variable.path("valueFrom"), "configMapKeyRef", "secretKeyRef", "name");
    }
    sources.addAll(ofVolumes(pod, container));
    return sources;
  }

  /** What the volumes show that a container mounts. */
  static List<Source> ofVolumes(KubeObject pod, JsonNode container) {
    List<Source> sources = new ArrayList<>();
    for (JsonNode mount : container.path("volumeMounts")) {
      JsonNode volume = VolumeFiles.volume(pod, mount.path("name").asText());
      add(sources, volume, "configMap", "-", "name");
      add(sources, volume, "-", "secret", "secretName");
      for (JsonNode projected : volume.at("/projected/sources")) {
        add(sources, projected, "configMap", "secret", "name");
      }
    }
    return sources;
  }

  private static void add(
      List<Source> sources, JsonNode from, String configMap, String secret, String name) {
    if (from.path(configMap).isObject()) {
      sources.add(Source.configMap(from.path(configMap).path(name)));
    }
    if (from.path(secret).isObject()) {
      sources.add(Source.secret(from.path(secret).path(name)));
    }
  }
}
