package dev.paramecium.datapath;

import static dev.paramecium.benchmark.ReferenceNode.CLIENT;
import static dev.paramecium.benchmark.ReferenceNode.CLIENT_IDENTITY;
import static dev.paramecium.benchmark.ReferenceNode.CURL;
import static dev.paramecium.benchmark.ReferenceNode.HTTPBIN;
import static dev.paramecium.benchmark.ReferenceNode.HTTPBIN_IDENTITY;
import static dev.paramecium.benchmark.ReferenceNode.VIP;
import static dev.paramecium.benchmark.ReferenceNode.WORLD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.abi.TraceNotify;
import dev.paramecium.benchmark.ReferenceNode;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.datapath.ReferenceModel.Entry;
import dev.paramecium.datapath.ReferenceModel.Outcome;
import dev.paramecium.datapath.ReferenceModel.Rule;
import dev.paramecium.datapath.ReferenceModel.Segment;
import dev.paramecium.packet.Tcp;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Random rules and stories of segments through the programs and through {@link ReferenceModel}:
 * after each segment the verdict, the segment, what was told, conntrack and the policies' counters
 * are the same. The seed is in every message.
 */
class DifferentialTest {

  private static final int STEPS = 60;
  private static final Ipv4Address[] DESTINATIONS = {HTTPBIN, HTTPBIN, CLIENT, VIP, VIP, WORLD};
  private static final Ipv4Address[] SOURCES = {HTTPBIN, HTTPBIN, HTTPBIN, WORLD};
  private static final int[] PORTS = {80, 8080, 40000, 40001};
  private static final int[] FLAGS = {
    Tcp.SYN,
    Tcp.SYN,
    Tcp.SYN | Tcp.ACK,
    Tcp.ACK,
    Tcp.ACK,
    Tcp.PSH | Tcp.ACK,
    Tcp.FIN | Tcp.ACK,
    Tcp.FIN,
    Tcp.RST,
    Tcp.RST | Tcp.SYN,
    Tcp.FIN | Tcp.SYN,
    0
  };
  private static final int[] TTLS = {64, 64, 64, 2, 1, 0};
  private static final int[] PAUSES = {0, 0, 0, 1, 5, 6, 59, 60, 100};
  private static final int[] IDENTITIES = {HTTPBIN_IDENTITY, CLIENT_IDENTITY, 2, 0};
  private static final int[] VNIS = {HTTPBIN_IDENTITY, HTTPBIN_IDENTITY, 2, 6, 7, 1};

  @Property(tries = 100)
  void programsAndModelAgree(@ForAll long seed) {
    Random random = new Random(seed);
    TestNode node = new TestNode();
    ReferenceModel model = new ReferenceModel();
    node.service(VIP, ReferenceModel.REV_NAT_INDEX, 1, HTTPBIN);
    rules(random, node.curl, model.curl);
    rules(random, node.client, model.client);
    for (int step = 0; step < STEPS; step++) {
      node.clock.seconds += pick(random, PAUSES);
      model.now = node.clock.seconds;
      String where = "seed " + seed + ", step " + step;
      boolean out = random.nextInt(5) < 3;
      Segment segment = segment(random, out);
      int vni = pick(random, VNIS);
      SkBuff packet = packet(node, segment);
      Outcome expected = out ? model.fromContainer(segment) : model.fromOverlay(segment, vni);
      int verdict =
          out
              ? ReferenceNode.run(node.curl.programs().fromContainer(), packet)
              : node.runFromOverlay(packet, vni);
      assertThat(verdict).as(where + ": verdict on " + segment).isEqualTo(expected.verdict());
      if (verdict == Verdict.REDIRECT) {
        assertThat(packet.redirectIfindex).as(where).isEqualTo(expected.ifindex());
      }
      assertThat(node.events().stream().map(DifferentialTest::text).toList())
          .as(where + ": events of " + segment)
          .isEqualTo(model.events());
      SkBuff wanted = packet(node, expected.segment());
      assertSame(where, packet, expected, wanted);
      node.release(packet);
      node.release(wanted);
      assertThat(tracked(node.maps.conntrack().tcp())).as(where).isEqualTo(texts(model.tcp));
      assertThat(tracked(node.maps.conntrack().any())).as(where).isEqualTo(texts(model.any));
      assertThat(counters(node.curl)).as(where).isEqualTo(counters(model.curl));
      assertThat(counters(node.client)).as(where).isEqualTo(counters(model.client));
    }
  }

  private static int pick(Random random, int[] choices) {
    return choices[random.nextInt(choices.length)];
  }

