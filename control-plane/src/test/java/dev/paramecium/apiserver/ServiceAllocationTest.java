package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

class ServiceAllocationTest {

  private final List<KubeObject> stored = new ArrayList<>();
  private final Violations violations = new Violations();

  private KubeObject service(String name, String spec) {
    ObjectNode json =
        new ObjectMapper()
            .valueToTree(
                new Yaml()
                    .load(
                        "{metadata: {name: %s, uid: u-%s}, spec: %s}".formatted(name, name, spec)));
    return new KubeObject(json);
  }

  private KubeObject write(KubeObject service, KubeObject old) {
    new ServiceAllocation(stored, old).allocate(service.json(), old, violations);
    return service;
  }

  private KubeObject create(String name, String spec) {
    KubeObject created = write(service(name, spec), null);
    stored.add(created);
    return created;
  }

  @Test
  void everyServiceHasAnAddressOfItsOwnAfterTheApiServers() {
    Set<String> addresses = new HashSet<>();
    for (int i = 0; i < 300; i++) {
      addresses.add(create("s" + i, "{type: ClusterIP}").text("/spec/clusterIP"));
    }
    assertThat(addresses).hasSize(300).doesNotContain("10.96.0.1").contains("10.96.0.2");
    assertThat(violations.isEmpty()).isTrue();
  }

  @Test
  void anAddressThatIsTakenOrOutOfRangeIsRefused() {
    create("a", "{type: ClusterIP, clusterIP: 10.96.7.7}");
    write(service("b", "{type: ClusterIP, clusterIP: 10.96.7.7}"), null);
    assertThat(violations.causes().toString()).contains("provided IP is already allocated");
    Violations others = new Violations();
    new ServiceAllocation(stored, null)
        .allocate(service("c", "{type: ClusterIP, clusterIP: 10.97.0.1}").json(), null, others);
    assertThat(others.causes().toString()).contains("The range of valid IPs is 10.96.0.0/16");
  }

  @Test
  void headlessAndExternalNamesGetNone() {
    assertThat(create("h", "{type: ClusterIP, clusterIP: None}").text("/spec/clusterIP"))
        .isEqualTo("None");
    assertThat(create("e", "{type: ExternalName}").at("/spec/clusterIP").isMissingNode()).isTrue();
  }

  @Test
  void nodePortsAreDistinctAndKept() {
    KubeObject one = create("a", "{type: NodePort, ports: [{port: 80, protocol: TCP}]}");
    KubeObject two = create("b", "{type: NodePort, ports: [{port: 80, protocol: TCP}]}");
    int first = one.at("/spec/ports/0/nodePort").asInt();
    assertThat(first).isBetween(30_000, 32_767);
    assertThat(two.at("/spec/ports/0/nodePort").asInt()).isNotEqualTo(first);
    KubeObject again =
        write(service("a", "{type: NodePort, ports: [{port: 80, protocol: TCP}]}"), one);
    assertThat(again.at("/spec/ports/0/nodePort").asInt()).isEqualTo(first);
    assertThat(again.text("/spec/clusterIP")).isEqualTo(one.text("/spec/clusterIP"));
    KubeObject plain =
        write(
            service("a", "{type: ClusterIP, ports: [{port: 80, nodePort: %d}]}".formatted(first)),
            one);
    assertThat(plain.at("/spec/ports/0").has("nodePort")).isFalse();
    assertThat(violations.isEmpty()).isTrue();
  }

  @Test
  void aNodePortOutOfRangeOrTakenIsRefused() {
    create("a", "{type: NodePort, ports: [{port: 80, nodePort: 30080}]}");
    write(service("b", "{type: NodePort, ports: [{port: 80, nodePort: 30080}]}"), null);
    assertThat(violations.causes().toString()).contains("provided port is already allocated");
    write(service("c", "{type: NodePort, ports: [{port: 80, nodePort: 80}]}"), null);
    assertThat(violations.causes().toString()).contains("The range of valid ports is 30000-32767");
  }
}
