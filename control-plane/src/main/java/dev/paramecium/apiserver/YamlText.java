package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** A request's YAML as JSON. Aliases are expanded, as far as that stays an object one can store. */
public final class YamlText {

  /** An object of 1.5 MiB, which is as large as one may be, has fewer values. */
  private static final int MAX_VALUES = 200_000;

  private YamlText() {}

  /**
   * Parses one document.
   *
   * @throws YAMLException if it is not YAML, or would be too deep or too large without aliases
   */
  public static JsonNode parse(String text) {
    Object document = new Yaml(new SafeConstructor(new LoaderOptions())).load(text);
    count(document, 0, 0);
    return Bounds.reader().valueToTree(document);
  }

  /** How many values there are with this one and what is in it; aliases count where they stand. */
  private static int count(Object value, int depth, int before) {
    int values = before + 1;
    if (values > MAX_VALUES) {
      throw new YAMLException("with its aliases expanded it has more than 200000 values");
    }
    if (depth > Bounds.MAX_DEPTH) {
      throw new YAMLException(
          "with its aliases expanded it is nested more than " + Bounds.MAX_DEPTH + " levels deep");
    }
    Collection<?> children =
        switch (value) {
          case Map<?, ?> map -> map.values();
          case Collection<?> list -> list;
          case null, default -> null;
        };
    if (children != null) {
      for (Object child : children) {
        values = count(child, depth + 1, values);
      }
    }
    return values;
  }
}
