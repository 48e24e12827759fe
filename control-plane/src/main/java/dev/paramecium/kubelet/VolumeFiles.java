package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.kubelet.ContainerInputs.Missing;
import dev.paramecium.kubelet.ContainerInputs.Source;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The files of a pod's volumes, where a container mounts them: {@code configMap}, {@code secret},
 * {@code downwardAPI} and {@code projected}. An {@code emptyDir} is the containers' to fill.
 *
 * @param found the ConfigMaps and Secrets that they refer to, empty for one that is not there
 */
record VolumeFiles(KubeObject pod, PodFields fields, Map<Source, Optional<KubeObject>> found) {

  /** A volume of a pod's spec; a missing node if there is none of that name. */
  static JsonNode volume(KubeObject pod, String name) {
    for (JsonNode volume : pod.at("/spec/volumes")) {
      if (volume.path("name").asText().equals(name)) {
        return volume;
      }
    }
    return MissingNode.getInstance();
  }

  /**
   * The files of a container, by path.
   *
   * @throws Missing if a reference that is not optional leads nowhere
   */
  Map<String, byte[]> of(JsonNode container) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (JsonNode mount : container.path("volumeMounts")) {
      String subPath = mount.path("subPath").asText();
      String where = mount.path("mountPath").asText();
      contents(volume(pod, mount.path("name").asText()), container)
          .forEach(
              (path, bytes) -> {
                if (subPath.isEmpty()) {
                  files.put(where + "/" + path, bytes);
                } else if (path.equals(subPath)) {
                  files.put(where, bytes);
                } else if (path.startsWith(subPath + "/")) {
                  files.put(where + path.substring(subPath.length()), bytes);
                }
              });
    }
    return files;
  }

  /** A volume's files, by their paths in it. */
  private Map<String, byte[]> contents(JsonNode volume, JsonNode container) {
    String name = volume.path("name").asText();
    Map<String, byte[]> files = new LinkedHashMap<>();
    addSource(files, name, volume, "name", "secretName", container);
    for (JsonNode source : volume.at("/projected/sources")) {
      addSource(files, name, source, "name", "name", container);
    }
    return files;
  }

  private void addSource(
      Map<String, byte[]> files,
      String volume,
      JsonNode from,
      String configMapName,
      String secretName,
      JsonNode container) {
    if (from.path("configMap").isObject()) {
      JsonNode reference = from.path("configMap");
      addKeys(files, volume, reference, Source.configMap(reference.path(configMapName)));
    }
    if (from.path("secret").isObject()) {
      JsonNode reference = from.path("secret");
      addKeys(files, volume, reference, Source.secret(reference.path(secretName)));
    }
    for (JsonNode item : from.at("/downwardAPI/items")) {
      files.put(item.path("path").asText(), field(volume, item, container));
    }
  }

  private void addKeys(
      Map<String, byte[]> files, String volume, JsonNode reference, Source source) {
    Optional<KubeObject> object = found.getOrDefault(source, Optional.empty());
    boolean optional = reference.path("optional").asBoolean();
    if (object.isEmpty()) {
      if (!optional) {
        throw failed(volume, source + " not found");
      }
      return;
    }
    Map<String, byte[]> keys = ConfigKeys.of(object.get());
    if (!reference.path("items").isArray()) {
      files.putAll(keys);
      return;
    }
    for (JsonNode item : reference.path("items")) {
      String key = item.path("key").asText();
      if (keys.containsKey(key)) {
        files.put(item.path("path").asText(), keys.get(key));
      } else if (!optional) {
        throw failed(volume, source + " references non-existent config key: " + key);
      }
    }
  }

  private byte[] field(String volume, JsonNode item, JsonNode container) {
    try {
      String text =
          item.path("fieldRef").isObject()
              ? fields.field(item.at("/fieldRef/fieldPath").asText())
              : fields.resource(item.path("resourceFieldRef"), container);
      return text.getBytes(StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw failed(volume, String.valueOf(e.getMessage()));
    }
  }

  private static Missing failed(String volume, String why) {
    return new Missing(true, "MountVolume.SetUp failed for volume \"" + volume + "\" : " + why);
  }
}
