package dev.paramecium.policy;

import static dev.paramecium.policy.PolicyFixture.DB;
import static dev.paramecium.policy.PolicyFixture.HOST;
import static dev.paramecium.policy.PolicyFixture.OTHER;
import static dev.paramecium.policy.PolicyFixture.WEB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.policy.PolicyOptions.Enforcement;
import dev.paramecium.policy.rule.Cidr;
import dev.paramecium.policy.rule.FqdnSelector;
import dev.paramecium.policy.rule.InvalidRuleException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The entries of one endpoint's policy map, for what v1.12.3's own resolution tests are about. */
class PolicyResolutionTest {

  private static final String LOCALHOST = "ingress 1 0/0 allow";
  private static final String OPEN_EGRESS = "egress 0 0/0 allow";
  private static final String OPEN_INGRESS = "ingress 0 0/0 allow";

  private final PolicyFixture node = new PolicyFixture();

  @Test
  void withoutRulesBothDirectionsAreOpen() {
    assertThat(node.lines(DB)).containsExactlyInAnyOrder(OPEN_INGRESS, OPEN_EGRESS, LOCALHOST);
  }

  @Test
  void aRuleClosesOnlyTheDirectionsItHasSectionsFor() {
    node.aboutDb("ingress: [{}]");
    assertThat(node.lines(DB)).containsExactlyInAnyOrder(OPEN_EGRESS, LOCALHOST);
    node.aboutDb("egress: [{}]");
    assertThat(node.lines(DB)).containsExactly(LOCALHOST);
    assertThat(node.lines(WEB)).contains(OPEN_INGRESS, OPEN_EGRESS);
  }

  @Test
  void peersAndPortsMakeEntriesByIdentity() {
    node.aboutDb(
        """
        ingress:
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "5432", protocol: TCP}]}]
        - fromEndpoints: [{matchLabels: {app: web, "k8s:io.kubernetes.pod.namespace": other}}]
        """);
    assertThat(node.lines(DB))
        .containsExactlyInAnyOrder(
            OPEN_EGRESS, LOCALHOST, "ingress 1000 5432/6 allow", "ingress 3000 0/0 allow");
  }

  @Test
  void anyProtocolIsTcpAndUdp() {
    node.aboutDb("ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: \"53\"}]}]}]");
    assertThat(node.lines(DB))
        .containsExactlyInAnyOrder(
            OPEN_EGRESS,
            LOCALHOST,
            "ingress 1000 53/6 allow",
            "ingress 1000 53/17 allow",
            "ingress 2000 53/6 allow",
            "ingress 2000 53/17 allow");
  }

  @Test
  void anEmptyPeerListOpensThePortsToAllAndWithoutPortsNothing() {
    node.aboutDb(
        "ingress: [{fromEndpoints: [], toPorts: [{ports: [{port: \"80\", protocol: TCP}]}]}]");
    assertThat(node.lines(DB)).contains("ingress 0 80/6 allow");
    PolicyFixture second = new PolicyFixture().aboutDb("ingress: [{fromEndpoints: []}]");
    assertThat(second.lines(DB)).containsExactlyInAnyOrder(OPEN_EGRESS, LOCALHOST);
  }

  @Test
  void anEntryForOnePeerIsLeftOutWhereAllPeersHaveThePort() {
    node.aboutDb(
        """
        ingress:
        - toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        """);
    assertThat(node.lines(DB))
        .containsExactlyInAnyOrder(OPEN_EGRESS, LOCALHOST, "ingress 0 80/6 allow");
  }

  @Test
  void aNamedPortIsAFilterOfItsOwn() {
    node.ports = NamedPorts.ofPod(List.of(new NamedPorts.Declared("web", 80, "TCP")));
    node.aboutDb(
        """
        ingress:
        - toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "WEB", protocol: TCP}]}]
        """);
    assertThat(node.lines(DB)).contains("ingress 0 80/6 allow", "ingress 1000 80/6 allow");
  }

  @Test
  void aNamedPortOfAnotherProtocolOrOfNobodyOpensNothing() {
    node.ports = NamedPorts.ofPod(List.of(new NamedPorts.Declared("dns", 53, "UDP")));
    node.aboutDb(
        """
        ingress:
        - toPorts: [{ports: [{port: dns, protocol: TCP}, {port: nobody, protocol: TCP}]}]
        """);
    assertThat(node.lines(DB)).containsExactlyInAnyOrder(OPEN_EGRESS, LOCALHOST);
  }

