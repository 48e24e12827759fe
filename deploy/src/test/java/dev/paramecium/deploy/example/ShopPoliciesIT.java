package dev.paramecium.deploy.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.deploy.junit.ClusterUnderTest;
import dev.paramecium.deploy.junit.ParameciumTest;
import dev.paramecium.deploy.verify.Check.Protocol;
import dev.paramecium.deploy.verify.Report.Outcome;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** How a team tests the policies that it ships: with JUnit, in a cluster in the test's own JVM. */
@ParameciumTest(manifests = "shop.yaml")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ShopPoliciesIT {

  @Test
  @Order(1)
  void onlyTheFrontendReachesTheDatabase(ClusterUnderTest cluster) {
    cluster.applyFile("policies.yaml");

    cluster.assertAllowed("shop/frontend", "shop/db:5432");
    cluster.assertDenied("other/client", "shop/db:5432");
    cluster.assertDenied("shop/frontend", "shop/db:5432", Protocol.UDP);
    cluster.assertDenied("other/client", "shop/db", Protocol.ICMP);
    cluster.assertAllowed("other/client", "service shop/frontend:8080");
  }

  @Test
  @Order(2)
  void whatATestAppliedIsGoneInTheNext(ClusterUnderTest cluster) {
    cluster.assertAllowed("other/client", "shop/db:5432");
    cluster.assertAllowed("shop/frontend", "shop/db:5432", Protocol.UDP);
  }

  @Test
  void anOutcomeNamesTheRuleThatDecided(ClusterUnderTest cluster) {
    cluster.applyFile("policies.yaml");

    Outcome outcome = cluster.probe("other/client", "shop/db:5432");

    assertThat(outcome.allowed()).isFalse();
    assertThat(outcome.decisions())
        .contains("shop/db: deny ingress by default deny of NetworkPolicy shop/db spec");
  }

  @Test
  void aFailureSaysWhoDecided(ClusterUnderTest cluster) {
    assertThatThrownBy(() -> cluster.assertDenied("other/client", "shop/db:5432"))
        .isInstanceOf(AssertionError.class)
        .hasMessage(
            """
            other/client to shop/db TCP 5432: allowed, expected denied
              other/client: allow egress by allow-any-egress
              shop/db: allow ingress by allow-any-ingress\
            """);
  }

  @Test
  void aFileOfConnectivityTestsRunsToo(ClusterUnderTest cluster) {
    cluster.verify("shop-test.yaml");
  }

  @Test
  void commandsRunInPods(ClusterUnderTest cluster) {
    assertThat(cluster.exec("shop/frontend", "hostname").strip()).isEqualTo("frontend");
  }

  @Nested
  class WithAnotherLabel {

    @Test
    void theNestedClassSharesTheCluster(ClusterUnderTest cluster) {
      cluster.applyFile("policies.yaml");
      cluster.labelPod("shop/frontend", "app", "other");

      cluster.assertDenied("shop/frontend", "shop/db:5432");
    }
  }
}
