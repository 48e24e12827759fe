package dev.paramecium.benchmark;

import static dev.paramecium.benchmark.ReferenceNode.CURL;
import static dev.paramecium.benchmark.ReferenceNode.HTTPBIN;
import static dev.paramecium.benchmark.ReferenceNode.HTTPBIN_IDENTITY;
import static dev.paramecium.benchmark.ReferenceNode.OTHER_NODE;
import static dev.paramecium.benchmark.ReferenceNode.VIP;
import static dev.paramecium.benchmark.ReferenceNode.run;

import com.sun.management.ThreadMXBean;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.packet.Tcp;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What from-container costs beside the number of entries in each map that it asks: of one hot flow,
 * and of 1,000 and 10,000 flows in random order whose entries lie all over the map. Prints a table
 * and draws {@code docs/cost-by-map-size.svg}, whose path it takes.
 *
 * <p>CPU time of the thread; of the rounds the cheapest counts, which other work on the machine has
 * disturbed least.
 */
public final class MapSizeBenchmark {

  /** One flow: where from-container finds its packets' fields. */
  private record Flow(int destination, int ports) {}

  /** Fills a node's map with entries, and names a flow for each. */
  private interface Filler {
    Flow[] fill(ReferenceNode node, int entries);
  }

  private record Dimension(String title, List<Integer> sizes, Filler filler) {}

  /** How many flows take turns, and how the curve is drawn. */
  private enum Load {
    HOT(1, "one hot flow", "#1f77b4"),
    THOUSAND(1_000, "1,000 at random", "#2ca02c"),
    TEN_THOUSAND(10_000, "10,000", "#d62728");

    final int flows;
    final String label;
    final String colour;

    Load(int flows, String label, String colour) {
      this.flows = flows;
      this.label = label;
      this.colour = colour;
    }
  }

  private static final int PACKETS = 100_000;
  private static final int ROUNDS = 12;
  private static final int WARM_UP = 3;
  private static final int MONITOR_AGGREGATION = 3;
  private static final int PAYLOAD = 1000;
  private static final int DESTINATION_AT = 30;
  private static final int PORTS_AT = 34;
  private static final int FIRST_ADDRESS = 0x0b00_0000;
  private static final double FLAT = 1.5;

  /** Pods that the conntrack flows go to. */
  private static final int PEERS = 64;

  private static final List<Dimension> DIMENSIONS =
      List.of(
          new Dimension(
              "cilium_ipcache",
              List.of(1_000, 4_000, 16_000, 64_000, 256_000, 500_000),
              MapSizeBenchmark::fillIpcache),
          new Dimension(
              "cilium_ct4_global",
              List.of(1_000, 4_000, 16_000, 64_000, 256_000, 500_000),
              MapSizeBenchmark::fillConntrack),
          new Dimension(
              "cilium_policy_01180",
              List.of(1_000, 2_000, 4_000, 8_000, 16_000),
              MapSizeBenchmark::fillPolicy),
          new Dimension(
              "services", List.of(1_000, 4_000, 16_000, 32_000), MapSizeBenchmark::fillServices));

  private MapSizeBenchmark() {}

  /**
   * @param args where to write the picture; without, only the table is printed
   */
  public static void main(String[] args) throws IOException {
    // Once over everything, so that what comes first is compiled as what comes last.
    DIMENSIONS.forEach(dimension -> measure(dimension, dimension.sizes().getFirst()));
    List<LinePlot.Panel> panels = new ArrayList<>();
    for (Dimension dimension : DIMENSIONS) {
      Map<Load, List<Double>> costs = new EnumMap<>(Load.class);
      for (int entries : dimension.sizes()) {
        StringBuilder row = new StringBuilder();
        measure(dimension, entries)
            .forEach(
                (load, nanos) -> {
                  costs.computeIfAbsent(load, _ -> new ArrayList<>()).add(nanos);
                  row.append(String.format(Locale.ROOT, "   %s %6.1f ns", load.label, nanos));
                });
        System.out.printf("%-20s %7d entries%s%n", dimension.title(), entries, row);
      }
      costs.forEach((load, line) -> tell(dimension, load, line));
      panels.add(
          new LinePlot.Panel(
              dimension.title(),
              "entries",
              dimension.sizes(),
              costs.entrySet().stream()
                  .map(e -> new LinePlot.Line(e.getKey().label, e.getKey().colour, e.getValue()))
                  .toList()));
    }
    if (args.length > 0) {
      Files.writeString(
          Path.of(args[0]),
          LinePlot.svg("from-container: cost by map size", "ns of CPU a packet", panels));
    }
  }

  private static void tell(Dimension dimension, Load load, List<Double> costs) {
    double least = costs.stream().mapToDouble(c -> c).min().orElse(0);
    double most = costs.stream().mapToDouble(c -> c).max().orElse(0);
    System.out.printf(
        Locale.ROOT,
        "%-20s %s: largest / smallest %.2f%s%n",
        dimension.title(),
        load.label,
        most / least,
        most / least <= FLAT ? "" : "   not flat within " + FLAT);
  }

