package dev.paramecium.deploy.walk;

import dev.paramecium.syscall.Observation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * One packet's way through the cluster: its observations from all nodes in the order of the walk.
 *
 * <p>Nodes number their own observations; between nodes the step of the walk decides (the node with
 * steps 1 to 4 comes before the one with 5 to 8), so that no two clocks need to agree.
 */
public record Walk(List<Observation> steps) {

  /** How many steps a packet takes that crosses two nodes. */
  public static final int STEPS = 8;

  /** The last step that the sending node takes part in. */
  private static final int LAST_SENDER_STEP = 4;

  /** cilium_vxlan's, on the sending and on the receiving node. */
  private static final Set<Integer> TUNNEL_STEPS = Set.of(3, 6);

  /** The packet id of what happens to sockets instead of packets. */
  private static final long NO_PACKET = 0;

  private static final Set<String> CHOOSING_HOOKS = Set.of("cgroup connect4", "cgroup sendmsg4");

  public Walk {
    steps = List.copyOf(steps);
  }

  /**
   * Every packet that was seen, in the order in which their first steps were. A socket call that
   * chose where the packet goes belongs to it; what else programs did to sockets is not among them.
   */
  public static List<Walk> byPacket(List<Observation> observations) {
    Map<PacketKey, List<Observation>> packets = new LinkedHashMap<>();
    for (Observation observation : observations) {
      if (isPastTheDevices(observation)) {
        continue;
      }
      long packet =
          choosesDestination(observation)
              ? firstPacketAfter(observation, observations)
              : observation.packetId();
      packets
          .computeIfAbsent(new PacketKey(packet, observation.reply()), _ -> new ArrayList<>())
          .add(observation);
    }
    List<Walk> walks = new ArrayList<>();
    for (List<Observation> packet : packets.values()) {
      walks.add(new Walk(inOrder(packet)));
    }
    walks.sort(Comparator.comparingLong(walk -> walk.steps().getFirst().timestampNs()));
    return walks;
  }

  /** What programs on sockets did while no packet was on its way, in both directions. */
  public static Optional<Walk> pastTheDevices(List<Observation> observations) {
    List<Observation> calls =
        observations.stream()
            .filter(Walk::isPastTheDevices)
            .sorted(Comparator.comparingLong(Observation::sequence))
            .toList();
    return calls.isEmpty() ? Optional.empty() : Optional.of(new Walk(calls));
  }

  private static boolean isPastTheDevices(Observation observation) {
    return observation.packetId() == NO_PACKET && !choosesDestination(observation);
  }

  private static boolean choosesDestination(Observation observation) {
    return CHOOSING_HOOKS.contains(observation.hook());
  }

  /** The packet that a socket call led to, or none. */
  private static long firstPacketAfter(Observation call, List<Observation> observations) {
    return observations.stream()
        .filter(o -> o.packetId() != NO_PACKET && o.node().equals(call.node()))
        .filter(o -> o.reply() == call.reply() && o.sequence() > call.sequence())
        .min(Comparator.comparingLong(Observation::sequence))
        .map(Observation::packetId)
        .orElse(NO_PACKET);
  }

  private record PacketKey(long packetId, boolean reply) {}

  private static List<Observation> inOrder(List<Observation> packet) {
    String sender = nodeOf(packet, o -> o.step() > 0 && o.step() <= LAST_SENDER_STEP);
    String receiver = nodeOf(packet.reversed(), o -> o.step() > LAST_SENDER_STEP);
    List<Observation> ordered = new ArrayList<>(packet);
    ordered.sort(
        Comparator.comparingInt((Observation o) -> rank(o.node(), sender, receiver))
            .thenComparing(Observation::node)
            .thenComparingLong(Observation::sequence));
    return ordered;
  }

  private static String nodeOf(List<Observation> packet, Predicate<Observation> wanted) {
    return packet.stream().filter(wanted).map(Observation::node).findFirst().orElse("");
  }

  /** Who forwards between the two, as a node whose port was asked, comes between them. */
  private static int rank(String node, String sender, String receiver) {
    return node.equals(sender) ? 0 : node.equals(receiver) ? 2 : 1;
  }

  /** The first walk in one direction whose packet satisfies {@code wanted}. */
  public static Optional<Walk> first(
      List<Walk> walks, boolean reply, Predicate<Observation> wanted) {
    return walks.stream()
        .filter(walk -> walk.steps().getFirst().reply() == reply)
        .filter(walk -> wanted.test(walk.steps().getFirst()))
        .findFirst();
  }

  /** Whether all eight steps were seen, each after the one before, on exactly two nodes. */
  public boolean isComplete() {
    int next = 1;
    for (Observation observation : steps) {
      if (observation.step() == next) {
        next++;
      }
    }
    return next == STEPS + 1 && steps.stream().map(Observation::node).distinct().count() == 2;
  }

  /**
   * Whether the packet was seen from the first step to the last: all eight through a tunnel, or the
   * ends on one node or where nodes route by themselves.
   */
  public boolean hasArrived() {
    boolean ends =
        steps.stream().anyMatch(o -> o.step() == 1)
            && steps.stream().anyMatch(o -> o.step() == STEPS);
    boolean oneNode = steps.stream().map(Observation::node).distinct().count() == 1;
    boolean tunnelled = steps.stream().anyMatch(o -> TUNNEL_STEPS.contains(o.step()));
    return ends && (oneNode || !tunnelled || isComplete());
  }

  /** Which of the eight steps were not seen in their place. */
  public List<Integer> missingSteps() {
    List<Integer> missing = new ArrayList<>();
    for (int step = 1; step <= STEPS; step++) {
      int wanted = step;
      if (steps.stream().noneMatch(o -> o.step() == wanted)) {
        missing.add(step);
      }
    }
    return missing;
  }

  /** Whether a packet with payload left the pod: the request itself rather than the handshake. */
  public static boolean carriesData(Observation observation) {
    return observation.packet().payloadLength() > 0;
  }
}
