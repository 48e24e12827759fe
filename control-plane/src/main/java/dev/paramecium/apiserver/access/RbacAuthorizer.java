package dev.paramecium.apiserver.access;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.ArrayList;
import java.util.List;

/**
 * Role-based access control ({@code plugin/pkg/auth/authorizer/rbac}): whoever is in {@code
 * system:masters} may do everything; others what the roles allow that are bound to them, at the
 * cluster scope or in the request's namespace.
 */
final class RbacAuthorizer implements Authorizer {

  private final AccessCache cache;

  RbacAuthorizer(AccessCache cache) {
    this.cache = cache;
  }

  @Override
  public boolean allows(User user, Attributes wanted) {
    return user.groups().contains(User.MASTERS)
        || rules(user, wanted.namespace()).stream().anyMatch(rule -> rule.allows(wanted));
  }

  @Override
  public List<Rule> rules(User user, String namespace) {
    List<Rule> rules = new ArrayList<>();
    for (KubeObject binding : cache.all(ResourceType.CLUSTER_ROLE_BINDING)) {
      if (isBound(binding, user)) {
        rules.addAll(rulesOf(binding.at("/roleRef"), ""));
      }
    }
    for (KubeObject binding : cache.all(ResourceType.ROLE_BINDING)) {
      if (binding.namespace().equals(namespace) && isBound(binding, user)) {
        rules.addAll(rulesOf(binding.at("/roleRef"), namespace));
      }
    }
    return rules;
  }

  @Override
  public List<Rule> rulesOf(JsonNode roleRef, String namespace) {
    String name = roleRef.path("name").asText();
    boolean ofCluster = roleRef.path("kind").asText().equals("ClusterRole");
    KubeObject role =
        ofCluster
            ? cache.find(ResourceType.CLUSTER_ROLE, "", name)
            : cache.find(ResourceType.ROLE, namespace, name);
    return role == null ? List.of() : Rule.all(role.at("/rules"));
  }

  private static boolean isBound(KubeObject binding, User user) {
    for (JsonNode subject : binding.at("/subjects")) {
      String name = subject.path("name").asText();
      boolean same =
          switch (subject.path("kind").asText()) {
            case "User" -> name.equals(user.name());
            case "Group" -> user.groups().contains(name);
            case "ServiceAccount" ->
                user.name()
                    .equals(
                        User.SERVICE_ACCOUNT
                            + subject.path("namespace").asText(binding.namespace())
                            + ":"
                            + name);
            default -> false;
          };
      if (same) {
        return true;
      }
    }
    return false;
  }
}
