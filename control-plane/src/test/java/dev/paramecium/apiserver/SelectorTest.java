package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class SelectorTest {

  private static KubeObject labelled(Map<String, String> labels) {
    KubeObject object = Objects.object("{'metadata':{'name':'a','namespace':'default'}}");
    labels.forEach((key, value) -> object.json().withObject("/metadata/labels").put(key, value));
    return object;
  }

  private static boolean matches(String selector, Map<String, String> labels)
      throws StatusException {
    return Selector.parse(ResourceType.POD, selector, "").matches(labelled(labels));
  }

  @Property(tries = 300)
  void eachOperatorAgreesWithItsMeaning(
      @ForAll @AlphaChars @StringLength(min = 1, max = 2) String key,
      @ForAll @Size(min = 1, max = 3)
          List<@AlphaChars @StringLength(min = 1, max = 2) String> values,
      @ForAll @Size(max = 3)
          Map<
                  @AlphaChars @StringLength(min = 1, max = 2) String,
                  @AlphaChars @StringLength(max = 2) String>
              labels)
      throws StatusException {
    Map<String, String> all = new HashMap<>(labels);
    String value = all.get(key);
    String list = String.join(",", values);
    assertThat(matches(key + "=" + values.getFirst(), all))
        .isEqualTo(values.getFirst().equals(value));
    assertThat(matches(key + "==" + values.getFirst(), all))
        .isEqualTo(values.getFirst().equals(value));
    assertThat(matches(key + "!=" + values.getFirst(), all))
        .isEqualTo(!values.getFirst().equals(value));
    assertThat(matches(key + " in (" + list + ")", all))
        .isEqualTo(value != null && values.contains(value));
    assertThat(matches(key + " notin (" + list + ")", all))
        .isEqualTo(value == null || !values.contains(value));
    assertThat(matches(key, all)).isEqualTo(value != null);
    assertThat(matches("!" + key, all)).isEqualTo(value == null);
    assertThat(matches(key + "," + key + " in (" + list + ")", all))
        .isEqualTo(value != null && values.contains(value));
  }

  @Property(tries = 500)
  void anyTextIsASelectorOrAClearRefusal(@ForAll String text) {
    try {
      Selector.parse(ResourceType.POD, text, "").matches(labelled(Map.of("a", "b")));
      Selector.parse(ResourceType.POD, "", text).matches(labelled(Map.of("a", "b")));
    } catch (StatusException e) {
      assertThat(e.reply().code()).isEqualTo(400);
      assertThat(e.reply().message()).isNotEmpty();
    }
  }

  @Test
  void fieldSelectorsKnowTheFieldsOfEachKind() throws StatusException {
    KubeObject pod = Objects.pod("a", "x").copy();
    pod.json().withObject("/spec").put("nodeName", "n1");
    assertThat(Selector.parse(ResourceType.POD, "", "spec.nodeName=n1").matches(pod)).isTrue();
    assertThat(Selector.parse(ResourceType.POD, "", "spec.nodeName!=n1").matches(pod)).isFalse();
    assertThatThrownBy(() -> Selector.parse(ResourceType.NODE, "", "spec.nodeName=n1"))
        .hasMessageContaining("field label not supported: spec.nodeName");
  }
}
