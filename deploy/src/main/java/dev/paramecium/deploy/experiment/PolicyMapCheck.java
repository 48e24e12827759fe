package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.experiment.PolicyOracle.Peer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether the policy maps of a node decide as the NetworkPolicies that the API server has: for each
 * of the node's pods, each other pod, in and out, on the ports that are asked for and on one that
 * nobody asks for. A map that is no endpoint's is left over.
 */
final class PolicyMapCheck {

  private static final Pattern MAP = Pattern.compile("cilium_policy_0*([0-9]+)");
  private static final Pattern ROW =
      Pattern.compile("(Allow|Deny)\\s+(Ingress|Egress)\\s+([0-9]+)\\s+(\\S+)\\s.*");
  private static final String ANY = "ANY";
  private static final String UNASKED = "49151/TCP";

  private PolicyMapCheck() {}

  /** A running pod, as the objects say who it is. */
  record Pod(String name, String address, Peer peer) {}

  /** What a policy map says: {@code Ingress 20134 80/TCP} to whether it is allowed. */
  private record Entries(Map<String, Boolean> decisions) {

    /** As {@code __policy_can_access} looks: the first that is there decides. */
    boolean allows(String direction, String identity, String port) {
      for (String key :
          List.of(identity + " " + port, "0 " + port, identity + " " + ANY, "0 " + ANY)) {
        Boolean decision = decisions.get(direction + " " + key);
        if (decision != null) {
          return decision;
        }
      }
      return false;
    }
  }

  /**
   * Every difference on one node, as a sentence.
   *
   * @param dump what {@code cilium bpf policy get --all -n} printed
   * @param endpoints the numbers of the node's endpoints by address
   * @param known the numbers of all endpoints that the agent lists
   * @param identities the numbers of pods' identities by address, as the node's ipcache has them
   * @param ports such as {@code 80/TCP}
   */
  static List<String> differences(
      String node,
      String dump,
      Map<String, Integer> endpoints,
      Set<Integer> known,
      Map<String, String> identities,
      List<Pod> pods,
      Collection<JsonNode> policies,
      Set<String> ports) {
    Map<Integer, Entries> maps = parse(dump);
    List<String> wrong = new ArrayList<>();
    for (Integer id : maps.keySet()) {
      if (!known.contains(id)) {
        wrong.add("%s: cilium_policy_%05d is no endpoint's".formatted(node, id));
      }
    }
    List<String> asked = new ArrayList<>(ports);
    asked.add(UNASKED);
    for (Pod pod : pods) {
      Integer id = endpoints.get(pod.address());
      if (id == null) {
        continue; // another node's, or found missing by MapCheck
      }
      Entries map = maps.getOrDefault(id, new Entries(Map.of()));
      for (Pod other : pods) {
        String identity = identities.get(other.address());
        if (identity == null || other.name().equals(pod.name())) {
          continue;
        }
        for (String direction : List.of("Ingress", "Egress")) {
          for (String port : asked) {
            boolean is = map.allows(direction, identity, port);
            if (is != wanted(policies, direction, pod, other, port)) {
              wrong.add(
                  "%s: cilium_policy_%05d of %s: %s %s, %s (identity %s), is %s"
                      .formatted(
                          node,
                          id,
                          pod.name(),
                          direction,
                          port,
                          other.name(),
                          identity,
                          is ? "allowed, and no policy says so" : "denied, and no policy says so"));
            }
          }
        }
      }
    }
    return wrong;
  }

  private static boolean wanted(
      Collection<JsonNode> policies, String direction, Pod subject, Pod peer, String port) {
    String[] parts = port.split("/", 2);
    return PolicyOracle.allows(
        policies, direction, subject.peer(), peer.peer(), Integer.parseInt(parts[0]), parts[1]);
  }

  private static Map<Integer, Entries> parse(String dump) {
    Map<Integer, Entries> maps = new TreeMap<>();
    Entries current = new Entries(new HashMap<>());
    for (String line : dump.lines().toList()) {
      Matcher map = MAP.matcher(line);
      Matcher row = ROW.matcher(line);
      if (map.find()) {
        current = new Entries(new HashMap<>());
        maps.put(Integer.parseInt(map.group(1)), current);
      } else if (row.matches()) {
        current
            .decisions()
            .put(
                row.group(2) + " " + row.group(3) + " " + row.group(4),
                row.group(1).equals("Allow"));
      }
    }
    return maps;
  }
}
