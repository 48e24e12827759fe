package dev.paramecium.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.PolicyKey;
import dev.paramecium.policy.PolicyRepository.Subject;
import dev.paramecium.policy.rule.EndpointSelector;
import dev.paramecium.policy.rule.Label;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.policy.rule.Peers;
import dev.paramecium.policy.rule.PolicyName;
import dev.paramecium.policy.rule.PolicyRule;
import dev.paramecium.policy.rule.PortProtocol;
import dev.paramecium.policy.rule.PortRule;
import dev.paramecium.policy.rule.TrafficRule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random rules over a small world: four labels with two values each, three ports, one pod. */
class PolicyPropertyTest {

  private static final int SUBJECT = 5000;
  private static final int FIRST_PEER = 5001;
  private static final int PEERS = 8;
  private static final List<String> PORTS = List.of("80", "81", "82");

  private record Change(boolean add, int identity, LabelSet labels) {}

  /**
   * However identities and rules come and go, the map is what a fresh start with the last state
   * gives.
   */
  @Property(tries = 300)
  void incrementalEqualsFresh(@ForAll Random random) {
    List<PolicyRule> rules = rules(random, 4);
    SelectorCache cache = new SelectorCache();
    PolicyRepository incremental = repository(cache);
    Map<Integer, LabelSet> now = new java.util.HashMap<>();
    List<PolicyRule> pending = new ArrayList<>(rules);
    for (int step = 0; step < 30; step++) {
      if (!pending.isEmpty() && random.nextInt(4) == 0) {
        PolicyRule rule = pending.removeLast();
        incremental.replace(rule.policy(), List.of(rule));
      }
      PolicyRule withdrawn = rules.get(random.nextInt(rules.size()));
      if (!pending.contains(withdrawn) && random.nextInt(6) == 0) {
        incremental.replace(withdrawn.policy(), List.of());
        pending.add(withdrawn);
      }
      int identity = FIRST_PEER + random.nextInt(PEERS);
      if (random.nextBoolean()) {
        LabelSet labels = labels(random);
        now.put(identity, labels);
        cache.update(Map.of(identity, labels), List.of());
      } else {
        now.remove(identity);
        cache.update(Map.of(), List.of(identity));
      }
      // Asking in between must not change what comes out in the end.
      map(incremental);
    }
    pending.forEach(rule -> incremental.replace(rule.policy(), List.of(rule)));

    SelectorCache freshCache = new SelectorCache();
    PolicyRepository fresh = repository(freshCache);
    freshCache.update(now, List.of());
    List<PolicyRule> shuffled = new ArrayList<>(rules);
    Collections.shuffle(shuffled, random);
    shuffled.forEach(rule -> fresh.replace(rule.policy(), List.of(rule)));
    assertThat(map(incremental).entries()).isEqualTo(map(fresh).entries());
  }

  /** What the datapath finds in the map is what the rules say when one reads them aloud. */
  @Property(tries = 500)
  void theMapSaysWhatTheRulesSay(@ForAll Random random) {
    List<PolicyRule> rules = rules(random, 5);
    SelectorCache cache = new SelectorCache();
    PolicyRepository repository = repository(cache);
    Map<Integer, LabelSet> peers = new java.util.HashMap<>();
    for (int i = 0; i < PEERS; i++) {
      peers.put(FIRST_PEER + i, labels(random));
    }
    cache.update(peers, List.of());
    rules.forEach(rule -> repository.replace(rule.policy(), List.of(rule)));
    MapState map = map(repository);
    peers.forEach(
        (identity, labels) -> {
          for (String port : PORTS) {
            assertThat(lookup(map, identity, Integer.parseInt(port)))
                .as("peer %s %s on port %s by %s", identity, labels, port, rules)
                .isEqualTo(allowed(rules, labels, port));
          }
        });
  }

