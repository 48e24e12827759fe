package dev.paramecium.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.policy.PolicyRepository.Subject;
import dev.paramecium.policy.rule.CiliumPolicy;
import dev.paramecium.policy.rule.KubernetesPolicy;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.policy.rule.PolicyRule;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.yaml.snakeyaml.Yaml;

/**
 * A node's policy state in a test: identities by number, policies as YAML, maps as sorted lines.
 */
final class PolicyFixture {

  static final int HOST = 1;
  static final int WORLD = 2;
  static final int WEB = 1000;
  static final int DB = 2000;
  static final int OTHER = 3000;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int HTTP_PROXY = 10_000;

  final SelectorCache cache = new SelectorCache();
  final PolicyOptions options;
  final PolicyRepository repository;
  NamedPorts ports = NamedPorts.NONE;
  NamedPorts allPorts = NamedPorts.NONE;

  PolicyFixture() {
    this(PolicyOptions.DEFAULT);
  }

  PolicyFixture(PolicyOptions options) {
    this.options = options;
    repository = new PolicyRepository(cache, options);
    identity(HOST, "reserved:host");
    identity(WORLD, "reserved:world");
    identity(4, "reserved:health");
    identity(6, "reserved:remote-node");
    identity(7, "reserved:kube-apiserver", "reserved:remote-node");
    pod(WEB, "default", "app=web");
    pod(DB, "default", "app=db");
    pod(OTHER, "other", "app=web");
  }

  void identity(int number, String... labels) {
    cache.update(Map.of(number, LabelSet.parse(List.of(labels))), List.of());
  }

  void pod(int number, String namespace, String... labels) {
    identity(number, podLabels(namespace, labels));
  }

  static String[] podLabels(String namespace, String... labels) {
    List<String> all = new java.util.ArrayList<>();
    all.add("k8s:io.kubernetes.pod.namespace=" + namespace);
    all.add("k8s:io.cilium.k8s.policy.cluster=default");
    all.add("k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=" + namespace);
    for (String label : labels) {
      all.add("k8s:" + label);
    }
    return all.toArray(String[]::new);
  }

  static KubeObject object(String yaml) {
    JsonNode json = JSON.valueToTree(new Yaml().load(yaml));
    return new KubeObject((ObjectNode) json);
  }

  /** Puts a policy of any of the three kinds in force. */
  PolicyFixture apply(String yaml) {
    KubeObject object = object(yaml);
    List<PolicyRule> rules =
        object.kind().equals(KubernetesPolicy.KIND)
            ? List.of(KubernetesPolicy.rule(object))
            : CiliumPolicy.rules(object);
    repository.replace(rules.getFirst().policy(), rules);
    return this;
  }

  /** A CiliumNetworkPolicy in default, about app=db, with these sections (YAML, two spaces in). */
  PolicyFixture aboutDb(String sections) {
    return apply(
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: p%d, namespace: default}
        spec:
          endpointSelector: {matchLabels: {app: db}}
        %s
        """
            .formatted(repository.revision(), sections.indent(2)));
  }

  MapState map(int identity) {
    LabelSet labels = cache.labels(identity);
    Subject subject = Subject.of(identity, labels);
    return EndpointPolicy.resolve(
        repository.resolve(subject), ports, allPorts, _ -> HTTP_PROXY, options, subject.host());
  }

  /** {@code ingress 1000 80/TCP allow}, sorted; a redirect has its proxy port instead. */
  SortedSet<String> lines(int identity) {
    SortedSet<String> lines = new TreeSet<>();
    new TreeMap<>(
            map(identity).entries().entrySet().stream()
                .collect(java.util.stream.Collectors.toMap(e -> e.getKey().toString(), e -> e)))
        .forEach((_, entry) -> lines.add(line(entry)));
    return lines;
  }

  private static String line(Map.Entry<dev.paramecium.abi.PolicyKey, MapState.Entry> entry) {
    var key = entry.getKey();
    String verdict =
        entry.getValue().deny()
            ? "deny"
            : entry.getValue().proxyPort() == 0 ? "allow" : "proxy " + entry.getValue().proxyPort();
    return (key.egress() ? "egress " : "ingress ")
        + key.securityIdentity()
        + " "
        + key.destinationPort()
        + "/"
        + key.protocol()
        + " "
        + verdict;
  }
}
