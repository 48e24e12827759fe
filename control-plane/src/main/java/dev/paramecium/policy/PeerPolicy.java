package dev.paramecium.policy;

import dev.paramecium.policy.rule.FqdnSelector;
import dev.paramecium.policy.rule.HttpRule;
import dev.paramecium.policy.rule.InvalidRuleException;
import dev.paramecium.policy.rule.KafkaRule;
import dev.paramecium.policy.rule.L7Rules;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What one selector of a filter gets: an allow, a deny, or an allow that the proxy checks (Cilium
 * {@code PerSelectorPolicy}).
 *
 * @param l7 empty if the proxy need not look
 */
record PeerPolicy(
    boolean deny,
    L7Rules l7,
    boolean terminatesTls,
    boolean originatesTls,
    SortedSet<RuleOrigin> origins) {

  private static final FqdnSelector EVERY_NAME = new FqdnSelector("", "*");

  boolean isRedirect() {
    return !deny && !l7.isEmpty();
  }

  /**
   * Both, as one: a deny beats an allow, no L7 rules beside some mean that all is allowed through
   * the proxy, and L7 rules of one kind add up (Cilium {@code mergePortProto}).
   *
   * @throws InvalidRuleException if the L7 rules cannot stand together
   */
  PeerPolicy merge(PeerPolicy other) {
    SortedSet<RuleOrigin> both = new TreeSet<>(origins);
    both.addAll(other.origins);
    if (deny || other.deny) {
      return deny && other.deny
          ? new PeerPolicy(true, L7Rules.NONE, false, false, both)
          : deny ? this : other;
    }
    if (l7.equals(other.l7)) {
      return with(l7, both);
    }
    if (l7.isEmpty()) {
      return other.with(withWildcard(other.l7), both);
    }
    if (other.l7.isEmpty()) {
      return with(withWildcard(l7), both);
    }
    if (terminatesTls != other.terminatesTls) {
      throw new InvalidRuleException("cannot merge conflicting terminating TLS contexts");
    }
    if (originatesTls != other.originatesTls) {
      throw new InvalidRuleException("cannot merge conflicting originating TLS contexts");
    }
    return with(merge(l7, other.l7), both);
  }

  private PeerPolicy with(L7Rules rules, SortedSet<RuleOrigin> from) {
    return new PeerPolicy(deny, rules, terminatesTls, originatesTls, from);
  }

  private static L7Rules merge(L7Rules old, L7Rules more) {
    if (some(more.http())) {
      requireNone(some(old.kafka()) || some(old.dns()) || !old.protocol().isEmpty());
      return new L7Rules(
          union(old.http(), more.http()), old.kafka(), old.dns(), "", old.keyValues());
    }
    if (some(more.kafka())) {
      requireNone(some(old.http()) || some(old.dns()) || !old.protocol().isEmpty());
      return new L7Rules(
          old.http(), union(old.kafka(), more.kafka()), old.dns(), "", old.keyValues());
    }
    if (!more.protocol().isEmpty()) {
      boolean otherProtocol = !old.protocol().isEmpty() && !old.protocol().equals(more.protocol());
      requireNone(some(old.http()) || some(old.kafka()) || some(old.dns()) || otherProtocol);
      return new L7Rules(
          old.http(),
          old.kafka(),
          old.dns(),
          more.protocol(),
          union(old.keyValues(), more.keyValues()));
    }
    if (some(more.dns())) {
      requireNone(some(old.http()) || some(old.kafka()) || some(old.keyValues()));
      return new L7Rules(
          old.http(), old.kafka(), union(old.dns(), more.dns()), old.protocol(), old.keyValues());
    }
    return old;
  }

  private static void requireNone(boolean conflict) {
    if (conflict) {
      throw new InvalidRuleException("cannot merge conflicting L7 rule types");
    }
  }

  private static L7Rules withWildcard(L7Rules rules) {
    if (some(rules.http())) {
      return merge(rules, new L7Rules(List.of(HttpRule.ANY), null, null, "", null));
    }
    if (some(rules.kafka())) {
      return merge(rules, new L7Rules(null, List.of(KafkaRule.ANY), null, "", null));
    }
    if (some(rules.dns())) {
      return merge(rules, new L7Rules(null, null, List.of(EVERY_NAME), "", null));
    }
    return rules.protocol().isEmpty() || !some(rules.keyValues())
        ? rules
        : merge(rules, new L7Rules(null, null, null, rules.protocol(), List.of(Map.of())));
  }

  private static boolean some(@Nullable List<?> rules) {
    return rules != null && !rules.isEmpty();
  }

  private static <T> List<T> union(@Nullable List<T> old, @Nullable List<T> more) {
    List<T> union = new ArrayList<>(old == null ? List.of() : old);
    for (T rule : more == null ? List.<T>of() : more) {
      if (!union.contains(rule)) {
        union.add(rule);
      }
    }
    return union;
  }
}
