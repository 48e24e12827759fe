package dev.paramecium.deploy.bench;

import dev.paramecium.deploy.UserError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Whole paths: pod to pod over two node JVMs, and the same between two C processes of the host's,
 * in turn, so that both see the same machine.
 *
 * <pre>
 *   warm up pods; then ROUNDS times:  pods for DURATION | reference for DURATION     the median round counts
 * </pre>
 */
public final class PathBenchmark {

  /** What a run takes. */
  public record Effort(int rounds, int durationMs, int warmUpMs) {}

  private static final int[] SIZES = {178, 1400};
  private static final int PING_SIZE = 64;

  /** Round trips in a second of measuring; less than even a slow path makes. */
  private static final int PINGS_PER_SECOND = 10_000;

  private final Testbed testbed;
  private final ReferenceProgram reference;
  private final Effort effort;

  PathBenchmark(Testbed testbed, ReferenceProgram reference, Effort effort) {
    this.testbed = testbed;
    this.reference = reference;
    this.effort = effort;
  }

  /** One round's figure and reference. */
  private record Round(double figure, double reference) {
    double ratio() {
      return figure / reference;
    }
  }

  /** Datagrams a second that arrive. */
  void udp(Consumer<Row> rows) {
    for (int size : SIZES) {
      datagrams(testbed.client, testbed.server, size, effort.warmUpMs());
      Round round =
          median(
              () -> datagrams(testbed.client, testbed.server, size, effort.durationMs()),
              () -> datagrams(reference, reference, size, effort.durationMs()));
      rows.accept(
          row(
              "UDP pod to pod, " + size + " B",
              "packets/s",
              "C, sendmmsg over loopback",
              round,
              1.0,
              false,
              ""));
    }
  }

  private static double datagrams(LoadEnd from, LoadEnd to, int size, int durationMs) {
    Map<String, Long> received =
        measure(from, to, "udp", List.of(Integer.toString(size), Integer.toString(durationMs)));
    return received.getOrDefault("received", 0L) * 1e9 / received.getOrDefault("nanos", 1L);
  }

  /** Starts a sink and a source; answers what the sink counted. */
  private static Map<String, Long> measure(
      LoadEnd from, LoadEnd to, String protocol, List<String> more) {
    String port = Integer.toString(to.freePort());
    LoadEnd.Running sink = to.start(List.of(protocol + "-sink", port));
    sink.awaitListening();
    List<String> source = new ArrayList<>(List.of(protocol + "-source", to.address(), port));
    source.addAll(more);
    from.start(source).figures();
    return sink.figures();
  }

  /** Round trips, one datagram in flight. */
  void rtt(Consumer<Row> rows) {
    pings(testbed.client, testbed.server, effort.warmUpMs());
    List<Map<String, Long>> pods = new ArrayList<>();
    List<Map<String, Long>> references = new ArrayList<>();
    for (int i = 0; i < effort.rounds(); i++) {
      pods.add(pings(testbed.client, testbed.server, effort.durationMs()));
      references.add(pings(reference, reference, effort.durationMs()));
    }
    for (String percentile : List.of("p50", "p99")) {
      List<Round> rounds = new ArrayList<>();
      long lost = 0;
      for (int i = 0; i < effort.rounds(); i++) {
        rounds.add(
            new Round(
                pods.get(i).getOrDefault(percentile, 0L) / 1e3,
                references.get(i).getOrDefault(percentile, 1L) / 1e3));
        lost += pods.get(i).getOrDefault("lost", 0L);
      }
      rows.accept(
          row(
              "round trip pod to pod, " + percentile,
              "us",
              "C, UDP over loopback",
              median(rounds),
              percentile.equals("p50") ? 2.0 : 3.0,
              true,
              lost == 0 ? "" : lost + " lost"));
    }
  }

  private static Map<String, Long> pings(LoadEnd from, LoadEnd to, int durationMs) {
    String port = Integer.toString(to.freePort());
    int count = Math.max(100, (int) ((long) PINGS_PER_SECOND * durationMs / 1000));
    LoadEnd.Running echo = to.start(List.of("udp-echo", port));
    echo.awaitListening();
    Map<String, Long> figures =
        from.start(
                List.of(
                    "udp-ping",
                    to.address(),
                    port,
                    Integer.toString(PING_SIZE),
                    Integer.toString(count)))
            .figures();
    echo.figures();
    return figures;
  }

  /**
   * What looking at packets costs: datagrams a second while somebody looks, beside while nobody
   * does.
   */
  void observers(Consumer<Row> rows) {
    int size = SIZES[0];
    datagrams(testbed.client, testbed.server, size, effort.warmUpMs());
    for (Testbed.Observer observer : Testbed.Observer.values()) {
      Round round =
          median(
              () -> {
                try (AutoCloseable _ = testbed.observe(observer)) {
                  return datagrams(testbed.client, testbed.server, size, effort.durationMs());
                } catch (UserError e) {
                  throw e;
                } catch (Exception e) {
                  throw new IllegalStateException("an observer cannot be stopped", e);
                }
              },
              () -> datagrams(testbed.client, testbed.server, size, effort.durationMs()));
      rows.accept(row(observer.title(), "packets/s", "nobody looks", round, null, false, ""));
    }
  }

  /** Bytes a second of one TCP connection. */
  void tcp(Consumer<Row> rows) {
    boolean iperf = Iperf.isInstalled();
    bulk(testbed.client, testbed.server, effort.warmUpMs());
    Round round =
        median(
            () -> bulk(testbed.client, testbed.server, effort.durationMs()) / 1e6,
            () ->
                (iperf
                        ? Iperf.bytesPerSecond(effort.durationMs())
                        : bulk(reference, reference, effort.durationMs()))
                    / 1e6);
    rows.accept(
        row(
            "TCP bulk pod to pod",
            "MB/s",
            iperf ? "iperf3 over loopback" : "C, TCP over loopback",
            round,
            0.1,
            false,
            iperf ? "" : "iperf3 is not installed"));
  }

  private static double bulk(LoadEnd from, LoadEnd to, int durationMs) {
    Map<String, Long> received = measure(from, to, "tcp", List.of(Integer.toString(durationMs)));
    return received.getOrDefault("bytes", 0L) * 1e9 / received.getOrDefault("nanos", 1L);
  }

  private Round median(DoubleSupplier figure, DoubleSupplier compared) {
    List<Round> rounds = new ArrayList<>();
    for (int i = 0; i < effort.rounds(); i++) {
      rounds.add(new Round(figure.getAsDouble(), compared.getAsDouble()));
    }
    return median(rounds);
  }

  /** The round whose ratio is the median. */
  private static Round median(List<Round> rounds) {
    Round[] sorted = rounds.toArray(Round[]::new);
    Arrays.sort(sorted, (a, b) -> Double.compare(a.ratio(), b.ratio()));
    return sorted[sorted.length / 2];
  }

  private static Row row(
      String what,
      String unit,
      String comparedWith,
      Round round,
      @Nullable Double target,
      boolean less,
      String note) {
    return new Row(
        what,
        unit,
        round.figure(),
        comparedWith,
        round.reference(),
        round.ratio(),
        target,
        less,
        note);
  }
}