  /** Nanoseconds a packet for each load that the map has entries enough for. */
  private static Map<Load, Double> measure(Dimension dimension, int entries) {
    ReferenceNode node = new ReferenceNode(MONITOR_AGGREGATION, TraceRecorder.NONE, Clock.system());
    node.stopReadingEvents();
    node.known(HTTPBIN + "/32", HTTPBIN_IDENTITY, OTHER_NODE);
    node.curl.allowEgress(HTTPBIN_IDENTITY, 80, IpProtocol.TCP);
    node.curl.allowEgress(HTTPBIN_IDENTITY, 8080, IpProtocol.TCP);
    Flow[] flows = dimension.filler().fill(node, entries);
    shuffle(flows);
    ProgramSection from = node.curl.programs().fromContainer();
    SkBuff syn = node.tcp(CURL, 0, HTTPBIN, 80, Tcp.SYN);
    SkBuff data = node.tcp(CURL, 0, HTTPBIN, 80, Tcp.ACK | Tcp.PSH, PAYLOAD, 64);
    Map<Load, Double> costs = new EnumMap<>(Load.class);
    for (Load load : Load.values()) {
      if (load.flows <= entries) {
        int[] destinations = new int[load.flows];
        int[] ports = new int[load.flows];
        for (int i = 0; i < load.flows; i++) {
          destinations[i] = flows[i].destination();
          ports[i] = flows[i].ports();
          send(from, syn, destinations[i], ports[i]);
        }
        costs.put(load, cheapest(from, data, destinations, ports));
      }
    }
    return costs;
  }

  private static void send(ProgramSection from, SkBuff packet, int destination, int ports) {
    packet.setI32(DESTINATION_AT, destination);
    packet.setI32(PORTS_AT, ports);
    int verdict = run(from, packet);
    if (verdict != Verdict.REDIRECT) {
      throw new IllegalStateException(
          "a flow to " + new Ipv4Address(destination) + " ends with " + verdict);
    }
  }

  private static double cheapest(
      ProgramSection from, SkBuff data, int[] destinations, int[] ports) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    double least = Double.MAX_VALUE;
    int next = 0;
    for (int round = -WARM_UP; round < ROUNDS; round++) {
      long start = threads.getCurrentThreadCpuTime();
      for (int i = 0; i < PACKETS; i++) {
        send(from, data, destinations[next], ports[next]);
        next = next + 1 == ports.length ? 0 : next + 1;
      }
      if (round >= 0) {
        least = Math.min(least, (threads.getCurrentThreadCpuTime() - start) / (double) PACKETS);
      }
    }
    return least;
  }

  private static void shuffle(Flow[] flows) {
    RandomSource random = RandomSource.seeded(1);
    for (int i = flows.length - 1; i > 0; i--) {
      int other = Integer.remainderUnsigned(random.nextInt(), i + 1);
      Flow flow = flows[i];
      flows[i] = flows[other];
      flows[other] = flow;
    }
  }

  private static int ports(int source, int destination) {
    return source << 16 | destination;
  }

  // ---- what grows

  /** Addresses seven apart, as pods of many nodes are not side by side. */
  private static Flow[] fillIpcache(ReferenceNode node, int entries) {
    Flow[] flows = new Flow[entries];
    for (int i = 0; i < entries; i++) {
      int address = FIRST_ADDRESS + i * 7;
      node.known(new Ipv4Address(address) + "/32", HTTPBIN_IDENTITY, OTHER_NODE);
      flows[i] = new Flow(address, ports(40_000, 80));
    }
    return flows;
  }

  private static Flow[] fillConntrack(ReferenceNode node, int entries) {
    Flow[] flows = new Flow[entries];
    ProgramSection from = node.curl.programs().fromContainer();
    SkBuff syn = node.tcp(CURL, 0, HTTPBIN, 80, Tcp.SYN);
    for (int pod = 0; pod < PEERS; pod++) {
      node.known(new Ipv4Address(FIRST_ADDRESS + pod) + "/32", HTTPBIN_IDENTITY, OTHER_NODE);
    }
    for (int i = 0; i < entries; i++) {
      flows[i] = new Flow(FIRST_ADDRESS + i % PEERS, ports(10_000 + i / PEERS, 80));
      send(from, syn, flows[i].destination(), flows[i].ports());
    }
    return flows;
  }

  private static Flow[] fillPolicy(ReferenceNode node, int entries) {
    Flow[] flows = new Flow[entries];
    for (int i = 0; i < entries; i++) {
      int identity = 1000 + i;
      int address = FIRST_ADDRESS + i * 7;
      node.curl.allowEgress(identity, 80, IpProtocol.TCP);
      node.known(new Ipv4Address(address) + "/32", identity, OTHER_NODE);
      flows[i] = new Flow(address, ports(40_000, 80));
    }
    return flows;
  }

  private static Flow[] fillServices(ReferenceNode node, int entries) {
    Flow[] flows = new Flow[entries];
    for (int i = 0; i < entries; i++) {
      Ipv4Address vip = VIP.plus(i);
      node.service(vip, 1 + i, 1 + i, HTTPBIN);
      flows[i] = new Flow(vip.value(), ports(10_000 + i, 80));
    }
    return flows;
  }
}
