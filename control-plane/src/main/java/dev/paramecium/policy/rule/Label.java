package dev.paramecium.policy.rule;

import java.util.Comparator;

/**
 * A label with the source that gave it: {@code k8s:app=web}, {@code reserved:host}, {@code
 * cidr:10.0.0.0/8} (Cilium {@code pkg/labels}).
 *
 * @param source {@code k8s}, {@code reserved}, {@code cidr}, …; in selectors also {@code any}
 * @param value empty for labels that are only a key
 */
public record Label(String source, String key, String value) implements Comparable<Label> {

  public static final String K8S = "k8s";
  public static final String RESERVED = "reserved";
  public static final String CIDR = "cidr";
  public static final String ANY = "any";
  public static final String UNSPECIFIED = "unspec";

  private static final Comparator<Label> ORDER =
      Comparator.comparing(Label::source).thenComparing(Label::key).thenComparing(Label::value);

  public static Label k8s(String key, String value) {
    return new Label(K8S, key, value);
  }

  public static Label reserved(String name) {
    return new Label(RESERVED, name, "");
  }

  /** Reads {@code source:key=value}; without a source it is {@code unspec}. */
  public static Label parse(String text) {
    int equals = text.indexOf('=');
    String name = equals < 0 ? text : text.substring(0, equals);
    String value = equals < 0 ? "" : text.substring(equals + 1);
    int colon = name.indexOf(':');
    if (colon < 0) {
      return new Label(UNSPECIFIED, name, value);
    }
    return new Label(name.substring(0, colon), name.substring(colon + 1), value);
  }

  /** As selectors name it: source and key with a dot between, {@code k8s.app}. */
  public String extendedKey() {
    return source + "." + key;
  }

  /** Whether the other is this one; one without a source is of every source. */
  public boolean selects(Label other) {
    return (source.equals(UNSPECIFIED) || source.equals(ANY) || source.equals(other.source))
        && key.equals(other.key)
        && value.equals(other.value);
  }

  /**
   * The extended key of a key as people write it in a selector: {@code k8s:app} is {@code k8s.app},
   * {@code app} is {@code any.app}, {@code $host} and {@code reserved.host} are {@code
   * reserved.host} (Cilium {@code GetExtendedKeyFrom}).
   */
  public static String extendedKey(String written) {
    String name = written.split("=", 2)[0];
    if (name.startsWith("$")) {
      return RESERVED + "." + name.substring(1);
    }
    int colon = name.indexOf(':');
    if (colon >= 0) {
      String source = name.substring(0, colon);
      return (source.isEmpty() ? ANY : source) + "." + name.substring(colon + 1);
    }
    return name.startsWith(RESERVED + ".") ? name : ANY + "." + name;
  }

  @Override
  public int compareTo(Label other) {
    return ORDER.compare(this, other);
  }

  /** {@code k8s:app=web}; no {@code =} where the value is empty. */
  @Override
  public String toString() {
    return value.isEmpty() ? source + ":" + key : source + ":" + key + "=" + value;
  }
}