  /** v1.12.3's {@code __policy_can_access}. */
  private static boolean lookup(MapState map, int identity, int port) {
    for (PolicyKey key :
        List.of(
            new PolicyKey(identity, port, 6, false),
            new PolicyKey(0, port, 6, false),
            new PolicyKey(identity, 0, 0, false),
            new PolicyKey(0, 0, 0, false))) {
      MapState.Entry entry = map.get(key);
      if (entry != null) {
        return !entry.deny();
      }
    }
    return false;
  }

  private static boolean allowed(List<PolicyRule> rules, LabelSet peer, String port) {
    List<PolicyRule> selecting =
        rules.stream().filter(rule -> rule.selects(subject().labels(), false)).toList();
    if (selecting.stream().noneMatch(PolicyRule::closesIngress)) {
      return true;
    }
    boolean denied =
        selecting.stream()
            .flatMap(r -> r.ingressDeny().stream())
            .anyMatch(r -> fits(r, peer, port));
    return !denied
        && selecting.stream().flatMap(r -> r.ingress().stream()).anyMatch(r -> fits(r, peer, port));
  }

  private static boolean fits(TrafficRule rule, LabelSet peer, String port) {
    boolean anyPeer = rule.peers().endpoints().isEmpty();
    if (anyPeer && rule.toPorts().isEmpty()) {
      return false;
    }
    boolean peerFits =
        anyPeer || rule.peers().endpoints().stream().anyMatch(selector -> selector.matches(peer));
    boolean portFits =
        rule.toPorts().isEmpty()
            || rule.toPorts().stream()
                .flatMap(ports -> ports.ports().stream())
                .anyMatch(one -> one.port().equals(port));
    return peerFits && portFits;
  }

  private static PolicyRepository repository(SelectorCache cache) {
    return new PolicyRepository(cache, PolicyOptions.DEFAULT);
  }

  private static Subject subject() {
    return Subject.of(SUBJECT, LabelSet.parse(List.of("k8s:a=0", "k8s:b=1")));
  }

  private static MapState map(PolicyRepository repository) {
    return EndpointPolicy.resolve(
        repository.resolve(subject()),
        NamedPorts.NONE,
        NamedPorts.NONE,
        _ -> 0,
        PolicyOptions.DEFAULT,
        false);
  }

  private static List<PolicyRule> rules(Random random, int most) {
    List<PolicyRule> rules = new ArrayList<>();
    for (int i = 0; i < 1 + random.nextInt(most); i++) {
      PolicyName name = new PolicyName("CiliumNetworkPolicy", "default", "p" + i, "u" + i);
      EndpointSelector subject =
          random.nextBoolean() ? EndpointSelector.WILDCARD : selector(random);
      rules.add(
          new PolicyRule(
              name,
              "spec",
              subject,
              null,
              section(random),
              random.nextBoolean() ? section(random) : List.of(),
              List.of(),
              List.of(),
              name.labels(),
              ""));
    }
    return rules;
  }

  private static List<TrafficRule> section(Random random) {
    List<TrafficRule> section = new ArrayList<>();
    for (int i = 0; i < random.nextInt(3); i++) {
      List<EndpointSelector> peers = new ArrayList<>();
      for (int j = 0; j < random.nextInt(3); j++) {
        peers.add(selector(random));
      }
      List<PortRule> ports = new ArrayList<>();
      for (int j = 0; j < random.nextInt(3); j++) {
        ports.add(
            PortRule.of(
                new PortProtocol(PORTS.get(random.nextInt(PORTS.size())), PortProtocol.TCP)));
      }
      section.add(
          new TrafficRule(
              Peers.ofEndpoints(peers.toArray(EndpointSelector[]::new)), ports, List.of()));
    }
    return section;
  }

  private static EndpointSelector selector(Random random) {
    return EndpointSelector.of(label(random));
  }

  private static LabelSet labels(Random random) {
    return LabelSet.of(label(random), label(random), Label.k8s("always", "there"));
  }

  private static Label label(Random random) {
    return Label.k8s(
        List.of("a", "b", "c", "d").get(random.nextInt(4)), Integer.toString(random.nextInt(2)));
  }
}