  private static Segment segment(Random random, boolean out) {
    Ipv4Address source = out ? CURL : SOURCES[random.nextInt(SOURCES.length)];
    if (out && random.nextInt(20) == 0) {
      source = CLIENT;
    }
    return new Segment(
        source,
        pick(random, PORTS),
        out ? DESTINATIONS[random.nextInt(DESTINATIONS.length)] : CURL,
        pick(random, PORTS),
        pick(random, FLAGS),
        random.nextInt(3) * 7,
        pick(random, TTLS));
  }

  private static void rules(Random random, ReferenceNode.Pod pod, Map<PolicyKey, Rule> model) {
    for (int i = random.nextInt(6); i >= 0; i--) {
      boolean ports = random.nextBoolean();
      PolicyKey key =
          new PolicyKey(
              pick(random, IDENTITIES),
              ports ? pick(random, PORTS) : 0,
              ports ? IpProtocol.TCP : 0,
              random.nextBoolean());
      boolean deny = random.nextInt(4) == 0;
      pod.policy()
          .map()
          .update(key.encode(), (deny ? PolicyEntry.DENY : PolicyEntry.ALLOW).encode());
      model.put(key, new Rule(deny));
    }
  }

  private static SkBuff packet(TestNode node, Segment segment) {
    return node.tcp(
        segment.source(),
        segment.sourcePort(),
        segment.destination(),
        segment.port(),
        segment.flags(),
        segment.payload(),
        segment.ttl());
  }

  /** All that follows the MAC addresses. */
  private static void assertSame(String where, SkBuff got, Outcome expected, SkBuff wanted) {
    byte[] left = got.toByteArray();
    byte[] right = wanted.toByteArray();
    System.arraycopy(left, 0, right, 0, 12);
    assertThat(left).as(where + ": packet " + expected).isEqualTo(right);
  }

  private static String text(MonitorEvent event) {
    return switch (event) {
      case DropNotify drop ->
          ReferenceModel.drop(
              drop.reason(), drop.sourceLabel(), drop.destinationLabel(), drop.destinationId());
      case PolicyVerdictNotify verdict ->
          ReferenceModel.verdict(
              verdict.remoteLabel(),
              verdict.verdict(),
              verdict.destinationPort(),
              verdict.direction() == PolicyVerdictNotify.EGRESS,
              verdict.match());
      case TraceNotify trace ->
          ReferenceModel.trace(
              trace.point(),
              trace.sourceLabel(),
              trace.destinationLabel(),
              trace.destinationId(),
              trace.reason(),
              trace.ifindex());
    };
  }

  private static Map<CtTuple, String> tracked(BpfMap map) {
    Map<CtTuple, String> all = new HashMap<>();
    map.forEach((key, value) -> all.put(CtTuple.decode(key), entry(CtEntry.decode(value))));
    return all;
  }

  private static String entry(CtEntry got) {
    Entry entry = new Entry();
    entry.rxPackets = got.rxPackets();
    entry.rxBytes = got.rxBytes();
    entry.txPackets = got.txPackets();
    entry.txBytes = got.txBytes();
    entry.lifetime = got.lifetime();
    entry.rxClosing = (got.flags() & CtEntry.RX_CLOSING) != 0;
    entry.txClosing = (got.flags() & CtEntry.TX_CLOSING) != 0;
    entry.seenNonSyn = (got.flags() & CtEntry.SEEN_NON_SYN) != 0;
    entry.revNatIndex = got.revNatIndex();
    entry.txFlags = got.txFlagsSeen();
    entry.rxFlags = got.rxFlagsSeen();
    entry.sourceIdentity = got.sourceSecurityIdentity();
    entry.lastTx = got.lastTxReport();
    entry.lastRx = got.lastRxReport();
    return entry.toString();
  }

  private static Map<CtTuple, String> texts(Map<CtTuple, Entry> entries) {
    Map<CtTuple, String> all = new HashMap<>();
    entries.forEach((tuple, entry) -> all.put(tuple, entry.toString()));
    return all;
  }

  private static Map<PolicyKey, List<Long>> counters(ReferenceNode.Pod pod) {
    Map<PolicyKey, List<Long>> all = new HashMap<>();
    pod.policy()
        .map()
        .forEach(
            (key, value) -> {
              PolicyEntry entry = PolicyEntry.decode(value);
              all.put(PolicyKey.decode(key), List.of(entry.packets(), entry.bytes()));
            });
    return all;
  }

  private static Map<PolicyKey, List<Long>> counters(Map<PolicyKey, Rule> rules) {
    Map<PolicyKey, List<Long>> all = new HashMap<>();
    rules.forEach((key, rule) -> all.put(key, List.of(rule.packets, rule.bytes)));
    return all;
  }
}
