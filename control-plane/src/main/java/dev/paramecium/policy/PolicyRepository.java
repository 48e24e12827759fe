package dev.paramecium.policy;

import dev.paramecium.policy.rule.Cidr;
import dev.paramecium.policy.rule.FqdnSelector;
import dev.paramecium.policy.rule.Label;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.policy.rule.PolicyName;
import dev.paramecium.policy.rule.PolicyRule;
import dev.paramecium.policy.rule.TrafficRule;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * All rules that the agent has, and what they say of an identity (Cilium {@code
 * pkg/policy/repository.go}). Every change gives a new revision. Not thread-safe: it belongs to the
 * agent.
 */
public final class PolicyRepository {

  private final SelectorCache selectors;
  private final PolicyOptions options;
  private final Map<PolicyName, List<PolicyRule>> policies = new LinkedHashMap<>();
  private final Map<Integer, Resolved> resolved = new HashMap<>();
  private long revision = 1;

  private record Resolved(LabelSet labels, SelectorPolicy policy) {}

  public PolicyRepository(SelectorCache selectors, PolicyOptions options) {
    this.selectors = selectors;
    this.options = options;
  }

  /** 1 before any rule came. */
  public long revision() {
    return revision;
  }

  /** In the order in which their policies came. */
  public List<PolicyRule> rules() {
    return policies.values().stream().flatMap(List::stream).toList();
  }

  public List<PolicyRule> rules(PolicyName policy) {
    return policies.getOrDefault(policy, List.of());
  }

  /**
   * Puts {@code rules} in the place of all that {@code policy} had; none removes it.
   *
   * @return whom the change may concern, by the labels of an endpoint's identity
   */
  public Predicate<Subject> replace(PolicyName policy, List<PolicyRule> rules) {
    List<PolicyRule> old =
        rules.isEmpty() ? policies.remove(policy) : policies.put(policy, List.copyOf(rules));
    revision++;
    List<PolicyRule> touched =
        Stream.concat(old == null ? Stream.empty() : old.stream(), rules.stream()).toList();
    Predicate<Subject> concerns =
        subject ->
            touched.stream().anyMatch(rule -> rule.selects(subject.labels(), subject.host()));
    resolved
        .entrySet()
        .removeIf(entry -> concerns.test(Subject.of(entry.getKey(), entry.getValue().labels())));
    return concerns;
  }

  /**
   * An endpoint as rules see it.
   *
   * @param host whether it is the node itself
   */
  public record Subject(int identity, LabelSet labels, boolean host) {

    private static final Label HOST = Label.reserved("host");

    public static Subject of(int identity, LabelSet labels) {
      return new Subject(identity, labels, labels.has(HOST));
    }
  }

  /**
   * What the rules say of {@code subject}, worked out once for each revision that concerns it.
   *
   * @throws dev.paramecium.policy.rule.InvalidRuleException if two rules cannot stand together; the
   *     endpoint then keeps what it has
   */
  public SelectorPolicy resolve(Subject subject) {
    Resolved known = resolved.get(subject.identity());
    if (known != null && known.labels().equals(subject.labels())) {
      return known.policy();
    }
    SelectorPolicy policy = compute(subject);
    resolved.put(subject.identity(), new Resolved(subject.labels(), policy));
    return policy;
  }

  private SelectorPolicy compute(Subject subject) {
    if (subject.host() && !options.hostFirewall()) {
      return open();
    }
    List<PolicyRule> matching =
        rules().stream().filter(rule -> rule.selects(subject.labels(), subject.host())).toList();
    boolean init = subject.labels().has(Label.reserved("init"));
    boolean ingress;
    boolean egress;
    switch (options.enforcement()) {
      case ALWAYS -> {
        ingress = true;
        egress = true;
      }
      case DEFAULT -> {
        ingress = init || matching.stream().anyMatch(PolicyRule::closesIngress);
        egress = init || matching.stream().anyMatch(PolicyRule::closesEgress);
      }
      case NEVER -> {
        return open();
      }
      default -> throw new IllegalStateException("enforcement " + options.enforcement());
    }
    return new SelectorPolicy(
        ingress,
        egress,
        ingress
            ? L4PolicyBuilder.build(matching, true, selectors, options)
            : new java.util.TreeMap<>(),
        egress
            ? L4PolicyBuilder.build(matching, false, selectors, options)
            : new java.util.TreeMap<>(),
        origins(matching, PolicyRule::closesIngress),
        origins(matching, PolicyRule::closesEgress));
  }

  private static SelectorPolicy open() {
    return new SelectorPolicy(
        false, false, new java.util.TreeMap<>(), new java.util.TreeMap<>(), Set.of(), Set.of());
  }

  private static Set<RuleOrigin> origins(List<PolicyRule> rules, Predicate<PolicyRule> closes) {
    Set<RuleOrigin> origins = new TreeSet<>();
    for (PolicyRule rule : rules) {
      if (closes.test(rule)) {
        origins.add(new RuleOrigin(rule.policy(), rule.spec(), rule.labels()));
      }
    }
    return origins;
  }

  /** Forgets identities that no local endpoint has, and the selectors that only they needed. */
  public void retain(Collection<Integer> localIdentities) {
    resolved.keySet().retainAll(Set.copyOf(localIdentities));
    Set<CachedSelector> used = new HashSet<>();
    resolved.values().forEach(entry -> used.addAll(entry.policy().selectors()));
    selectors.retain(used);
  }

  /** How many filters use a selector. */
  public int users(CachedSelector selector) {
    int users = 0;
    for (Resolved known : resolved.values()) {
      for (Map<String, L4Filter> direction :
          List.of(known.policy().ingress(), known.policy().egress())) {
        users +=
            (int)
                direction.values().stream()
                    .filter(filter -> filter.peers().containsKey(selector))
                    .count();
      }
    }
    return users;
  }

  /** Every selector of names that a rule has. */
  public Set<FqdnSelector> names() {
    Set<FqdnSelector> names = new HashSet<>();
    for (PolicyRule rule : rules()) {
      rule.egress().forEach(entry -> names.addAll(entry.peers().fqdns()));
    }
    return names;
  }

  /**
   * Every address block that a rule names: each needs an identity (Cilium {@code GetCIDRPrefixes}).
   */
  public Set<Cidr> blocks() {
    Set<Cidr> blocks = new HashSet<>();
    for (PolicyRule rule : rules()) {
      List<TrafficRule> all = new ArrayList<>(rule.ingress());
      all.addAll(rule.ingressDeny());
      all.addAll(rule.egress());
      all.addAll(rule.egressDeny());
      all.forEach(entry -> blocks.addAll(entry.peers().blocks()));
    }
    return blocks;
  }
}
