package dev.paramecium.apiserver.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RbacAuthorizerTest {

  private static final User ALICE = User.authenticated("alice", "", List.of("dev"));
  private static final User ROBOT = User.serviceAccount("ci", "robot", "u1");

  private final RbacAuthorizer authorizer =
      new RbacAuthorizer(
          AccessCache.of(
              Map.of(
                  ResourceType.ROLE,
                  List.of(
                      role(
                          "Role",
                          "reader",
                          "default",
                          """
                          {"apiGroups":[""],"resources":["pods","pods/log"],"verbs":["get","list"]},
                          {"apiGroups":[""],"resources":["configmaps"],"resourceNames":["one"],
                           "verbs":["*"]}
                          """)),
                  ResourceType.CLUSTER_ROLE,
                  List.of(
                      role(
                          "ClusterRole",
                          "scaler",
                          "",
                          """
                          {"apiGroups":["*"],"resources":["*/scale"],"verbs":["update"]},
                          {"nonResourceURLs":["/metrics","/logs/*"],"verbs":["get"]}
                          """)),
                  ResourceType.ROLE_BINDING,
                  List.of(
                      binding("RoleBinding", "default", "Role", "reader", "Group", "dev"),
                      binding("RoleBinding", "other", "ClusterRole", "scaler", "User", "alice")),
                  ResourceType.CLUSTER_ROLE_BINDING,
                  List.of(
                      TestCluster.object(
                          """
                          {"kind":"ClusterRoleBinding","metadata":{"name":"r"},
                           "roleRef":{"kind":"ClusterRole","name":"scaler"},
                           "subjects":[{"kind":"ServiceAccount","namespace":"ci","name":"robot"}]}
                          """)))));

  private static KubeObject role(String kind, String name, String namespace, String rules) {
    return TestCluster.object(
        """
        {"kind":"%s","metadata":{"name":"%s","namespace":"%s"},"rules":[%s]}
        """
            .formatted(kind, name, namespace, rules));
  }

  private static KubeObject binding(
      String kind, String namespace, String roleKind, String role, String subject, String name) {
    return TestCluster.object(
        """
        {"kind":"%s","metadata":{"name":"%s-%s","namespace":"%s"},
         "roleRef":{"kind":"%s","name":"%s"},"subjects":[{"kind":"%s","name":"%s"}]}
        """
            .formatted(kind, role, name, namespace, roleKind, role, subject, name));
  }

  private static Attributes wants(String verb, String resource, String namespace, String name) {
    String[] parts = resource.split("/", 2);
    return new Attributes(
        verb, "", parts[0], parts.length > 1 ? parts[1] : "", namespace, name, "");
  }

  private boolean may(User user, String verb, String resource, String namespace, String name) {
    return authorizer.allows(user, wants(verb, resource, namespace, name));
  }

  @Test
  void aRoleHoldsInItsNamespaceForThoseThatItIsBoundTo() {
    assertThat(may(ALICE, "list", "pods", "default", "")).isTrue();
    assertThat(may(ALICE, "get", "pods/log", "default", "p")).isTrue();
    assertThat(may(ALICE, "get", "pods/exec", "default", "p")).isFalse();
    assertThat(may(ALICE, "delete", "pods", "default", "p")).isFalse();
    assertThat(may(ALICE, "list", "pods", "other", "")).isFalse();
    assertThat(may(ALICE, "list", "pods", "", "")).isFalse();
    assertThat(may(User.ANONYMOUS, "list", "pods", "default", "")).isFalse();
  }

  @Test
  void resourceNamesAllowTheseObjectsAlone() {
    assertThat(may(ALICE, "delete", "configmaps", "default", "one")).isTrue();
    assertThat(may(ALICE, "get", "configmaps", "default", "two")).isFalse();
    assertThat(may(ALICE, "list", "configmaps", "default", "")).isFalse();
  }

  @Test
  void aClusterRoleHoldsWhereItIsBound() {
    assertThat(may(ALICE, "update", "deployments/scale", "other", "d")).isTrue();
    assertThat(may(ALICE, "update", "deployments/scale", "default", "d")).isFalse();
    assertThat(may(ROBOT, "update", "deployments/scale", "anywhere", "d")).isTrue();
    assertThat(may(ROBOT, "update", "deployments", "anywhere", "d")).isFalse();
    assertThat(authorizer.allows(ROBOT, Attributes.ofPath("get", "/logs/a/b"))).isTrue();
    assertThat(authorizer.allows(ROBOT, Attributes.ofPath("get", "/metrics/x"))).isFalse();
    assertThat(authorizer.allows(ALICE, Attributes.ofPath("get", "/metrics"))).isFalse();
  }

  @Test
  void mastersMayDoEverything() {
    User admin = User.authenticated("kubernetes-admin", "", List.of(User.MASTERS));
    assertThat(may(admin, "delete", "nodes", "", "n")).isTrue();
    assertThat(authorizer.allows(admin, Attributes.ofPath("get", "/anything"))).isTrue();
  }

  @Test
  void aRefusalSaysWhoWhatAndWhere() {
    assertThat(wants("list", "pods", "default", "").forbidden(ALICE))
        .isEqualTo(
            "pods is forbidden: User \"alice\" cannot list resource \"pods\" in API group \"\" in"
                + " the namespace \"default\"");
    assertThat(
            new Attributes("create", "apps", "deployments", "scale", "", "d", "").forbidden(ALICE))
        .isEqualTo(
            "deployments.apps \"d\" is forbidden: User \"alice\" cannot create resource"
                + " \"deployments/scale\" in API group \"apps\" at the cluster scope");
    assertThat(Attributes.ofPath("get", "/x").forbidden(ALICE))
        .isEqualTo("forbidden: User \"alice\" cannot get path \"/x\"");
  }

  @Test
  void nobodyGivesAwayWhatTheyHaveNot() throws AccessDenied {
    Access access = new Access(null, null, authorizer);
    KubeObject same =
        role(
            "Role",
            "r",
            "default",
            "{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\"]}");
    access.requireNoEscalation(ALICE, ResourceType.ROLE, same);
    KubeObject more =
        role(
            "Role",
            "r",
            "default",
            "{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\",\"delete\"]}");
    assertThatThrownBy(() -> access.requireNoEscalation(ALICE, ResourceType.ROLE, more))
        .isInstanceOf(AccessDenied.class)
        .hasMessageContaining("attempting to grant RBAC permissions not currently held")
        .hasMessageContaining("Verbs:[\"get\" \"delete\"]");
    KubeObject bound = binding("RoleBinding", "default", "ClusterRole", "scaler", "User", "bob");
    assertThatThrownBy(() -> access.requireNoEscalation(ALICE, ResourceType.ROLE_BINDING, bound))
        .isInstanceOf(AccessDenied.class);
    access.requireNoEscalation(ROBOT, ResourceType.ROLE_BINDING, bound);
  }
}
