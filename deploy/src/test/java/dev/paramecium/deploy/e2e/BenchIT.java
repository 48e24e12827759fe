package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each benchmark runs and prints its rows; what the figures are is not a test's business. */
class BenchIT {

  private static CommandResult bench(String... arguments) {
    List<String> all = new ArrayList<>(List.of("bench"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--rounds", "1", "--duration-ms", "100", "--warm-up-ms", "200"));
    return CommandResult.run(all);
  }

  @Test
  void everyBenchmarkPrintsFigureReferenceRatioAndTarget() throws IOException {
    CommandResult result = bench("all", "-o", "json");
    JsonNode rows = ApiHttp.JSON.readTree(result.stdout());
    List<String> names = new ArrayList<>();
    for (JsonNode row : rows) {
      names.add(row.path("what").asText());
      assertThat(row.path("figure").asDouble()).as("figure of %s", row).isPositive();
      assertThat(row.path("reference").asDouble()).as("reference of %s", row).isPositive();
      assertThat(row.path("ratio").asDouble()).as("ratio of %s", row).isPositive();
      assertThat(row.has("target")).as("target of %s", row).isTrue();
    }
    assertThat(names)
        .as(result.stderr())
        .containsExactly(
            "denied SYN, both events read",
            "from-container, established TCP",
            "from-overlay, policy tail call",
            "same node, egress and ingress",
            "from-container, 100,000 flows at random",
            "from-overlay, 100,000 flows at random",
            "UDP pod to pod, 178 B",
            "UDP pod to pod, 1400 B",
            "round trip pod to pod, p50",
            "round trip pod to pod, p99",
            "TCP bulk pod to pod",
            "a trace of another flow is armed",
            "tcpdump on eth0, another flow's filter",
            "tcpdump on eth0, every packet printed",
            "cilium monitor");
  }

  @Test
  void oneBenchmarkPrintsItsRowsForPeople() {
    CommandResult result = bench("rtt");
    assertThat(result.stdout().lines())
        .as(result.stderr())
        .hasSize(2)
        .allMatch(
            line -> line.matches("round trip pod to pod, p\\d\\d .* us .* ratio .* target .*"));
  }

  @Test
  void anUnknownBenchmarkIsAnErrorThatNamesThoseThereAre() {
    CommandResult result = bench("speed");
    assertThat(result.exitCode()).isEqualTo(UserError.USAGE);
    assertThat(result.stderr())
        .contains(
            "there is no benchmark \"speed\": use udp, rtt, tcp, programs, observers, api, policy,"
                + " scale or all.");
  }
}
