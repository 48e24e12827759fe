package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;

/** The keys of a ConfigMap or of a Secret with their bytes. */
final class ConfigKeys {

  private ConfigKeys() {}

  /** By key, sorted. */
  static Map<String, byte[]> of(KubeObject object) {
    Map<String, byte[]> keys = new TreeMap<>();
    boolean secret = object.kind().equals("Secret");
    for (Map.Entry<String, JsonNode> entry : object.at("/data").properties()) {
      String text = entry.getValue().asText();
      keys.put(
          entry.getKey(),
          secret ? Base64.getDecoder().decode(text) : text.getBytes(StandardCharsets.UTF_8));
    }
    for (Map.Entry<String, JsonNode> entry : object.at("/binaryData").properties()) {
      keys.put(entry.getKey(), Base64.getDecoder().decode(entry.getValue().asText()));
    }
    return keys;
  }
}
