package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.schema.TypeCheck;
import dev.paramecium.policy.rule.CiliumPolicy;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What v1.12's own example policies use is let in; what its definitions exclude is refused with the
 * field, the value and what is allowed; what only the agents refuse is stored with a warning.
 */
class CiliumPolicyRulesTest {

  private static final ActorTestKit KIT = ActorTestKit.create();

  private final ActorApiClient api =
      new ActorApiClient(
          KIT.system(),
          KIT.spawn(
              ApiServer.inMemory(InstantSource.fixed(Instant.parse("2026-01-02T03:04:05Z")))));

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  /** One line for each feature of {@code examples/policies}: pods, in any namespace. */
  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      textBlock =
          """
          l3 labels => endpointSelector: {matchLabels: {tier: back}}, ingress: [{fromEndpoints: [{matchLabels: {tier: front}}]}]
          l3 egress => endpointSelector: {matchLabels: {tier: front}}, egress: [{toEndpoints: [{matchLabels: {tier: back}}]}]
          everything in => endpointSelector: {matchLabels: {tier: victim}}, ingress: [{fromEndpoints: [{}]}]
          everything out => endpointSelector: {matchLabels: {tier: front}}, egress: [{toEndpoints: [{}]}]
          nothing out => endpointSelector: {matchLabels: {tier: closed}}, egress: [{}]
          a section that is null => endpointSelector: {matchLabels: {tier: closed}}, egress: null
          several values => endpointSelector: {}, ingress: [{fromEndpoints: [{matchExpressions: [{key: tier, operator: In, values: [a, b]}, {key: old, operator: DoesNotExist}]}]}]
          requires => endpointSelector: {matchLabels: {stage: live}}, ingress: [{fromRequires: [{matchLabels: {stage: live}}]}]
          requires out => endpointSelector: {}, egress: [{toRequires: [{matchLabels: {stage: live}}]}]
          blocks => endpointSelector: {matchLabels: {tier: front}}, egress: [{toCIDR: [198.51.100.7/32]}, {toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.32.0.0/12]}]}]
          a block of IPv6 => endpointSelector: {}, ingress: [{fromCIDR: ['2001:db8::/32']}]
          entities => endpointSelector: {}, egress: [{toEntities: [host, remote-node, cluster, kube-apiserver, world, all]}]
          entities in => endpointSelector: {}, ingress: [{fromEntities: [init, health, unmanaged, ingress, none]}]
          a deny of the world => endpointSelector: {}, ingressDeny: [{fromEntities: [world]}], ingress: [{fromEntities: [all]}]
          a deny of a port => endpointSelector: {}, egressDeny: [{toPorts: [{ports: [{port: '25', protocol: TCP}]}]}]
          a service => endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: db, namespace: default}}]}]
          services by label => endpointSelector: {}, egress: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {external: 'yes'}}}}]}]
          groups of a cloud => endpointSelector: {}, egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]
          names => endpointSelector: {}, egress: [{toFQDNs: [{matchName: api.example.com}, {matchPattern: '*.example.org'}]}]
          names and their lookups => endpointSelector: {}, egress: [{toEndpoints: [{matchLabels: {'k8s:k8s-app': kube-dns, 'k8s:io.kubernetes.pod.namespace': kube-system}}], toPorts: [{ports: [{port: '53', protocol: ANY}], rules: {dns: [{matchPattern: '*'}, {matchName: example.com}]}}]}]
          ports => endpointSelector: {}, egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}, {port: '443'}, {port: https, protocol: TCP}]}]}]
          peers and ports => endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {tier: front}}], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]
          blocks and ports => endpointSelector: {}, egress: [{toCIDR: [192.0.2.0/24], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]
          echo requests => endpointSelector: {}, egress: [{icmps: [{fields: [{type: 8, family: IPv4}, {type: 128, family: IPv6}, {type: 0}]}]}]
          pods that begin => endpointSelector: {matchLabels: {'reserved:init': ''}}, egress: [{toEntities: [host]}]
          http => endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET, path: '/v1/.*', headers: ['X-Token: 1'], host: 'a.example.com'}]}}]}]
          http headers => endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{headerMatches: [{name: X-A, value: b, mismatch: REPLACE, secret: {name: s}}]}]}}]}]
          kafka by key => endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '9092', protocol: TCP}], rules: {kafka: [{apiKey: produce, topic: t}, {apiKey: metadata, clientID: c, apiVersion: '0'}]}}]}]
          kafka by role => endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '9092', protocol: TCP}], rules: {kafka: [{role: consume, topic: t}]}}]}]
          another protocol => endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '4040', protocol: TCP}], rules: {l7proto: r2d2, l7: [{cmd: READ}]}}]}]
          tls => endpointSelector: {}, egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], terminatingTLS: {secret: {name: a, namespace: n}}, originatingTLS: {secret: {name: b}}, rules: {http: [{}]}}]}]
          a namespace of its own => endpointSelector: {matchLabels: {}}, ingress: [{fromEndpoints: [{matchLabels: {}}]}]
          another namespace => endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': n2, app: a}}]}]
          labels of a namespace => endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': a}}]}]
          a service account => endpointSelector: {matchLabels: {io.cilium.k8s.policy.serviceaccount: a}}, ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: b}}]}]
          another cluster => endpointSelector: {matchLabels: {io.cilium.k8s.policy.cluster: c1}}, egress: [{toEndpoints: [{matchLabels: {io.cilium.k8s.policy.cluster: c2}}]}]
          labels and a description => endpointSelector: {}, description: why, labels: [{key: a, source: k8s, value: b}], ingress: [{}]
          """)
  void takesWhatTheExamplesUse(String feature, String spec) {
    KubeObject given = policy("CiliumNetworkPolicy", "spec: {" + spec + "}");
    assertThat(TypeCheck.of(kind().schema(), given.json()).unknown()).as(feature).isEmpty();

    KubeObject stored = stored(create(ResourceType.CILIUM_NETWORK_POLICY, given));

    assertThat(kind().rules().warnings(stored)).as(feature).isEmpty();
    assertThat(CiliumPolicy.rules(stored)).as(feature).hasSize(1);
  }

  /** Those about nodes, which only the clusterwide kind has. */
  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      textBlock =
          """
          nodes => nodeSelector: {matchLabels: {type: dev}}, ingress: [{fromEntities: [cluster]}, {toPorts: [{ports: [{port: '22', protocol: TCP}, {port: '8472', protocol: UDP}]}]}]
          nodes to blocks => nodeSelector: {}, egress: [{toCIDR: [192.168.33.0/24]}, {toEntities: [remote-node, health]}]
          all pods of all namespaces => endpointSelector: {matchLabels: {app: a}}, ingress: [{fromEndpoints: [{}]}]
          health endpoints => endpointSelector: {matchLabels: {'reserved:health': ''}}, ingress: [{fromEntities: [remote-node]}], egress: [{toEntities: [remote-node]}]
          """)
  void takesClusterwidePolicies(String feature, String spec) {
    KubeObject given = policy("CiliumClusterwideNetworkPolicy", "spec: {" + spec + "}");
    given.json().withObject("/metadata").remove("namespace");

    KubeObject stored = stored(create(ResourceType.CILIUM_CLUSTERWIDE_NETWORK_POLICY, given));

    assertThat(kind().rules().warnings(stored)).as(feature).isEmpty();
  }

  @Test
  void takesSeveralRulesInOneObject() {
    KubeObject stored =
        stored(
            create(
                ResourceType.CILIUM_NETWORK_POLICY,
                policy(
                    "CiliumNetworkPolicy",
                    "specs: [{endpointSelector: {}, ingress: [{}]},"
                        + " {endpointSelector: {matchLabels: {a: b}}, egress: [{toEntities: [host]}]}]")));
    assertThat(CiliumPolicy.rules(stored)).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      textBlock =
          """
          ingress: [{fromEntities: [mars]}] => spec.ingress[0].fromEntities[0]: Unsupported value: "mars": supported values: "all", "world", "cluster", "host", "init", "ingress", "unmanaged", "remote-node", "health", "none", "kube-apiserver"
          ingress: [{toPorts: [{ports: [{port: '80', protocol: SCTP}]}]}] => spec.ingress[0].toPorts[0].ports[0].protocol: Unsupported value: "SCTP": supported values: "TCP", "UDP", "ANY"
          egressDeny: [{toPorts: [{ports: [{port: '80', protocol: tcp}]}]}] => spec.egressDeny[0].toPorts[0].ports[0].protocol: Unsupported value: "tcp": supported values: "TCP", "UDP", "ANY"
          ingress: [{toPorts: [{ports: [{protocol: TCP}]}]}] => spec.ingress[0].toPorts[0].ports[0].port: Required value
          ingress: [{toPorts: [{ports: [{port: 80}]}]}] => spec.ingress[0].toPorts[0].ports[0].port: Invalid value: "integer": spec.ingress[0].toPorts[0].ports[0].port in body must be of type string: "integer"
          egress: [{icmps: [{fields: [{type: 256}]}]}] => spec.egress[0].icmps[0].fields[0].type: Invalid value: 256: spec.egress[0].icmps[0].fields[0].type in body should be less than or equal to 255
          egress: [{icmps: [{fields: [{type: EchoRequest}]}]}] => spec.egress[0].icmps[0].fields[0].type: Invalid value: "string": spec.egress[0].icmps[0].fields[0].type in body must be of type integer: "string"
          egress: [{icmps: [{fields: [{type: 8, family: IPv5}]}]}] => spec.egress[0].icmps[0].fields[0].family: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"
          ingress: [{fromEndpoints: [{matchExpressions: [{key: a, operator: Like}]}]}] => spec.ingress[0].fromEndpoints[0].matchExpressions[0].operator: Unsupported value: "Like": supported values: "In", "NotIn", "Exists", "DoesNotExist"
          egress: [{toFQDNs: [{matchName: 'a b'}]}] => spec.egress[0].toFQDNs[0].matchName: Invalid value: "a b": spec.egress[0].toFQDNs[0].matchName in body should match '^([-a-zA-Z0-9_]+[.]?)+$'
          egress: [{toCIDRSet: [{except: [10.0.0.0/16]}]}] => spec.egress[0].toCIDRSet[0].cidr: Required value
          egress: {} => spec.egress: Invalid value: "object": spec.egress in body must be of type array: "object"
          ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{headerMatches: [{name: a, mismatch: DROP}]}]}}]}] => spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].mismatch: Unsupported value: "DROP": supported values: "LOG", "ADD", "DELETE", "REPLACE"
          """)
  void refusesWhatTheDefinitionExcludes(String section, String cause) {
    assertThat(causes("spec: {endpointSelector: {}, " + section + "}")).containsExactly(cause);
  }

  @Test
  void refusesAnAddressThatIsNoBlock() {
    for (String block : List.of("10.0.0.1", "10.0.0.0/33", "300.1.1.1/8", "::1")) {
      assertThat(causes("spec: {endpointSelector: {}, ingress: [{fromCIDR: ['" + block + "']}]}"))
          .singleElement()
          .asString()
          .startsWith("spec.ingress[0].fromCIDR[0]: Invalid value: \"" + block + "\": ")
          .contains("should match");
    }
  }

  @Test
  void aRuleIsAboutPodsOrAboutNodes() {
    assertThat(causes("spec: {ingress: [{}]}"))
        .singleElement()
        .asString()
        .startsWith("spec: Invalid value: ")
        .endsWith("spec in body must validate one and only one schema (oneOf)");
    assertThat(causes("specs: [{endpointSelector: {}, nodeSelector: {}}]"))
        .singleElement()
        .asString()
        .startsWith("specs[0]: Invalid value: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      textBlock =
          """
          ingress: [{toPorts: [{ports: [{port: '99999', protocol: TCP}]}]}] => Unable to parse port: strconv.ParseUint: parsing "99999": value out of range
          egress: [{toServices: [{k8sService: {serviceName: a}}], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}] => Combining ToServices and ToPorts is not supported yet
          ingress: [{fromEndpoints: [{}], fromEntities: [world]}] => Combining FromEndpoints and FromEntities is not supported yet
          """)
  void warnsOfWhatOnlyTheAgentsRefuse(String section, String refusal) {
    KubeObject given =
        policy("CiliumNetworkPolicy", "spec: {endpointSelector: {}, " + section + "}");
    KubeObject stored = stored(create(ResourceType.CILIUM_NETWORK_POLICY, given));
    assertThat(kind().rules().warnings(stored))
        .containsExactly(
            "the agents refuse p and enforce nothing of this version of it: Invalid"
                + " CiliumNetworkPolicy spec: "
                + refusal);
  }

  private static ServedKind kind() {
    return CiliumPolicyRules.serve(ResourceType.CILIUM_NETWORK_POLICY);
  }

  private static KubeObject policy(String kind, String rest) {
    return new KubeObject(
        (ObjectNode)
            YamlText.parse(
                "apiVersion: cilium.io/v2\nkind: "
                    + kind
                    + "\nmetadata: {name: p, namespace: default}\n"
                    + rest));
  }

  private ApiReply create(ResourceType type, KubeObject policy) {
    return api.create(type, policy).toCompletableFuture().join();
  }

  private static KubeObject stored(ApiReply reply) {
    assertThat(reply).isInstanceOf(ApiReply.Stored.class);
    return ((ApiReply.Stored) reply).object();
  }

  private List<String> causes(String rest) {
    ApiReply reply =
        create(ResourceType.CILIUM_NETWORK_POLICY, policy("CiliumNetworkPolicy", rest));
    assertThat(reply).isInstanceOf(ApiReply.Failed.class);
    return ((ApiReply.Failed) reply)
        .about().causes().stream().map(cause -> cause.field() + ": " + cause.message()).toList();
  }
}
