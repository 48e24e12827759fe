package dev.paramecium.deploy.e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * NetworkPolicies by chance, over the namespaces x y z and the pods a b c, and what they mean when
 * one reads Kubernetes' documentation, worked out without anything of the product's. Only what
 * Cilium does as Kubernetes wants it: pods, namespaces, numbers of ports.
 */
final class RandomPolicies {

  private static final List<String> NAMESPACES = List.of("x", "y", "z");
  private static final List<String> PODS = List.of("a", "b", "c");

  /** Empty for any. */
  private static final String ANY = "";

  /**
   * One peer.
   *
   * @param namespace of it; {@code own} for the policy's
   */
  private record Peer(String namespace, String pod) {

    String yaml() {
      String pods = "podSelector: " + selector("pod", pod);
      return namespace.equals("own")
          ? "{" + pods + "}"
          : "{namespaceSelector: " + selector("ns", namespace) + ", " + pods + "}";
    }

    boolean is(String other, String policyNamespace) {
      String[] parts = other.split("/", 2);
      String wanted = namespace.equals("own") ? policyNamespace : namespace;
      return fits(wanted, parts[0]) && fits(pod, parts[1]);
    }
  }

  private record Rule(List<Peer> peers, List<Integer> ports) {

    String yaml(String field) {
      return "{"
          + field
          + ": ["
          + peers.stream().map(Peer::yaml).collect(Collectors.joining(", "))
          + "], ports: ["
          + ports.stream().map(port -> "{port: " + port + "}").collect(Collectors.joining(", "))
          + "]}";
    }

    boolean allows(String peer, int port, String policyNamespace) {
      return (peers.isEmpty() || peers.stream().anyMatch(p -> p.is(peer, policyNamespace)))
          && (ports.isEmpty() || ports.contains(port));
    }
  }

  /** One policy, about one direction. */
  record Policy(String namespace, String pod, boolean ingress, List<Rule> rules) {

    String spec() {
      String direction = ingress ? "Ingress" : "Egress";
      return "podSelector: "
          + selector("pod", pod)
          + "\npolicyTypes: ["
          + direction
          + "]\n"
          + (ingress ? "ingress" : "egress")
          + ": ["
          + rules.stream()
              .map(rule -> rule.yaml(ingress ? "from" : "to"))
              .collect(Collectors.joining(", "))
          + "]\n";
    }

    private boolean isAbout(String subject) {
      String[] parts = subject.split("/", 2);
      return namespace.equals(parts[0]) && fits(pod, parts[1]);
    }
  }

  private RandomPolicies() {}

  private static boolean fits(String wanted, String actual) {
    return wanted.equals(ANY) || wanted.equals(actual);
  }

  private static String selector(String key, String value) {
    return value.equals(ANY) ? "{}" : "{matchLabels: {" + key + ": " + value + "}}";
  }

  /** Some policies, up to six. */
  static List<Policy> of(Random random) {
    List<Policy> policies = new ArrayList<>();
    for (int i = 0; i < 3 + random.nextInt(4); i++) {
      List<Rule> rules = new ArrayList<>();
      for (int j = 0; j < random.nextInt(3); j++) {
        rules.add(rule(random));
      }
      policies.add(
          new Policy(
              pick(random, NAMESPACES), oneOrAny(random, PODS), random.nextBoolean(), rules));
    }
    return policies;
  }

  private static Rule rule(Random random) {
    List<Peer> peers = new ArrayList<>();
    for (int i = 0; i < random.nextInt(3); i++) {
      String namespace = random.nextInt(3) == 0 ? "own" : oneOrAny(random, NAMESPACES);
      peers.add(new Peer(namespace, oneOrAny(random, PODS)));
    }
    List<Integer> ports = random.nextBoolean() ? List.of() : List.of(80 + random.nextInt(2));
    return new Rule(peers, ports);
  }

  private static String oneOrAny(Random random, List<String> values) {
    return random.nextInt(3) == 0 ? ANY : pick(random, values);
  }

  private static String pick(Random random, List<String> values) {
    return values.get(random.nextInt(values.size()));
  }

  /** Whether a connection passes, by what Kubernetes says of policies. */
  static boolean allow(List<Policy> policies, String from, String to, int port) {
    return allow(policies, true, to, from, port) && allow(policies, false, from, to, port);
  }

  private static boolean allow(
      List<Policy> policies, boolean ingress, String subject, String peer, int port) {
    List<Policy> about =
        policies.stream().filter(p -> p.ingress() == ingress && p.isAbout(subject)).toList();
    return about.isEmpty()
        || about.stream()
            .anyMatch(
                p -> p.rules().stream().anyMatch(rule -> rule.allows(peer, port, p.namespace())));
  }
}
