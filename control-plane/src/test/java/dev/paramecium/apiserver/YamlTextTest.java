package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.error.YAMLException;

class YamlTextTest {

  @Test
  void expandsAliases() {
    assertThat(YamlText.parse("a: &x {b: 1}\nc: *x").toString())
        .isEqualTo("{\"a\":{\"b\":1},\"c\":{\"b\":1}}");
  }

  @Test
  void refusesAliasesThatGrowBeyondAnyObject() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x, x]\n");
    for (int i = 1; i <= 16; i++) {
      bomb.append("a%d: &a%d [*a%d, *a%d, *a%d]\n".formatted(i, i, i - 1, i - 1, i - 1));
    }
    assertThatThrownBy(() -> YamlText.parse(bomb.toString()))
        .isInstanceOf(YAMLException.class)
        .hasMessageContaining("more than 200000 values");
  }

  @Test
  void refusesAListThatIsInItself() {
    assertThatThrownBy(() -> YamlText.parse("a: &a [*a]"))
        .isInstanceOf(YAMLException.class)
        .hasMessageContaining("levels deep");
  }
}
