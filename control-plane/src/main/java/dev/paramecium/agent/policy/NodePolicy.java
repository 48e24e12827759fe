package dev.paramecium.agent.policy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.agent.desired.Claim;
import dev.paramecium.api.KubeObject;
import dev.paramecium.policy.CachedSelector;
import dev.paramecium.policy.EndpointPolicy;
import dev.paramecium.policy.L4Filter;
import dev.paramecium.policy.MapState;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.policy.PolicyOptions;
import dev.paramecium.policy.PolicyRepository;
import dev.paramecium.policy.PolicyRepository.Subject;
import dev.paramecium.policy.PolicyTrace;
import dev.paramecium.policy.ProxyRules;
import dev.paramecium.policy.RuleOrigin;
import dev.paramecium.policy.SelectorCache;
import dev.paramecium.policy.SelectorPolicy;
import dev.paramecium.policy.rule.Cidr;
import dev.paramecium.policy.rule.CiliumPolicy;
import dev.paramecium.policy.rule.FqdnSelector;
import dev.paramecium.policy.rule.InvalidRuleException;
import dev.paramecium.policy.rule.KubernetesPolicy;
import dev.paramecium.policy.rule.Label;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.policy.rule.PolicyName;
import dev.paramecium.policy.rule.PolicyRule;
import dev.paramecium.policy.rule.PortProtocol;
import dev.paramecium.syscall.ProxyConfig;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A node's policy: rules, identities and named ports in, the policy map of each endpoint out. It
 * works out again only what a change can concern. Not thread-safe: it belongs to the agent.
 *
 * <pre>
 *   policies, identities, named ports, endpoints  --->  NodePolicy  --drain()-->  endpoint: EndpointMap
 *                                                            |------claims()--->  cidr identities: ipcache
 * </pre>
 */
public final class NodePolicy {

  private record Local(Subject subject, NamedPorts ports) {}

  private final PolicyOptions options;
  private final SelectorCache selectors = new SelectorCache();
  private final PolicyRepository repository;
  private final LocalIdentities local = new LocalIdentities();
  private final ProxyListeners listeners;
  private final FqdnCache fqdns;
  private final ExternalServices services = new ExternalServices();
  private final Map<String, PolicyName> names = new HashMap<>();
  private final Map<String, String> refusals = new TreeMap<>();
  private final Map<Integer, Local> endpoints = new TreeMap<>();
  private final Map<String, NamedPorts> podPorts = new HashMap<>();
  private final Map<Integer, EndpointMap> current = new HashMap<>();
  private final Set<Integer> dirty = new HashSet<>();
  private long drainedRevision;
  private int imports;
  private NamedPorts allPorts = NamedPorts.NONE;

  /**
   * @param random draws the ports of the proxy's listeners
   */
  public NodePolicy(PolicyOptions options, RandomGenerator random) {
    this.options = options;
    this.fqdns = new FqdnCache(options.minTtl());
    this.listeners = new ProxyListeners(random);
    this.repository = new PolicyRepository(selectors, options);
    this.drainedRevision = repository.revision();
    Map<Integer, LabelSet> reserved = new TreeMap<>();
    for (ReservedIdentity identity : ReservedIdentity.values()) {
      if (identity != ReservedIdentity.UNKNOWN) {
        reserved.put(identity.id(), LabelSet.parse(identity.labels()));
      }
    }
    selectors.update(reserved, List.of());
  }

  /** Whether objects of {@code kind} are policies. */
  public static boolean isPolicy(String kind) {
    return kind.equals(KubernetesPolicy.KIND)
        || kind.equals(CiliumPolicy.NAMESPACED)
        || kind.equals(CiliumPolicy.CLUSTERWIDE);
  }

  // ---- rules

  /**
   * Takes a new or changed policy. One that the agent refuses changes nothing: what the policy said
   * before stays in force.
   *
   * @return why it is refused, empty if it is not
   */
  public String upsert(KubeObject policy) {
    String key = key(policy);
    List<PolicyRule> rules;
    try {
      rules =
          policy.kind().equals(KubernetesPolicy.KIND)
              ? List.of(KubernetesPolicy.rule(policy))
              : services.translate(CiliumPolicy.rules(policy));
    } catch (InvalidRuleException e) {
      String why = String.valueOf(e.getMessage());
      refusals.put(key, why);
      return why;
    }
    refusals.remove(key);
    PolicyName name = rules.getFirst().policy();
    PolicyName old = names.put(key, name);
    if (old != null && !old.equals(name)) {
      replace(old, List.of());
    }
    if (!repository.rules(name).equals(rules)) {
      replace(name, rules);
    }
    return "";
  }

