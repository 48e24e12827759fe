package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.syscall.TraceFilter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.Test;

/** The walk of ARCHITECTURE.md's table, as it is observed: request and reply over two nodes. */
final class LifeOfAPacketTest {

  @Test
  void requestAndReplyTakeTheEightSteps() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      List<Observation> seen = followOneRequest(nodes);

      List<Observation> request =
          firstWith(seen, o -> !o.reply() && o.packet().payloadLength() > 0);
      assertThat(steps(request))
          .containsExactly(
              "1 ubuntu-dev2 eth0 stack ",
              "2 ubuntu-dev2 lxccurl tc ingress bpf_lxc.o:[from-container]",
              "3 ubuntu-dev2 cilium_vxlan tc egress bpf_overlay.o:[to-overlay]",
              "4 ubuntu-dev2 eth0 tc egress bpf_netdev_eth0.o:[to-netdev]",
              "5 ubuntu-dev3 eth0 tc ingress bpf_netdev_eth0.o:[from-netdev]",
              "6 ubuntu-dev3 cilium_vxlan tc ingress bpf_overlay.o:[from-overlay]",
              "7 ubuntu-dev3 lxcbin tail call bpf_lxc.o:[1/0x0b0a]",
              "8 ubuntu-dev3 eth0 veth ");
      assertThat(request.subList(1, 6))
          .extracting(Observation::vni)
          .containsOnly(TwoNodes.CURL_IDENTITY);
      assertThat(request.get(1).functions())
          .containsSubsequence(
              "handle_xgress",
              "tail_handle_ipv4",
              "handle_ipv4_from_lxc",
              "encap_and_redirect_lxc");
      assertThat(request.get(1).lookups())
          .anySatisfy(
              lookup -> {
                assertThat(lookup.map()).isEqualTo("cilium_ipcache");
                assertThat(lookup.key()).isEqualTo("10.42.0.51/32");
                assertThat(lookup.value()).contains("identity=15773", "tunnelendpoint=127.0.0.13");
              });
      assertThat(request.get(3).packet())
          .extracting("source", "destination", "destinationPort", "protocol", "ttl")
          .containsExactly("127.0.0.12", "127.0.0.13", 8472, "UDP", 64);
      assertThat(request.get(6).verdict())
          .isEqualTo("TC_ACT_REDIRECT ifindex " + nodes.httpbin.veth().host().ifindex());

      List<Observation> reply = firstWith(seen, o -> o.reply() && o.packet().payloadLength() > 0);
      assertThat(steps(reply))
          .containsExactly(
              "1 ubuntu-dev3 eth0 stack ",
              "2 ubuntu-dev3 lxcbin tc ingress bpf_lxc.o:[from-container]",
              "3 ubuntu-dev3 cilium_vxlan tc egress bpf_overlay.o:[to-overlay]",
              "4 ubuntu-dev3 eth0 tc egress bpf_netdev_eth0.o:[to-netdev]",
              "5 ubuntu-dev2 eth0 tc ingress bpf_netdev_eth0.o:[from-netdev]",
              "6 ubuntu-dev2 cilium_vxlan tc ingress bpf_overlay.o:[from-overlay]",
              "7 ubuntu-dev2 lxccurl tail call bpf_lxc.o:[1/0x049c]",
              "8 ubuntu-dev2 eth0 veth ");
    }
  }

  @Test
  void nothingIsToldOnceATraceIsDisarmed() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      TestProbe<Observation> observer = nodes.kit.createTestProbe();
      arm(nodes.one, nodes, observer);
      nodes.one.perform(replyTo -> new Syscall.DisarmTrace("t", replyTo));
      get(nodes);
      observer.expectNoMessage(java.time.Duration.ofMillis(50));
    }
  }

  @Test
  void whatTheHostHasNoRouteForEndsInItsStackAndTheSenderHearsOfIt() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      TestProbe<Observation> observer = nodes.kit.createTestProbe();
      Ipv4Address unknown = Ipv4Address.parse("203.0.113.9");
      nodes.one.perform(
          replyTo ->
              new Syscall.ArmTrace(
                  "t",
                  new TraceFilter(nodes.curl.ip(), unknown, 1, 0, 0),
                  observer.getRef(),
                  replyTo));

      TestNode.Outcome outcome =
          nodes.one.exec(nodes.curl.containerId(), "ping", "-c1", "-W1", unknown.toString());

      assertThat(outcome.stdout()).contains("Destination Net Unreachable");
      List<Observation> seen = new ArrayList<>();
      while (seen.stream().noneMatch(o -> o.reply() && o.step() == 8)) {
        seen.add(observer.receiveMessage(TestNode.TIMEOUT));
      }
      assertThat(seen.stream().filter(o -> !o.reply()).map(LifeOfAPacketTest::place))
          .containsExactly(
              "1 eth0 sent",
              "2 lxccurl TC_ACT_OK",
              "0 lxccurl dropped: no route to its" + " destination; the sender is told by ICMP");
      assertThat(seen.getFirst().packet().icmp()).matches("echo request, id [0-9]+, seq 1");
      assertThat(seen.getFirst().packet().destinationPort()).isZero();
      assertThat(seen.getLast().packet().icmp()).isEqualTo("net 203.0.113.9 unreachable");
    }
  }

  private static String place(Observation o) {
    String reason = o.reason().isEmpty() ? "" : ": " + o.reason();
    return o.step() + " " + o.device() + " " + o.verdict() + reason;
  }

  private static List<Observation> followOneRequest(TwoNodes nodes) {
    TestProbe<Observation> observer = nodes.kit.createTestProbe();
    arm(nodes.one, nodes, observer);
    arm(nodes.two, nodes, observer);
    get(nodes);
    List<Observation> seen = new ArrayList<>();
    // The connection's last packet is an acknowledgement that nobody waits for.
    while (firstWith(seen, o -> o.reply() && o.packet().payloadLength() > 0).size() < 8) {
      seen.add(observer.receiveMessage(TestNode.TIMEOUT));
    }
    return seen;
  }

  private static void arm(TestNode node, TwoNodes nodes, TestProbe<Observation> observer) {
    node.perform(
        replyTo ->
            new Syscall.ArmTrace(
                "t",
                new TraceFilter(nodes.curl.ip(), nodes.httpbin.ip(), 6, 0, 80),
                observer.getRef(),
                replyTo));
  }

  private static void get(TwoNodes nodes) {
    assertThat(
            nodes
                .one
                .exec(nodes.curl.containerId(), "curl", "-s", "http://10.42.0.51:80/get")
                .exitCode())
        .isZero();
  }

  /** The first packet that is wanted, in the order of the walk; empty if none is. */
  private static List<Observation> firstWith(
      List<Observation> seen, Predicate<Observation> wanted) {
    Map<Long, List<Observation>> packets = new LinkedHashMap<>();
    for (Observation observation : seen) {
      packets.computeIfAbsent(observation.packetId(), _ -> new ArrayList<>()).add(observation);
    }
    return packets.values().stream()
        .filter(steps -> steps.stream().anyMatch(o -> o.step() == 1 && wanted.test(o)))
        .findFirst()
        .map(steps -> steps.stream().sorted(Comparator.comparingInt(Observation::step)).toList())
        .orElse(List.of());
  }

  private static List<String> steps(List<Observation> walk) {
    return walk.stream()
        .map(o -> o.step() + " " + o.node() + " " + o.device() + " " + o.hook() + " " + o.program())
        .toList();
  }
}
