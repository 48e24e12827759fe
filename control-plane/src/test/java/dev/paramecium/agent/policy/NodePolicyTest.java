package dev.paramecium.agent.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.agent.desired.Claim;
import dev.paramecium.api.KubeObject;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.policy.PolicyOptions;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.syscall.ProxyConfig;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

class NodePolicyTest {

  private static final int DB = 10;
  private static final int WEB = 11;
  private static final PolicyKey ANY_INGRESS = new PolicyKey(0, 0, 0, false);

  private final NodePolicy policy = new NodePolicy(PolicyOptions.DEFAULT, new SplittableRandom(1));
  private final Map<Integer, EndpointMap> maps = new TreeMap<>();

  private static KubeObject object(String yaml) {
    return new KubeObject((ObjectNode) new ObjectMapper().valueToTree(new Yaml().load(yaml)));
  }

  private static KubeObject aboutDb(String name, String sections) {
    return object(
        "kind: CiliumNetworkPolicy\nmetadata: {name: %s, namespace: default}\nspec:\n"
                .formatted(name)
            + "  endpointSelector: {matchLabels: {app: db}}\n  "
            + sections);
  }

  private static LabelSet labels(String app) {
    return LabelSet.parse(List.of("k8s:app=" + app, "k8s:io.kubernetes.pod.namespace=default"));
  }

  private void addEndpoints() {
    policy.upsertEndpoint(DB, 1000, labels("db"), NamedPorts.NONE);
    policy.upsertEndpoint(WEB, 2000, labels("web"), NamedPorts.NONE);
    policy.updateIdentities(Map.of(1000, labels("db"), 2000, labels("web")), List.of());
  }

  @Test
  void aNewEndpointGetsItsMapOnce() {
    addEndpoints();
    assertThat(policy.drain()).containsOnlyKeys(DB, WEB);
    assertThat(policy.drain()).isEmpty();
  }

  @Test
  void aPolicyChangesTheMapsOfThoseItSelectsAndTheRevisionOfAll() {
    addEndpoints();
    Map<Integer, EndpointMap> before = policy.drain();
    policy.upsert(aboutDb("p", "ingress: [{}]"));
    Map<Integer, EndpointMap> after = policy.drain();
    assertThat(after.get(DB).ingressClosed()).isTrue();
    assertThat(after.get(DB).entries()).doesNotContainKey(ANY_INGRESS);
    assertThat(after.get(DB).closedIngressBy())
        .containsExactly("CiliumNetworkPolicy default/p spec");
    assertThat(after.get(WEB).entries()).isEqualTo(before.get(WEB).entries());
    assertThat(after.get(WEB).revision()).isEqualTo(before.get(WEB).revision() + 1);
  }

  @Test
  void aPolicyThatIsRefusedLeavesInForceWhatItSaidBefore() {
    addEndpoints();
    policy.upsert(aboutDb("p", "ingress: [{}]"));
    policy.drain();
    String refusal = policy.upsert(aboutDb("p", "ingress: [{fromEntities: [mars]}]"));
    assertThat(refusal).isEqualTo("Invalid CiliumNetworkPolicy spec: unsupported entity: mars");
    assertThat(policy.refusals()).containsValue(refusal);
    assertThat(policy.drain()).isEmpty();
    policy.remove(aboutDb("p", "ingress: [{}]"));
    assertThat(policy.refusals()).isEmpty();
    assertThat(policy.drain().get(DB).entries()).containsKey(ANY_INGRESS);
  }

  @Test
  void addressBlocksHaveAnIdentityAsLongAsARuleNamesThem() {
    addEndpoints();
    policy.upsert(aboutDb("a", "egress: [{toCIDR: [192.0.2.0/24, 0.0.0.0/0]}]"));
    policy.upsert(aboutDb("b", "egress: [{toCIDR: [192.0.2.0/24, 198.51.100.0/24]}]"));
    assertThat(policy.claims()).hasSize(2);
    assertThat(policy.drain().get(DB).entries())
        .containsKeys(
            new PolicyKey(LocalIdentities.FIRST, 0, 0, true),
            new PolicyKey(LocalIdentities.FIRST + 1, 0, 0, true),
            new PolicyKey(2, 0, 0, true));
    List<Claim> both = policy.claims();
    policy.remove(aboutDb("b", ""));
    assertThat(both).containsAll(policy.claims());
    assertThat(policy.claims()).hasSize(1);
    policy.remove(aboutDb("a", ""));
    assertThat(policy.claims()).isEmpty();
  }