  /** The policy is gone. */
  public void remove(KubeObject policy) {
    String key = key(policy);
    refusals.remove(key);
    PolicyName name = names.remove(key);
    if (name != null) {
      replace(name, List.of());
    }
  }

  private static String key(KubeObject policy) {
    return policy.kind() + " " + policy.namespace() + "/" + policy.name();
  }

  private void replace(PolicyName name, List<PolicyRule> rules) {
    Predicate<Subject> concerned = repository.replace(name, rules);
    refreshIdentities();
    endpoints.forEach(
        (id, endpoint) -> {
          if (concerned.test(endpoint.subject())) {
            dirty.add(id);
          }
        });
  }

  /** Every block that a rule names has a number, and every address of a name that one names. */
  private void refreshIdentities() {
    Set<Cidr> blocks = new HashSet<>(repository.blocks());
    Map<FqdnSelector, Set<Cidr>> named = new HashMap<>();
    for (FqdnSelector name : repository.names()) {
      Set<Cidr> addresses =
          fqdns.addresses(name).stream().map(Cidr::ofAddress).collect(Collectors.toSet());
      named.put(name, addresses);
      blocks.addAll(addresses);
    }
    LocalIdentities.Change change = local.keep(blocks);
    Set<CachedSelector> changed = new HashSet<>();
    if (!change.isEmpty()) {
      changed.addAll(selectors.update(change.added(), change.removed()));
    }
    named.forEach(
        (name, addresses) -> {
          Set<Integer> numbers = addresses.stream().map(local::number).collect(Collectors.toSet());
          CachedSelector moved = selectors.updateName(name, numbers);
          if (moved != null) {
            changed.add(moved);
          }
        });
    identitiesChanged(changed);
  }

  // ---- names

  /**
   * An endpoint was told what a name stands for.
   *
   * @return whether a map wants working out
   */
  public boolean learnName(
      int endpoint, String name, List<Ipv4Address> addresses, long ttl, Instant now) {
    return fqdns.learn(endpoint, name, addresses, ttl, now) && namesChanged();
  }

  /** Forgets what was told too long ago; answers whether a map wants working out. */
  public boolean expireNames(Instant now) {
    return fqdns.expire(now) && namesChanged();
  }

  private boolean namesChanged() {
    refreshIdentities();
    return !dirty.isEmpty();
  }

  /** A Service or EndpointSlice is there, or different. */
  public void upsertService(KubeObject object) {
    services.upsert(object);
    translate();
  }

  /** A Service or EndpointSlice is gone. */
  public void removeService(KubeObject object) {
    services.remove(object);
    translate();
  }

  private void translate() {
    Set<PolicyName> concerned = new HashSet<>();
    for (PolicyRule rule : repository.rules()) {
      if (ExternalServices.isNamedIn(rule)) {
        concerned.add(rule.policy());
      }
    }
    for (PolicyName name : concerned) {
      List<PolicyRule> old = repository.rules(name);
      List<PolicyRule> now = services.translate(old);
      if (!now.equals(old)) {
        replace(name, now);
      }
    }
  }

  // ---- rules that come through the agent itself

  /**
   * Adds rules, as {@code cilium policy import} does; they last as long as the agent.
   *
   * @param list of {@code pkg/policy/api}
   * @throws InvalidRuleException if one of them is refused; none is added then
   */
  public void importRules(JsonNode list) {
    PolicyName name = new PolicyName("", "", "import-" + (imports + 1), "");
    List<PolicyRule> rules = services.translate(CiliumPolicy.imported(list, name));
    imports++;
    replace(name, rules);
  }

  /** The rules that have all of these labels, whatever they came from. */
  public List<PolicyRule> rulesWith(Collection<Label> labels) {
    return rules().stream().filter(rule -> hasAll(rule, labels)).toList();
  }

  private static boolean hasAll(PolicyRule rule, Collection<Label> labels) {
    return labels.stream().allMatch(wanted -> rule.labels().stream().anyMatch(wanted::selects));
  }