  @Test
  void anEgressNameWithTwoNumbersStandsForNone() {
    NamedPorts one = NamedPorts.ofPod(List.of(new NamedPorts.Declared("web", 80, "TCP")));
    NamedPorts two = NamedPorts.ofPod(List.of(new NamedPorts.Declared("web", 8080, "TCP")));
    node.aboutDb("egress: [{toPorts: [{ports: [{port: web, protocol: TCP}]}]}]");
    node.allPorts = NamedPorts.ofPods(List.of(one));
    assertThat(node.lines(DB)).contains("egress 0 80/6 allow");
    node.allPorts = NamedPorts.ofPods(List.of(one, two));
    assertThat(node.lines(DB)).noneMatch(line -> line.startsWith("egress"));
  }

  @Test
  void denyingAPeerTakesItsAllowsAndNamesItOnOpenPorts() {
    node.aboutDb(
        """
        ingress:
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "5432", protocol: TCP}]}]
        - toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        ingressDeny:
        - fromEndpoints: [{matchLabels: {app: web}}]
        """);
    assertThat(node.lines(DB))
        .containsExactlyInAnyOrder(
            OPEN_EGRESS,
            LOCALHOST,
            "ingress 0 80/6 allow",
            "ingress 1000 0/0 deny",
            "ingress 1000 80/6 deny");
  }

  @Test
  void denyingAPortForAllTakesTheAllowsOfOnePeer() {
    node.aboutDb(
        """
        ingress:
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        ingressDeny:
        - toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        """);
    assertThat(node.lines(DB))
        .containsExactlyInAnyOrder(OPEN_EGRESS, LOCALHOST, "ingress 0 80/6 deny");
  }

  @Test
  void denyingEverybodyLeavesNothingElseNotEvenTheNode() {
    node.aboutDb(
        """
        ingress: [{fromEntities: [all]}]
        ingressDeny: [{fromEntities: [all]}]
        """);
    assertThat(node.lines(DB)).containsExactlyInAnyOrder(OPEN_EGRESS, "ingress 0 0/0 deny");
  }

  @Test
  void denyingTheHostReplacesTheLocalhostEntry() {
    node.aboutDb("ingressDeny: [{fromEntities: [host]}]");
    assertThat(node.lines(DB)).containsExactlyInAnyOrder(OPEN_EGRESS, "ingress 1 0/0 deny");
  }

  @Test
  void aDenyWithoutProtocolHasProtocolZero() {
    node.aboutDb("ingressDeny: [{fromEntities: [world], toPorts: [{ports: [{port: \"80\"}]}]}]");
    assertThat(node.lines(DB)).contains("ingress 2 80/0 deny");
  }

  @Test
  void entitiesSelectTheirReservedIdentities() {
    node.identity(16_777_217, cidrLabels("192.0.2.0/24"));
    node.aboutDb("ingress: [{fromEntities: [world]}]");
    assertThat(node.lines(DB))
        .contains("ingress 2 0/0 allow", "ingress 16777217 0/0 allow")
        .doesNotContain("ingress 6 0/0 allow");
    PolicyFixture remote = new PolicyFixture().aboutDb("ingress: [{fromEntities: [remote-node]}]");
    assertThat(remote.lines(DB)).contains("ingress 6 0/0 allow", "ingress 7 0/0 allow");
    PolicyFixture cluster = new PolicyFixture().aboutDb("egress: [{toEntities: [cluster]}]");
    assertThat(cluster.lines(DB))
        .contains(
            "egress 1 0/0 allow",
            "egress 4 0/0 allow",
            "egress 6 0/0 allow",
            "egress 1000 0/0 allow",
            "egress 3000 0/0 allow")
        .doesNotContain("egress 2 0/0 allow");
  }

