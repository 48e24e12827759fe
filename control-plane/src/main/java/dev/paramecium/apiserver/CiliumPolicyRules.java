package dev.paramecium.apiserver;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.schema.CustomTypes;
import dev.paramecium.policy.rule.CiliumPolicy;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;

/**
 * CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: refused by what their definitions say,
 * and stored with a warning if only the agents will refuse them.
 */
final class CiliumPolicyRules extends CustomRules {

  private static final JsonNode SCHEMA = read("cilium-policy.yaml");

  private CiliumPolicyRules() {
    super(SCHEMA);
  }

  /** {@code type} with the fields and the rules of its definition. */
  static ServedKind serve(ResourceType type) {
    return ServedKind.of(type, CustomTypes.of("io.cilium.v2." + type.kind(), SCHEMA))
        .in("cilium", "ciliumpolicy")
        .withStatus()
        .withRules(new CiliumPolicyRules());
  }

  @Override
  public List<String> warnings(KubeObject policy) {
    return AgentRefusals.warnings(policy, CiliumPolicy::rules);
  }

  /** A schema that lies beside the API server. */
  static JsonNode read(String name) {
    try (InputStream in = CustomTypes.class.getResourceAsStream(name)) {
      return YamlText.parse(new String(Objects.requireNonNull(in).readAllBytes(), UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