  /**
   * Takes away the rules that have all of these labels. Those of Kubernetes come back when their
   * object changes, or with the next agent.
   *
   * @return how many there were
   */
  public int deleteRules(Collection<Label> labels) {
    List<PolicyRule> gone = rulesWith(labels);
    gone.stream()
        .map(PolicyRule::policy)
        .distinct()
        .toList()
        .forEach(
            name -> {
              List<PolicyRule> left = new ArrayList<>(repository.rules(name));
              left.removeAll(gone);
              replace(name, left);
            });
    return gone.size();
  }

  /** What the rules say of these labels; {@link PolicyTrace#of}. */
  public PolicyTrace.Result trace(
      LabelSet from, LabelSet to, List<PortProtocol> ports, boolean verbose) {
    return PolicyTrace.of(rules(), options, from, to, ports, verbose);
  }

  /** How many filters use a selector. */
  public int users(CachedSelector selector) {
    return repository.users(selector);
  }

  /** Whether a map wants working out, or is to be known to reflect a later revision. */
  public boolean isDirty() {
    return !dirty.isEmpty() || drainedRevision != repository.revision();
  }

  /** What the agent refuses, by kind and name. */
  public Map<String, String> refusals() {
    return Map.copyOf(refusals);
  }

  // ---- peers

  /** Identities of the cluster come and go. */
  public void updateIdentities(Map<Integer, LabelSet> added, Collection<Integer> removed) {
    identitiesChanged(selectors.update(added, removed));
  }

  private void identitiesChanged(Set<CachedSelector> changed) {
    if (!changed.isEmpty()) {
      endpoints.forEach(
          (id, endpoint) -> {
            if (uses(endpoint.subject(), changed)) {
              dirty.add(id);
            }
          });
    }
  }

  private boolean uses(Subject subject, Set<CachedSelector> changed) {
    try {
      return repository.resolve(subject).usesAny(changed);
    } catch (InvalidRuleException conflict) {
      return false;
    }
  }

  /**
   * The named ports of any pod of the cluster; none when it is gone.
   *
   * @return whether a map wants working out
   */
  public boolean updatePodPorts(String pod, NamedPorts ports) {
    NamedPorts old = ports.isEmpty() ? podPorts.remove(pod) : podPorts.put(pod, ports);
    if (ports.equals(old == null ? NamedPorts.NONE : old)) {
      return false;
    }
    NamedPorts all = NamedPorts.ofPods(podPorts.values());
    if (all.equals(allPorts)) {
      return false;
    }
    allPorts = all;
    boolean concerns = false;
    for (Map.Entry<Integer, Local> endpoint : endpoints.entrySet()) {
      if (egressNamesPorts(endpoint.getValue().subject())) {
        dirty.add(endpoint.getKey());
        concerns = true;
      }
    }
    return concerns;
  }

  private boolean egressNamesPorts(Subject subject) {
    try {
      return repository.resolve(subject).egress().values().stream()
          .anyMatch(filter -> filter.port().isNamed());
    } catch (InvalidRuleException conflict) {
      return false;
    }
  }

  // ---- endpoints of this node

  /** An endpoint has this identity, these labels and these named ports from now on. */
  public void upsertEndpoint(int id, int identity, LabelSet labels, NamedPorts ports) {
    Local now = new Local(Subject.of(identity, labels), ports);
    if (!now.equals(endpoints.put(id, now))) {
      dirty.add(id);
    }
  }

  public void removeEndpoint(int id) {
    endpoints.remove(id);
    if (fqdns.forget(id)) {
      refreshIdentities();
    }
    current.remove(id);
    dirty.remove(id);
    repository.retain(endpoints.values().stream().map(e -> e.subject().identity()).toList());
  }

  /**
   * The maps that changed since the last call, or that reflect a later revision now. An endpoint
   * whose rules cannot stand together keeps the map it has.
   */
  public Map<Integer, EndpointMap> drain() {
    Map<Integer, EndpointMap> changed = new TreeMap<>();
    for (Map.Entry<Integer, Local> endpoint : endpoints.entrySet()) {
      int id = endpoint.getKey();
      EndpointMap old = current.get(id);
      EndpointMap now = old == null || dirty.contains(id) ? compute(endpoint.getValue()) : old;
      if (now == null) {
        continue;
      }
      EndpointMap revised = revised(now);
      if (!revised.equals(old)) {
        current.put(id, revised);
        changed.put(id, revised);
      }
    }
    dirty.clear();
    drainedRevision = repository.revision();
    return changed;
  }

