package dev.paramecium.policy;

import static dev.paramecium.policy.PolicyFixture.DB;
import static dev.paramecium.policy.PolicyFixture.WEB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.policy.PolicyOptions.Enforcement;
import dev.paramecium.policy.rule.Cidr;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two sections meet, and the map is this: the combinations that v1.12.3's own tests of {@code
 * pkg/policy} go through. The pod that is about is app=db (2000); app=web is 1000, the world 2, the
 * node 1 with its allow-localhost entry, which is left out here, as is the open egress.
 */
class ResolutionRowsTest {

  private static final String HTTP = "rules: {http: [{path: /a}]}";

  /** What stands there for {@code $web} and others, to keep a row readable. */
  private static String expand(String sections) {
    return sections
        .replace("$web", "fromEndpoints: [{matchLabels: {app: web}}]")
        .replace("$http80", "toPorts: [{ports: [{port: '80', protocol: TCP}], " + HTTP + "}]")
        .replace("$80", "toPorts: [{ports: [{port: '80', protocol: TCP}]}]")
        .replace("$81", "toPorts: [{ports: [{port: '81', protocol: TCP}]}]")
        .replace(" | ", "\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      textBlock =
          """
          ingress: [{$web}, {$80}] => 0 80/6 allow; 1000 0/0 allow
          ingress: [{$web}, {$web, $80}] => 1000 0/0 allow; 1000 80/6 allow
          ingress: [{$web, $80}, {$web, $81}] => 1000 80/6 allow; 1000 81/6 allow
          ingress: [{$80}, {$web, $80}, {$web, $81}] => 0 80/6 allow; 1000 81/6 allow
          ingress: [{fromEndpoints: [{}]}, {$web}] => 1000 0/0 allow; 2000 0/0 allow
          ingress: [{fromEntities: [all]}, {$web, $80}] => 0 0/0 allow; 1000 80/6 allow
          ingress: [{fromEntities: [world, host]}] => 2 0/0 allow
          ingress: [{fromEntities: [kube-apiserver]}] => 7 0/0 allow
          ingress: [{fromEntities: [remote-node], $80}] => 6 80/6 allow; 7 80/6 allow
          ingress: [{fromEntities: [none]}] => nothing
          ingress: [{$web, $http80}] => 1000 80/6 proxy 10000
          ingress: [{$web}, {$web, $http80}] => 1000 0/0 allow; 1000 80/6 proxy 10000
          ingress: [{$80}, {$http80}] => 0 80/6 proxy 10000
          ingress: [{$http80}, {$web, $81}] => 0 80/6 proxy 10000; 1000 81/6 allow
          ingress: [{$web}, {$web, $80}] | ingressDeny: [{$web}] => 1000 0/0 deny
          ingress: [{$web}] | ingressDeny: [{$web, $80}] => 1000 0/0 allow; 1000 80/6 deny
          ingress: [{$web, $80}] | ingressDeny: [{$web, $80}] => 1000 80/6 deny
          ingress: [{$web, $http80}] | ingressDeny: [{$web, $80}] => 1000 80/6 deny
          ingress: [{$web, $http80}] | ingressDeny: [{$web}] => 1000 0/0 deny
          ingress: [{$80}] | ingressDeny: [{$web}] => 0 80/6 allow; 1000 0/0 deny; 1000 80/6 deny
          ingress: [{$http80}] | ingressDeny: [{$web}] => 0 80/6 proxy 10000; 1000 0/0 deny; 1000 80/6 deny
          ingress: [{$web}] | ingressDeny: [{$80}] => 0 80/6 deny; 1000 0/0 allow
          ingress: [{fromEntities: [all]}] | ingressDeny: [{$web}] => 0 0/0 allow; 1000 0/0 deny
          ingress: [{fromEntities: [all]}] | ingressDeny: [{$web, $80}] => 0 0/0 allow; 1000 80/6 deny
          ingress: [{$web}, {$80}] | ingressDeny: [{fromEntities: [world]}] => 0 80/6 allow; 1000 0/0 allow; 2 0/0 deny; 2 80/6 deny
          ingressDeny: [{$web}] => 1000 0/0 deny
          ingress: [{$web, icmps: [{fields: [{type: 8}, {type: 128, family: IPv6}]}]}] => 1000 8/1 allow; 1000 128/58 allow
          ingress: [{fromCIDR: [0.0.0.0/0], $80}] => 2 80/6 allow
          ingress: [{$web, toPorts: [{ports: [{port: '53', protocol: UDP}, {port: '53', protocol: TCP}]}]}] => 1000 53/17 allow; 1000 53/6 allow
          ingress: [{toPorts: [{ports: [{port: '0', protocol: UDP}]}]}] => 0 0/17 allow
          """)
  void theMapIs(String sections, String wanted) {
    assertThat(ingress(expand(sections))).isEqualTo(lines(wanted));
  }

  /** The rules may come in any order and in policies of their own: the map is the same. */
  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      textBlock =
          """
          ingress: [{$80}] => ingressDeny: [{$web}]
          ingress: [{$web}] => ingressDeny: [{$80}]
          ingress: [{fromEntities: [all]}] => ingressDeny: [{$web, $80}]
          ingress: [{$http80}] => ingress: [{$80}]
          ingress: [{$web, $http80}] => ingress: [{$80}]
          ingress: [{$web}] => ingress: [{fromRequires: [{matchLabels: {team: a}}]}]
          """)
  void theOrderOfPoliciesDoesNotMatter(String first, String second) {
    PolicyFixture oneWay = new PolicyFixture().aboutDb(expand(first)).aboutDb(expand(second));
    PolicyFixture otherWay = new PolicyFixture().aboutDb(expand(second)).aboutDb(expand(first));
    assertThat(oneWay.lines(DB)).isEqualTo(otherWay.lines(DB)).hasSizeGreaterThan(1);
  }

