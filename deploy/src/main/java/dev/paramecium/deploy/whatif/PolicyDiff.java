package dev.paramecium.deploy.whatif;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.agent.policy.EndpointMap;
import dev.paramecium.agent.policy.EndpointMap.Decision;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.whatif.ClusterPicture.Group;
import dev.paramecium.deploy.whatif.ClusterPicture.Port;
import dev.paramecium.policy.rule.Cidr;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who would reach whom otherwise than now, under other policies.
 *
 * @param changes by sender, receiver, port
 * @param notes what a person should know beside them
 */
public record PolicyDiff(List<Change> changes, List<String> notes) {

  /**
   * One difference.
   *
   * @param from pods, {@code world}, a block of addresses, {@code host}, {@code remote-node}
   * @param port {@code 80/TCP}; {@code other ports} for those that no rule and no container names;
   *     {@code any port}
   * @param was the rules that decide now, {@code pod: decision}
   * @param becomes the rules that would decide
   */
  public record Change(
      String from,
      String to,
      String port,
      boolean allowedBefore,
      boolean allowedAfter,
      List<String> was,
      List<String> becomes) {}

  /** Stands for every port that nobody names. */
  private static final Port OTHER = new Port(0, 0);

  private static final Comparator<Port> BY_NUMBER =
      Comparator.comparingInt(Port::protocol).thenComparingInt(Port::number);

  /** An end of a connection: pods of the cluster, or what a number stands for in each model. */
  private record End(String name, @Nullable Group group, int before, int after) {

    static End of(Group group) {
      return new End(group.toString(), group, group.identity(), group.identity());
    }

    String pod() {
      return group == null ? name : group.pods().getFirst();
    }
  }

  /** What is decided of one packet: allowed, by whom. */
  private record Outcome(boolean allowed, List<String> by) {}

  private record Turn(Outcome before, Outcome after) {}

  /**
   * Compares.
   *
   * @param files objects; those that are no policies are left out, with a note
   * @param prune whether policies that are in no file would go
   */
  public static PolicyDiff of(ApiHttp api, List<ObjectNode> files, boolean prune) {
    ClusterPicture cluster = ClusterPicture.of(api);
    ProposedPolicies proposed = ProposedPolicies.of(api, cluster.policies(), files, prune);
    PolicyModel before = new PolicyModel(cluster, cluster.policies());
    PolicyModel after = new PolicyModel(cluster, proposed.policies());
    List<String> notes = new ArrayList<>(proposed.notes());
    return new PolicyDiff(new Comparison(cluster, before, after, notes).changes(), notes);
  }

  private static final class Comparison {

    private final ClusterPicture cluster;
    private final PolicyModel before;
    private final PolicyModel after;
    private final List<String> notes;

    Comparison(ClusterPicture cluster, PolicyModel before, PolicyModel after, List<String> notes) {
      this.cluster = cluster;
      this.before = before;
      this.after = after;
      this.notes = notes;
    }

    List<Change> changes() {
      List<End> pods = new ArrayList<>();
      for (Group group : cluster.groups()) {
        pods.add(End.of(group));
        if (after.map(group) == null && before.map(group) != null) {
          notes.add(group + " keeps its rules: those that would select it cannot stand together");
        }
      }
      List<End> ends = new ArrayList<>(pods);
      for (ReservedIdentity reserved :
          List.of(ReservedIdentity.WORLD, ReservedIdentity.HOST, ReservedIdentity.REMOTE_NODE)) {
        ends.add(
            new End(ReservedIdentity.nameOf(reserved.id()), null, reserved.id(), reserved.id()));
      }
      Set<Cidr> blocks = new TreeSet<>(Comparator.comparing(Cidr::toString));
      blocks.addAll(before.blocks());
      blocks.addAll(after.blocks());
      for (Cidr block : blocks) {
        ends.add(new End(block.toString(), null, before.identity(block), after.identity(block)));
      }
      List<Change> changes = new ArrayList<>();
      for (End from : ends) {
        for (End to : ends) {
          boolean alone = from.equals(to) && from.group() != null && from.group().pods().size() < 2;
          if ((from.group() != null || to.group() != null) && !alone) {
            compare(from, to, changes);
          }
        }
      }
      return changes;
    }

    private void compare(End from, End to, List<Change> changes) {
      Map<Port, Turn> turns = new LinkedHashMap<>();
      for (Port port : ports(from, to)) {
        turns.put(
            port,
            new Turn(
                outcome(before, from, from.before(), to, to.before(), port),
                outcome(after, from, from.after(), to, to.after(), port)));
      }
      Turn other = turns.get(OTHER);
      boolean same = turns.values().stream().allMatch(turn -> turn.equals(other));
      for (Map.Entry<Port, Turn> entry : turns.entrySet()) {
        Turn turn = entry.getValue();
        boolean changed = turn.before().allowed() != turn.after().allowed();
        boolean covered = !entry.getKey().equals(OTHER) && turn.equals(other);
        if (changed && !covered) {
          changes.add(
              new Change(
                  from.name(),
                  to.name(),
                  entry.getKey().equals(OTHER) ? (same ? "any port" : "other ports") : text(entry),
                  turn.before().allowed(),
                  turn.after().allowed(),
                  turn.before().by(),
                  turn.after().by()));
        }
      }
    }

    private static String text(Map.Entry<Port, Turn> entry) {
      Port port = entry.getKey();
      return port.number() + "/" + IpProtocol.name(port.protocol());
    }

    /** Those that a rule or a container names, then what stands for all others. */
    private Set<Port> ports(End from, End to) {
      Set<Port> ports = new TreeSet<>(BY_NUMBER);
      for (PolicyModel model : List.of(before, after)) {
        collect(model, from, true, ports);
        collect(model, to, false, ports);
      }
      if (to.group() != null) {
        ports.addAll(to.group().ports());
      }
      ports.add(OTHER);
      return ports;
    }

    private static void collect(PolicyModel model, End end, boolean egress, Set<Port> ports) {
      EndpointMap map = end.group() == null ? null : model.map(end.group());
      if (map != null) {
        for (PolicyKey key : map.entries().keySet()) {
          if (key.egress() == egress && key.protocol() != 0) {
            ports.add(new Port(key.destinationPort(), key.protocol()));
          }
        }
      }
    }

    private Outcome outcome(
        PolicyModel model, End from, int sender, End to, int receiver, Port port) {
      List<String> by = new ArrayList<>();
      boolean allowed = true;
      for (boolean egress : new boolean[] {true, false}) {
        End end = egress ? from : to;
        EndpointMap map = end.group() == null ? null : map(model, end.group());
        if (map == null) {
          continue;
        }
        Decision decision =
            map.decide(egress, egress ? receiver : sender, port.number(), port.protocol());
        if (!decision.passes() && allowed) {
          by.clear();
          allowed = false;
        }
        if (allowed || !decision.passes()) {
          by.add(end.pod() + ": " + decision);
        }
      }
      return new Outcome(allowed, by);
    }

    private @Nullable EndpointMap map(PolicyModel model, Group group) {
      EndpointMap map = model.map(group);
      return map == null ? before.map(group) : map;
    }
  }
}