  /** The map that {@link #drain} gave last for an endpoint; null if it gave none. */
  public @Nullable EndpointMap drained(int endpoint) {
    return current.get(endpoint);
  }

  private EndpointMap revised(EndpointMap map) {
    return new EndpointMap(
        repository.revision(),
        map.entries(),
        map.ingressClosed(),
        map.egressClosed(),
        map.closedIngressBy(),
        map.closedEgressBy());
  }

  private @Nullable EndpointMap compute(Local endpoint) {
    SelectorPolicy policy;
    try {
      policy = repository.resolve(endpoint.subject());
    } catch (InvalidRuleException conflict) {
      return null;
    }
    MapState state =
        EndpointPolicy.resolve(
            policy,
            endpoint.ports(),
            allPorts,
            listeners::port,
            options,
            endpoint.subject().host());
    return new EndpointMap(
        repository.revision(),
        state.entries(),
        policy.ingressClosed(),
        policy.egressClosed(),
        texts(policy.closedIngressBy()),
        texts(policy.closedEgressBy()));
  }

  // ---- the proxy

  /** The listeners that the rules of this node's endpoints need; those that were needed stay. */
  public List<ProxyConfig.Listener> listeners() {
    return listeners.wanted();
  }

  /** A listener cannot have its port: it gets another. */
  public void moveListeners() {
    listeners.move();
  }

  /**
   * These listeners are open: maps may redirect to them.
   *
   * @return whether a map wants working out
   */
  public boolean listening(List<ProxyConfig.Listener> open) {
    if (!listeners.opened(open)) {
      return false;
    }
    endpoints.forEach(
        (id, endpoint) -> {
          if (!policyOf(endpoint).redirects().isEmpty()) {
            dirty.add(id);
          }
        });
    return true;
  }

  /** What the proxy must know of one endpoint; null if there is none of that id. */
  public ProxyConfig.@Nullable EndpointRules proxyRules(int id, Ipv4Address address) {
    Local endpoint = endpoints.get(id);
    if (endpoint == null) {
      return null;
    }
    SelectorPolicy policy = policyOf(endpoint);
    return new ProxyConfig.EndpointRules(
        id,
        address,
        policy.ingressClosed(),
        policy.egressClosed(),
        ProxyRules.of(policy, endpoint.ports(), allPorts));
  }

  /**
   * What commands show.
   *
   * @param router the node's; null while it has none
   */
  public ProxyState proxyState(@Nullable Ipv4Address router) {
    List<ProxyState.Redirect> redirects = new ArrayList<>();
    endpoints.forEach(
        (id, endpoint) -> {
          for (L4Filter filter : policyOf(endpoint).redirects()) {
            ProxyConfig.Listener listener = listeners.of(filter);
            if (listener != null) {
              String name =
                  id
                      + (filter.ingress() ? ":ingress:" : ":egress:")
                      + filter.port().protocol()
                      + ":"
                      + filter.port().port();
              redirects.add(new ProxyState.Redirect(name, listener.name(), listener.port()));
            }
          }
        });
    return new ProxyState(router, redirects, fqdns.entries());
  }

  /** Of an endpoint whose rules cannot stand together: nothing passes the proxy. */
  private SelectorPolicy policyOf(Local endpoint) {
    try {
      return repository.resolve(endpoint.subject());
    } catch (InvalidRuleException conflict) {
      return SelectorPolicy.CLOSED;
    }
  }

  private static Set<String> texts(Set<RuleOrigin> origins) {
    return origins.stream().map(RuleOrigin::toString).collect(Collectors.toSet());
  }

  /** The ipcache entries of the address blocks that rules name. */
  public List<Claim> claims() {
    return local.claims();
  }

  /** The numbers that address blocks of rules have here. */
  public Map<Integer, Cidr> blocks() {
    return local.blocks();
  }

  public long revision() {
    return repository.revision();
  }

  public List<PolicyRule> rules() {
    return repository.rules();
  }

  public Collection<CachedSelector> selectors() {
    return selectors.selectors();
  }

  /** Of an identity of the cluster, of a block or a reserved one; null if nobody has it. */
  public @Nullable LabelSet labels(int identity) {
    return selectors.labels(identity);
  }
}