  @Test
  void aServiceWithoutSelectorStandsForTheAddressesBehindIt() {
    addEndpoints();
    policy.upsert(aboutDb("p", "egress: [{toServices: [{k8sService: {serviceName: outside}}]}]"));
    policy.upsertService(service("outside", "{}"));
    policy.upsertService(slice("outside", "[192.0.2.7, 192.0.2.8]"));
    assertThat(egress()).hasSize(2);
    assertThat(policy.claims()).hasSize(2);
    policy.upsertService(slice("outside", "[192.0.2.7]"));
    assertThat(egress()).hasSize(1);
    policy.upsertService(service("outside", "{selector: {app: web}}"));
    assertThat(egress()).isEmpty();
    assertThat(policy.claims()).isEmpty();
  }

  @Test
  void servicesAreAlsoNamedByTheirLabelsInWhateverOrderTheyCome() {
    addEndpoints();
    policy.upsertService(slice("outside", "[192.0.2.7]"));
    policy.upsertService(service("outside", "{}"));
    policy.upsert(
        aboutDb(
            "p",
            "egress: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {side:"
                + " outside}}}}]}]"));
    assertThat(egress()).hasSize(1);
    policy.removeService(service("outside", "{}"));
    assertThat(egress()).isEmpty();
  }

  private List<PolicyKey> egress() {
    policy.drain().forEach(maps::put);
    return maps.get(DB).entries().keySet().stream().filter(PolicyKey::egress).toList();
  }

  private static KubeObject service(String name, String spec) {
    return object(
        "kind: Service\nmetadata: {name: %s, namespace: default, labels: {side: %s}}\nspec: %s"
            .formatted(name, name, spec));
  }

  private static KubeObject slice(String service, String addresses) {
    return object(
        "kind: EndpointSlice\nmetadata: {name: %s-1, namespace: default, labels:".formatted(service)
            + " {kubernetes.io/service-name: %s}}\nendpoints: [{addresses: %s}]"
                .formatted(service, addresses));
  }

  @Test
  void rulesThatCannotStandTogetherLeaveTheMapAsItIs() {
    addEndpoints();
    String port = "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: ";
    policy.upsert(aboutDb("a", "ingress: [{" + port + "{http: [{}]}}]}]"));
    EndpointMap before = policy.drain().get(DB);
    policy.upsert(aboutDb("b", "ingress: [{" + port + "{kafka: [{topic: t}]}}]}]"));
    assertThat(policy.drain()).containsOnlyKeys(WEB);
    policy.remove(aboutDb("b", ""));
    assertThat(policy.drain().get(DB).entries()).isEqualTo(before.entries());
  }

  @Test
  void aRedirectHasItsPortOnceTheProxyListens() {
    addEndpoints();
    policy.upsert(
        aboutDb(
            "a",
            "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path:"
                + " /a}]}}]}]"));
    PolicyKey http = new PolicyKey(0, 80, 6, false);
    assertThat(policy.drain().get(DB).entries()).doesNotContainKey(http);
    List<ProxyConfig.Listener> wanted = policy.listeners();
    assertThat(wanted).singleElement().extracting("name").isEqualTo("cilium-http-ingress");
    assertThat(wanted.getFirst().port()).isBetween(10_000, 20_000);

    assertThat(policy.listening(wanted)).isTrue();

    Map<Integer, EndpointMap> changed = policy.drain();
    assertThat(changed).containsOnlyKeys(DB);
    assertThat(changed.get(DB).entries().get(http).proxyPort()).isEqualTo(wanted.getFirst().port());
    assertThat(policy.listening(wanted)).as("news").isFalse();
    ProxyConfig.EndpointRules rules = policy.proxyRules(DB, Ipv4Address.parse("10.0.0.1"));
    assertThat(rules.ingressEnforced()).isTrue();
    assertThat(rules.egressEnforced()).isFalse();
    assertThat(rules.ports()).singleElement().extracting("port").isEqualTo(80);
    assertThat(rules.ports().getFirst().peers().getFirst().http())
        .singleElement()
        .extracting("path")
        .isEqualTo("/a");
  }