  @Test
  void aBlockWithHolesIsTheFewestBlocksAroundThem() {
    PolicyFixture node =
        new PolicyFixture()
            .aboutDb("egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.96.0.0/12]}]}]");
    assertThat(node.repository.blocks())
        .extracting(Cidr::toString)
        .containsExactlyInAnyOrder("10.128.0.0/9", "10.0.0.0/10", "10.64.0.0/11", "10.112.0.0/12");
  }

  @Test
  void requirementsBindPodsAndNoEntities() {
    PolicyFixture node = new PolicyFixture();
    node.aboutDb(
        "ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}, {fromEntities: [world]}]");
    node.aboutDb("ingress: [{fromRequires: [{matchLabels: {team: a}}]}]");
    assertThat(node.lines(DB))
        .contains("ingress 2 0/0 allow")
        .doesNotContain("ingress 1000 0/0 allow");
  }

  @Test
  void aServiceWithoutKnownAddressesClosesEgressAndOpensNothing() {
    PolicyFixture node =
        new PolicyFixture().aboutDb("egress: [{toServices: [{k8sService: {serviceName: s}}]}]");
    assertThat(node.lines(DB)).noneMatch(line -> line.startsWith("egress"));
  }

  @Test
  void withoutAllowLocalhostTheNodeIsAPeerLikeOthers() {
    PolicyFixture node =
        new PolicyFixture(new PolicyOptions(Enforcement.DEFAULT, false, false, "default"));
    node.aboutDb("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]");
    assertThat(node.lines(DB)).noneMatch(line -> line.startsWith("ingress 1 "));
    node.aboutDb("ingress: [{fromEntities: [host]}]");
    assertThat(node.lines(DB)).contains("ingress 1 0/0 allow");
  }

  @Test
  void neverEnforcesNoDenyEitherAndAlwaysClosesWhatNoRuleIsAbout() {
    PolicyFixture never =
        new PolicyFixture(new PolicyOptions(Enforcement.NEVER, true, false, "default"));
    never.aboutDb("ingressDeny: [{fromEntities: [all]}]");
    assertThat(never.lines(DB)).contains("ingress 0 0/0 allow").noneMatch(l -> l.endsWith("deny"));
    PolicyFixture always =
        new PolicyFixture(new PolicyOptions(Enforcement.ALWAYS, true, false, "default"));
    always.aboutDb("ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]");
    assertThat(always.lines(DB))
        .containsExactlyInAnyOrder("ingress 1 0/0 allow", "ingress 1000 0/0 allow");
    assertThat(always.lines(WEB)).containsExactly("ingress 1 0/0 allow");
  }

  @Test
  void aNamedPortOfIngressIsTheSubjectsAndOfTwoProtocolsTheOneTheRuleNames() {
    PolicyFixture node = new PolicyFixture();
    node.ports =
        NamedPorts.ofPod(
            List.of(
                new NamedPorts.Declared("dns-tcp", 5353, "TCP"),
                new NamedPorts.Declared("dns", 53, "UDP")));
    node.aboutDb("ingress: [{toPorts: [{ports: [{port: dns, protocol: ANY}, {port: dns-tcp}]}]}]");
    assertThat(node.lines(DB))
        .contains("ingress 0 53/17 allow", "ingress 0 5353/6 allow")
        .doesNotContain("ingress 0 53/6 allow", "ingress 0 5353/17 allow");
  }

  private static SortedSet<String> ingress(String sections) {
    SortedSet<String> lines = new TreeSet<>();
    for (String line : new PolicyFixture().aboutDb(sections).lines(DB)) {
      if (line.startsWith("ingress ") && !line.equals("ingress 1 0/0 allow")) {
        lines.add(line.substring("ingress ".length()));
      }
    }
    return lines;
  }

  private static SortedSet<String> lines(String wanted) {
    return wanted.equals("nothing")
        ? new TreeSet<>()
        : new TreeSet<>(List.of(wanted.split("; ", -1)));
  }
}
