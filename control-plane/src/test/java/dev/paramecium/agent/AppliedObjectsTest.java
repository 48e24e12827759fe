package dev.paramecium.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.VersionDigest;
import org.junit.jupiter.api.Test;

class AppliedObjectsTest {

  private static final String KIND = "NetworkPolicy";

  private final AppliedObjects objects = new AppliedObjects();

  private static KubeObject policy(String name, long version) {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("kind", KIND);
    json.putObject("metadata")
        .put("namespace", "x")
        .put("name", name)
        .put("resourceVersion", Long.toString(version));
    return new KubeObject(json);
  }

  private void there(String name, long version) {
    objects.hear(new InformerEvent.Upserted(null, policy(name, version)));
  }

  private void gone(String name, long versionOfTheDeletion) {
    objects.hear(new InformerEvent.Removed(policy(name, versionOfTheDeletion)));
  }

  private long digest() {
    return objects.heard().digests().get(KIND);
  }

  @Test
  void whatIsThereIsAddedUpInWhateverOrderItCame() {
    there("a", 7);
    there("b", 9);
    there("a", 12);

    assertThat(digest()).isEqualTo(VersionDigest.of(12) + VersionDigest.of(9));
    assertThat(objects.heard().newest()).containsEntry(KIND, 12L);
  }

  @Test
  void aDeletionTakesTheVersionThatWasThereAndNotItsOwn() {
    there("a", 7);
    there("b", 9);
    gone("a", 13);

    assertThat(digest()).isEqualTo(VersionDigest.of(9));
    assertThat(objects.heard().newest()).containsEntry(KIND, 13L);
  }

  @Test
  void aKindWithoutObjectsIsToldOf() {
    assertThat(digest()).isZero();
    there("a", 7);
    gone("a", 8);
    assertThat(digest()).isZero();
  }

  @Test
  void whatWasHeardIsAPictureOfThen() {
    there("a", 7);
    AppliedObjects.Picture then = objects.heard();
    there("b", 8);

    assertThat(then.digests()).containsEntry(KIND, VersionDigest.of(7));
  }
}