  @Test
  void aNameOpensTheAddressesThatAnEndpointWasToldUntilTheyAreTooOld() {
    addEndpoints();
    policy.upsert(aboutDb("a", "egress: [{toFQDNs: [{matchPattern: '*.example.com'}]}]"));
    assertThat(egress()).isEmpty();
    List<Ipv4Address> told = List.of(Ipv4Address.parse("203.0.113.10"));

    assertThat(policy.learnName(DB, "www.example.com.", told, 30, Instant.EPOCH)).isTrue();

    int number = policy.blocks().keySet().iterator().next();
    assertThat(egress()).containsExactly(new PolicyKey(number, 0, 0, true));
    assertThat(policy.claims()).hasSize(1);
    assertThat(policy.learnName(DB, "www.example.com.", told, 30, Instant.EPOCH.plusSeconds(60)))
        .as("known already")
        .isFalse();
    assertThat(
            policy.learnName(
                DB, "example.org.", List.of(Ipv4Address.parse("203.0.113.11")), 30, Instant.EPOCH))
        .as("a name that no rule selects")
        .isFalse();

    // At least an hour from when it was told last.
    assertThat(policy.expireNames(Instant.EPOCH.plusSeconds(3659))).isFalse();
    assertThat(policy.expireNames(Instant.EPOCH.plusSeconds(3661))).isTrue();
    assertThat(egress()).isEmpty();
    assertThat(policy.claims()).isEmpty();
  }

  /**
   * Whatever the order of events, and however often maps are asked for: the same maps in the end.
   */
  @Property(tries = 200)
  void theOrderOfEventsDoesNotMatter(@ForAll Random random) {
    List<Consumer<NodePolicy>> events = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      String app = List.of("db", "web", "cache").get(random.nextInt(3));
      int identity = 1000 + i;
      events.add(p -> p.updateIdentities(Map.of(identity, labels(app)), List.of()));
      if (i < 3) {
        int endpoint = i;
        events.add(p -> p.upsertEndpoint(endpoint, identity, labels(app), NamedPorts.NONE));
      }
    }
    for (int i = 0; i < 4; i++) {
      KubeObject object = aboutDb("p" + i, SECTIONS.get(random.nextInt(SECTIONS.size())));
      events.add(p -> p.upsert(object));
    }
    NodePolicy straight = new NodePolicy(PolicyOptions.DEFAULT, new SplittableRandom(1));
    events.forEach(event -> event.accept(straight));
    Map<Integer, EndpointMap> wanted = straight.drain();

    Collections.shuffle(events, random);
    NodePolicy shuffled = new NodePolicy(PolicyOptions.DEFAULT, new SplittableRandom(1));
    Map<Integer, EndpointMap> got = new java.util.TreeMap<>();
    for (Consumer<NodePolicy> event : events) {
      event.accept(shuffled);
      if (random.nextBoolean()) {
        got.putAll(shuffled.drain());
      }
    }
    got.putAll(shuffled.drain());
    assertThat(verdicts(got)).isEqualTo(verdicts(wanted));
  }

  private static final List<String> SECTIONS =
      List.of(
          "ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]",
          "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]",
          "ingressDeny: [{fromEndpoints: [{matchLabels: {app: web}}]}]",
          "ingressDeny: [{fromEndpoints: [{matchLabels: {app: cache}}],"
              + " toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]",
          "ingress: [{fromEntities: [cluster]}]",
          "egress: [{toEndpoints: [{}]}]",
          "egressDeny: [{toEntities: [all]}]");

  private static Map<Integer, Map<PolicyKey, Boolean>> verdicts(Map<Integer, EndpointMap> maps) {
    Map<Integer, Map<PolicyKey, Boolean>> verdicts = new java.util.TreeMap<>();
    maps.forEach(
        (endpoint, map) -> {
          Map<PolicyKey, Boolean> denied = new java.util.HashMap<>();
          map.entries().forEach((key, entry) -> denied.put(key, entry.deny()));
          verdicts.put(endpoint, denied);
        });
    return verdicts;
  }
}
