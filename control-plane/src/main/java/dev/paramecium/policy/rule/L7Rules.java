package dev.paramecium.policy.rule;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the proxy must check on a port. Null is "not there", an empty list "nothing is allowed".
 *
 * @param protocol {@code l7proto}, empty for none
 * @param keyValues of {@code l7}, for {@code protocol}
 */
public record L7Rules(
    @Nullable List<HttpRule> http,
    @Nullable List<KafkaRule> kafka,
    @Nullable List<FqdnSelector> dns,
    String protocol,
    @Nullable List<Map<String, String>> keyValues) {

  public static final L7Rules NONE = new L7Rules(null, null, null, "", null);

  public boolean isEmpty() {
    return http == null && kafka == null && dns == null && protocol.isEmpty();
  }

  static boolean hasSome(@Nullable List<?> rules) {
    return rules != null && !rules.isEmpty();
  }
}
