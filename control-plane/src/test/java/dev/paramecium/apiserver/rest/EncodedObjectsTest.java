package dev.paramecium.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.apiserver.Kinds;
import dev.paramecium.apiserver.ServedKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class EncodedObjectsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Instant NOW = Instant.parse("2026-11-24T00:00:10.5Z");

  private final EncodedObjects encoded = new EncodedObjects();
  private final ServedKind pods = Kinds.standard().find("", "v1", "pods").orElseThrow();

  private static KubeObject pod(String name) {
    try {
      return new KubeObject(
          (ObjectNode)
              JSON.readTree(
                  """
                  {"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s","resourceVersion":"7",
                   "creationTimestamp":"2026-11-24T00:00:00Z"}}
                  """
                      .formatted(name)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void oneVersionIsEncodedOnceForEachShape() throws Exception {
    KubeObject pod = pod("a");
    byte[] whole = encoded.json(pods, pod, null, NOW);
    assertThat(JSON.readTree(whole)).isEqualTo(pod.json());
    assertThat(encoded.json(pods, pod, null, NOW.plusSeconds(60))).isSameAs(whole);

    byte[] table = encoded.json(pods, pod, RowObject.METADATA, NOW);
    assertThat(JSON.readTree(table).at("/rows/0/cells/0").asText()).isEqualTo("a");
    assertThat(encoded.json(pods, pod, RowObject.METADATA, NOW)).isSameAs(table);
    assertThat(encoded.json(pods, pod, RowObject.NONE, NOW)).isNotEqualTo(table);
  }

  @Test
  void theAgesOfATableAreNotOlderThanASecond() throws Exception {
    KubeObject pod = pod("a");
    assertThat(age(encoded.json(pods, pod, RowObject.METADATA, NOW))).isEqualTo("10s");
    assertThat(age(encoded.json(pods, pod, RowObject.METADATA, NOW.plusSeconds(1))))
        .isEqualTo("11s");
  }

  private static String age(byte[] table) throws Exception {
    JsonNode cells = JSON.readTree(table).at("/rows/0/cells");
    return cells.get(4).asText();
  }

  @Test
  void equalObjectsAreNotTakenForEachOtherAndManyDoNotMix() throws Exception {
    for (int i = 0; i < 3 * EncodedObjects.KEPT; i++) {
      KubeObject pod = pod("pod-" + i);
      assertThat(JSON.readTree(encoded.json(pods, pod, null, NOW))).isEqualTo(pod.json());
    }
  }
}
