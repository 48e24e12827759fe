package dev.paramecium.deploy.walk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.syscall.Observation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WalkTest {

  private static Observation observation(
      String node, int step, long sequence, boolean reply, long packetId) {
    return new Observation(
        node,
        1000 + sequence,
        sequence,
        packetId,
        step,
        "eth0",
        2,
        "tc ingress",
        "",
        0,
        List.of(),
        List.of(),
        "TC_ACT_OK",
        "",
        "",
        reply,
        new Observation.PacketSummary(
            "", "", "10.42.0.1", "10.42.1.1", 40000, 80, "TCP", "PSH, ACK", "", 64, 142, 76),
        -1);
  }

  private static List<Observation> crossing(boolean reply, long packetId) {
    List<Observation> steps = new ArrayList<>();
    for (int step = 8; step >= 1; step--) {
      steps.add(observation(step <= 4 ? "node-1" : "node-2", step, step, reply, packetId));
    }
    return steps;
  }

  @Test
  void putsTheSendersStepsBeforeTheReceivers() {
    Walk walk = Walk.byPacket(crossing(false, 7)).getFirst();

    assertThat(walk.steps()).extracting(Observation::step).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(walk.isComplete()).isTrue();
    assertThat(walk.missingSteps()).isEmpty();
  }

  private static Observation call(String hook, long sequence, boolean reply) {
    return new Observation(
        "node-1",
        1000 + sequence,
        sequence,
        0,
        0,
        "",
        0,
        hook,
        "bpf_sock.o:[cgroup/connect4]",
        3,
        List.of("sock4_connect"),
        List.of(),
        "SYS_PROCEED",
        "",
        "",
        reply,
        new Observation.PacketSummary(
            "", "", "10.42.0.1", "10.96.0.10", 0, 80, "TCP", "", "", 0, 0, 0),
        -1);
  }

  @Test
  void aCallThatChoseTheDestinationBelongsToThePacketThatFollowedIt() {
    List<Observation> seen = new ArrayList<>();
    seen.add(call("cgroup connect4", 0, false));
    seen.addAll(crossing(false, 7));
    seen.add(call("cgroup sock_ops", 20, false));

    List<Walk> walks = Walk.byPacket(seen);

    assertThat(walks).hasSize(1);
    assertThat(walks.getFirst().steps())
        .extracting(Observation::step)
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(walks.getFirst().isComplete()).isTrue();
    assertThat(Walk.pastTheDevices(seen).orElseThrow().steps())
        .extracting(Observation::hook)
        .containsExactly("cgroup sock_ops");
  }

  @Test
  void isNotCompleteWhenAStepIsMissing() {
    List<Observation> steps = crossing(false, 7);
    steps.removeIf(observation -> observation.step() == 6);

    Walk walk = Walk.byPacket(steps).getFirst();

    assertThat(walk.isComplete()).isFalse();
    assertThat(walk.missingSteps()).containsExactly(6);
  }

  @Test
  void isNotCompleteOnOneNode() {
    List<Observation> steps = new ArrayList<>();
    for (int step = 1; step <= 8; step++) {
      steps.add(observation("node-1", step, step, false, 7));
    }

    assertThat(Walk.byPacket(steps).getFirst().isComplete()).isFalse();
  }

  @Test
  void keepsPacketsAndDirectionsApart() {
    List<Observation> seen = new ArrayList<>(crossing(false, 7));
    seen.addAll(crossing(true, 8));

    List<Walk> walks = Walk.byPacket(seen);

    assertThat(walks).hasSize(2);
    assertThat(Walk.first(walks, true, Walk::carriesData))
        .get()
        .extracting(walk -> walk.steps().getFirst().packetId())
        .isEqualTo(8L);
  }
}