  @Test
  void aWiderBlockSelectsTheIdentityOfANarrowerOne() {
    node.identity(16_777_217, cidrLabels("10.1.0.0/16"));
    node.identity(16_777_218, cidrLabels("10.2.0.0/16"));
    node.aboutDb("egress: [{toCIDR: [10.0.0.0/8]}, {toCIDR: [10.2.3.0/24]}]");
    assertThat(node.lines(DB)).contains("egress 16777217 0/0 allow", "egress 16777218 0/0 allow");
    assertThat(node.repository.blocks())
        .containsExactlyInAnyOrder(Cidr.parse("10.0.0.0/8"), Cidr.parse("10.2.3.0/24"));
  }

  @Test
  void allOfIpv4IsTheWorldAndNoPod() {
    node.aboutDb("egress: [{toCIDRSet: [{cidr: 0.0.0.0/0}]}]");
    assertThat(node.lines(DB))
        .containsExactlyInAnyOrder(OPEN_INGRESS, LOCALHOST, "egress 2 0/0 allow");
  }

  @Test
  void requirementsOfOneRuleBindThePeersOfAnother() {
    node.pod(4000, "default", "app=web", "team=a");
    node.aboutDb("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]");
    node.aboutDb("ingress: [{fromRequires: [{matchLabels: {team: a}}]}]");
    assertThat(node.lines(DB))
        .containsExactlyInAnyOrder(OPEN_EGRESS, LOCALHOST, "ingress 4000 0/0 allow");
  }

  @Test
  void icmpTypesStandInThePlaceOfPorts() {
    node.aboutDb("ingress: [{fromEntities: [world], icmps: [{fields: [{type: 8}, {type: 0}]}]}]");
    assertThat(node.lines(DB))
        .containsExactlyInAnyOrder(
            OPEN_EGRESS, LOCALHOST, "ingress 2 8/1 allow", "ingress 2 0/1 allow");
  }

  @Test
  void httpRulesRedirectToTheProxy() {
    node.aboutDb(
        """
        ingress:
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{path: /a}]}}]
        """);
    assertThat(node.lines(DB)).contains("ingress 1000 80/6 proxy 10000");
  }

  @Test
  void aPeerOfAnOpenPortIsRedirectedIfItsRuleSaysSo() {
    node.aboutDb(
        """
        ingress:
        - toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{path: /a}]}}]
        """);
    assertThat(node.lines(DB)).contains("ingress 0 80/6 allow", "ingress 1000 80/6 proxy 10000");
  }

  @Test
  void whereAllAreRedirectedNoPeerIsLetPast() {
    node.aboutDb(
        """
        ingress:
        - toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{}]}}]
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        """);
    assertThat(node.lines(DB))
        .containsExactlyInAnyOrder(OPEN_EGRESS, LOCALHOST, "ingress 0 80/6 proxy 10000");
  }

  @Test
  void httpRulesForTheSamePeerAddUp() {
    node.aboutDb(
        """
        ingress:
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{path: /a}]}}]
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{path: /b}]}}]
        - fromEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        """);
    L4Filter filter = node.repository.resolve(subject(DB)).ingress().get("80/TCP");
    assertThat(filter.parser()).isEqualTo("http");
    PeerPolicy peer = filter.peers().values().iterator().next();
    assertThat(peer.l7().http())
        .extracting(dev.paramecium.policy.rule.HttpRule::path)
        .containsExactly("/a", "/b", "");
    assertThat(peer.origins()).hasSize(3);
  }

  @Test
  void twoProxiesOnOnePortCannotStandTogether() {
    node.aboutDb(
        """
        ingress:
        - toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{}]}}]
        - toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {kafka: [{topic: a}]}}]
        """);
    assertThatThrownBy(() -> node.repository.resolve(subject(DB)))
        .isInstanceOf(InvalidRuleException.class)
        .hasMessage("cannot merge conflicting L7 parsers (kafka/http)");
  }

  @Test
  void namesSelectWhatTheirAddressesHave() {
    FqdnSelector name = new FqdnSelector("example.org", "");
    node.aboutDb("egress: [{toFQDNs: [{matchName: example.org}]}]");
    assertThat(node.lines(DB)).noneMatch(line -> line.startsWith("egress"));
    node.identity(16_777_220, cidrLabels("192.0.2.1/32"));
    assertThat(node.cache.updateName(name, Set.of(16_777_220))).isNotNull();
    assertThat(node.lines(DB)).contains("egress 16777220 0/0 allow");
  }

