package dev.paramecium.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class SecurityLabelsTest {

  private static KubeObject pod(String labels) {
    return TestCluster.object(
        "{\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"default\",\"name\":\"p\",\"labels\":{"
            + labels
            + "}},\"spec\":{}}");
  }

  @Test
  void areThePodsNamespacesAndClustersLabels() {
    SecurityLabels labels =
        SecurityLabels.of(
            pod("\"app\":\"curl\""), Map.of("kubernetes.io/metadata.name", "default"), "kind");
    assertThat(labels.lines())
        .containsExactly(
            "k8s:app=curl",
            "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=default",
            "k8s:io.cilium.k8s.policy.cluster=kind",
            "k8s:io.cilium.k8s.policy.serviceaccount=default",
            "k8s:io.kubernetes.pod.namespace=default");
  }

  @Test
  void leaveOutWhatCiliumsDefaultFilterLeavesOut() {
    assertThat(SecurityLabels.isRelevant("app.kubernetes.io/name")).isTrue();
    assertThat(SecurityLabels.isRelevant("io.kubernetes.pod.namespace")).isTrue();
    assertThat(SecurityLabels.isRelevant("io.kubernetes.container.name")).isFalse();
    assertThat(SecurityLabels.isRelevant("kubernetes.io/hostname")).isFalse();
    assertThat(SecurityLabels.isRelevant("topology.beta.kubernetes.io/zone")).isFalse();
    assertThat(SecurityLabels.isRelevant("k8s.io/x")).isFalse();
    assertThat(SecurityLabels.isRelevant("pod-template-hash")).isFalse();
    assertThat(SecurityLabels.isRelevant("controller-revision-hash")).isFalse();
    assertThat(SecurityLabels.isRelevant("tier")).isTrue();
  }

  @Test
  void survivesTheWayThroughACiliumIdentity() {
    SecurityLabels labels = SecurityLabels.of(pod("\"a\":\"\",\"b\":\"c\""), Map.of(), "default");
    KubeObject identity = CiliumIdentities.create(4711, labels);
    assertThat(CiliumIdentities.number(identity)).isEqualTo(4711);
    assertThat(CiliumIdentities.labels(identity)).isEqualTo(labels);
    assertThat(identity.labels()).containsEntry("b", "c").containsKey("a");
  }

  @Property(tries = 500)
  void haveDifferentKeysIfTheyDiffer(
      @ForAll @Size(max = 3) Map<String, String> one,
      @ForAll @Size(max = 3) Map<String, String> two) {
    SecurityLabels first = new SecurityLabels(new TreeMap<>(one));
    SecurityLabels second = new SecurityLabels(new TreeMap<>(two));
    assertThat(first.key().equals(second.key())).isEqualTo(first.equals(second));
  }

  @Property(tries = 20)
  void walkOverEveryNumberOnce(@ForAll String key) {
    IdentityNumbers numbers = new IdentityNumbers(key);
    BitSet seen = new BitSet();
    for (int attempt = 0; attempt < IdentityNumbers.COUNT; attempt++) {
      int number = numbers.candidate(attempt);
      assertThat(number).isBetween(256, 65535);
      seen.set(number);
    }
    assertThat(seen.cardinality()).isEqualTo(IdentityNumbers.COUNT);
  }
}
