package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.agent.service.LocalRedirect;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.schema.CustomTypes;
import java.util.List;

/**
 * CiliumLocalRedirectPolicy: refused by what its definition says, and stored with a warning if only
 * the agents will refuse it.
 */
final class LocalRedirectRules extends CustomRules {

  private static final JsonNode SCHEMA =
      CiliumPolicyRules.read("cilium-local-redirect-policy.yaml");

  private LocalRedirectRules() {
    super(SCHEMA);
  }

  /** The kind with the fields and the rules of its definition. */
  static ServedKind serve() {
    ResourceType type = ResourceType.CILIUM_LOCAL_REDIRECT_POLICY;
    return ServedKind.of(type, CustomTypes.of("io.cilium.v2." + type.kind(), SCHEMA))
        .withShortNames("clrp")
        .in("cilium", "ciliumpolicy")
        .withStatus()
        .withRules(new LocalRedirectRules());
  }

  @Override
  public List<String> warnings(KubeObject policy) {
    return AgentRefusals.warnings(policy, LocalRedirect::parse);
  }
}