  @Test
  void dnsRulesRedirectUdpToo() {
    node.aboutDb(
        """
        egress:
        - toEndpoints: [{matchLabels: {app: web}}]
          toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchPattern: "*"}]}}]
        """);
    assertThat(node.lines(DB))
        .contains("egress 1000 53/6 proxy 10000", "egress 1000 53/17 proxy 10000");
  }

  @Test
  void enforcementModes() {
    PolicyFixture always =
        new PolicyFixture(new PolicyOptions(Enforcement.ALWAYS, true, false, "default"));
    assertThat(always.lines(DB)).containsExactly(LOCALHOST);
    PolicyFixture never =
        new PolicyFixture(new PolicyOptions(Enforcement.NEVER, true, false, "default"));
    never.aboutDb("ingress: [{}]\negress: [{}]");
    assertThat(never.lines(DB)).containsExactlyInAnyOrder(OPEN_INGRESS, OPEN_EGRESS, LOCALHOST);
  }

  @Test
  void anInitialisingEndpointIsClosed() {
    node.identity(5, "reserved:init");
    assertThat(node.lines(5)).containsExactly(LOCALHOST);
  }

  @Test
  void nodeSelectorsAreAboutTheHostAndOnlyWithTheHostFirewall() {
    String policy =
        """
        apiVersion: cilium.io/v2
        kind: CiliumClusterwideNetworkPolicy
        metadata: {name: nodes}
        spec:
          nodeSelector: {}
          ingress: [{fromEntities: [cluster]}]
        """;
    assertThat(node.apply(policy).lines(HOST)).containsExactlyInAnyOrder(OPEN_INGRESS, OPEN_EGRESS);
    PolicyFixture firewall =
        new PolicyFixture(new PolicyOptions(Enforcement.DEFAULT, true, true, "default"));
    assertThat(firewall.apply(policy).lines(HOST))
        .contains("ingress 6 0/0 allow", "ingress 1000 0/0 allow", OPEN_EGRESS)
        .doesNotContain(OPEN_INGRESS, "ingress 2 0/0 allow");
    assertThat(firewall.lines(DB)).contains(OPEN_INGRESS);
  }

  @Test
  void everyEntryKnowsItsRule() {
    node.apply(
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: allow-web, namespace: default, uid: u1}
        spec:
          podSelector: {matchLabels: {app: db}}
          ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]
        """);
    assertThat(node.map(DB).get(new dev.paramecium.abi.PolicyKey(WEB, 80, 6, false)).origins())
        .extracting(RuleOrigin::toString)
        .containsExactly("NetworkPolicy default/allow-web spec.ingress[0]");
    assertThat(node.repository.resolve(subject(DB)).closedIngressBy())
        .extracting(RuleOrigin::toString)
        .containsExactly("NetworkPolicy default/allow-web spec");
  }

  @Test
  void aChangeConcernsWhomOldOrNewRulesSelect() {
    node.aboutDb("ingress: [{}]");
    assertThat(node.repository.revision()).isEqualTo(2);
    var policy = node.repository.rules().getFirst().policy();
    var concerns = node.repository.replace(policy, List.of());
    assertThat(concerns.test(subject(DB))).isTrue();
    assertThat(concerns.test(subject(WEB))).isFalse();
    assertThat(node.lines(DB)).contains(OPEN_INGRESS);
  }

  @Test
  void aPeersIdentityThatGoesTakesItsEntriesAlong() {
    node.aboutDb("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]");
    assertThat(node.lines(DB)).contains("ingress 1000 0/0 allow");
    assertThat(node.cache.update(Map.of(), List.of(WEB))).hasSize(1);
    assertThat(node.lines(DB)).doesNotContain("ingress 1000 0/0 allow");
    assertThat(node.cache.update(Map.of(), List.of(OTHER))).isEmpty();
  }

  private PolicyRepository.Subject subject(int identity) {
    return PolicyRepository.Subject.of(identity, node.cache.labels(identity));
  }

  private static String[] cidrLabels(String cidr) {
    return Cidr.parse(cidr).identityLabels().labels().stream()
        .map(Object::toString)
        .toArray(String[]::new);
  }
}
