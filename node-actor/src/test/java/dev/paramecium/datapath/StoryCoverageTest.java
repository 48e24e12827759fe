package dev.paramecium.datapath;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.bpf.XdpAction;
import dev.paramecium.datapath.TwinNode.Outcome;
import dev.paramecium.datapath.TwinNode.Packet;
import dev.paramecium.datapath.TwinNode.Step;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The stories of {@link DifferentialTest} come to what they are there for. */
class StoryCoverageTest {

  private static final int STORIES = 300;
  private static final int STEPS = 60;

  private static Set<String> reached() {
    Set<String> all = new TreeSet<>();
    for (long seed = 0; seed < STORIES; seed++) {
      RandomStory story = new RandomStory(seed);
      try (TwinNode node = story.node()) {
        for (int i = 0; i < STEPS; i++) {
          Step step = story.next();
          Outcome outcome = node.run(step);
          if (outcome != null && step instanceof Packet packet) {
            assertThat(outcome.differences()).as("seed %d, step %d: %s", seed, i, step).isEmpty();
            story.saw(packet, outcome);
          }
        }
        all.addAll(node.reached());
      }
    }
    return all;
  }

  @Test
  void storiesReachEveryKindOfOutcome() {
    assertThat(reached())
        .containsAll(verdicts().toList())
        .containsAll(drops().toList())
        .containsAll(traces().toList())
        .containsAll(policyVerdicts().toList())
        .containsAll(entries().toList());
  }

  private static Stream<String> verdicts() {
    Stream<String> all =
        Stream.of(
            "from-container",
            "from-overlay",
            "from-host",
            "from-netdev",
            "policy",
            "to-container",
            "to-netdev",
            "to-overlay");
    return Stream.of(
            all.flatMap(hook -> Stream.of(hook + " " + Verdict.OK, hook + " " + Verdict.SHOT)),
            Stream.of("from-container", "from-overlay", "from-host", "from-netdev", "policy")
                .map(hook -> hook + " " + Verdict.REDIRECT),
            Stream.of("from-container", "policy", "to-container")
                .flatMap(
                    hook ->
                        Stream.of(
                            hook + " " + -DropReason.FRAG_NOT_FOUND,
                            hook + " " + -DropReason.CT_UNKNOWN_PROTO)),
            IntStream.of(XdpAction.DROP, XdpAction.PASS, XdpAction.TX, XdpAction.REDIRECT)
                .mapToObj(action -> "xdp " + action),
            Stream.of("to-host " + Verdict.OK))
        .flatMap(each -> each);
  }

  private static Stream<String> drops() {
    return IntStream.of(
            DropReason.INVALID_SIP,
            DropReason.POLICY,
            DropReason.INVALID,
            DropReason.NO_TUNNEL_KEY,
            DropReason.UNROUTABLE,
            DropReason.CSUM_L4,
            DropReason.NO_SERVICE,
            DropReason.NAT_NO_MAPPING,
            DropReason.NAT_UNSUPP_PROTO,
            DropReason.NO_FIB,
            DropReason.ENCAP_PROHIBITED,
            DropReason.INVALID_IDENTITY,
            DropReason.IS_CLUSTER_IP,
            DropReason.FRAG_NOT_FOUND,
            DropReason.NOT_IN_SRC_RANGE,
            DropReason.POLICY_DENY,
            DropReason.VLAN_FILTERED)
        .mapToObj(reason -> "drop " + reason);
  }

  private static Stream<String> traces() {
    // New, established, reply, related, reopened.
    Stream<String> tracked =
        Stream.of(TracePoint.TO_LXC, TracePoint.TO_STACK, TracePoint.TO_OVERLAY)
            .flatMap(point -> IntStream.rangeClosed(0, 4).mapToObj(reason -> trace(point, reason)));
    Stream<String> proxy = IntStream.rangeClosed(0, 2).mapToObj(r -> trace(TracePoint.TO_PROXY, r));
    Stream<String> answered = Stream.of(trace(TracePoint.TO_NETWORK, 2));
    Stream<String> arrived =
        Stream.of(
                TracePoint.FROM_LXC,
                TracePoint.FROM_PROXY,
                TracePoint.FROM_HOST,
                TracePoint.FROM_STACK,
                TracePoint.FROM_OVERLAY,
                TracePoint.FROM_NETWORK)
            .map(point -> trace(point, 5));
    return Stream.of(tracked, proxy, answered, arrived).flatMap(each -> each);
  }

  private static String trace(TracePoint point, int reason) {
    return "trace " + point.code() + " reason " + reason;
  }

  private static Stream<String> policyVerdicts() {
    return IntStream.of(1, 6, 17)
        .boxed()
        .flatMap(
            protocol ->
                Stream.of(
                    "verdict -133 protocol " + protocol + " match 0",
                    "verdict -181 protocol " + protocol + " match 1",
                    "verdict 0 protocol " + protocol + " match 0 audited",
                    "verdict 0 protocol " + protocol + " match 1",
                    "verdict 0 protocol " + protocol + " match 2",
                    "verdict 0 protocol " + protocol + " match 3",
                    "verdict 0 protocol " + protocol + " match 4",
                    "verdict proxy protocol " + protocol + " match 2",
                    "verdict proxy protocol " + protocol + " match 3"));
  }

  private static Stream<String> entries() {
    Stream<String> tuples =
        Stream.of(
            "ct protocol 6 flags " + CtTuple.SERVICE,
            "ct protocol 17 flags " + CtTuple.SERVICE,
            "ct protocol 1 flags " + (CtTuple.RELATED | CtTuple.IN),
            "ct protocol 1 flags " + (CtTuple.RELATED | CtTuple.OUT));
    Stream<String> flags =
        Stream.of(
                "rx_closing",
                "tx_closing",
                "lb_loopback",
                "seen_non_syn",
                "node_port",
                "proxy_redirect",
                "dsr")
            .map(flag -> "ct " + flag);
    return Stream.of(tuples, flags, Stream.of("fragments", "affinity", "snat", "neighbors"))
        .flatMap(each -> each);
  }
}
