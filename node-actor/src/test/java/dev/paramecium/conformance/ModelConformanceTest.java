package dev.paramecium.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.abi.TraceNotify;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.datapath.model.MapState;
import dev.paramecium.datapath.model.NodeModel;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.map.PolicyMap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The model that judges the programs is judged by what the real ones did. */
class ModelConformanceTest {

  @ParameterizedTest
  @CsvSource({"aggregation-medium,149", "aggregation-none,149", "nodeport,15", "random,280"})
  void modelDoesWhatCiliumDid(String folder, int count) throws Exception {
    List<Result> results = new ArrayList<>();
    Conformance.run(
        List.of(ConformanceTest.vectors().resolve(folder)),
        vector -> new Replay(vector, Model::new),
        results::add);
    assertThat(results).hasSize(count);
    assertThat(results.stream().filter(result -> !result.passes()))
        .as("vectors that the model does not meet")
        .isEmpty();
  }

  /** The model on a replay's maps. */
  private static final class Model implements Replay.Candidate {

    private final Replay replay;
    private final RandomSource random = RandomSource.seeded(Replay.SEED);
    private final Map<Integer, PolicyMap> policies = new HashMap<>();
    private final List<EndpointProgramConfig> endpoints = new ArrayList<>();

    Model(Replay replay) {
      this.replay = replay;
      for (Replay.Endpoint endpoint : replay.endpoints().values()) {
        policies.put(endpoint.config().id(), endpoint.policy());
        endpoints.add(endpoint.config());
      }
    }

    @Override
    public int run(Fields step, SkBuff packet) throws MalformedVectorException {
      MapState state = MapState.of(replay.maps(), policies);
      NodeModel model =
          new NodeModel(
              replay.config(), state, endpoints, _ -> false, random, replay.clock()::seconds);
      int endpoint =
          step.has("endpoint") ? replay.endpoints().get(step.text("endpoint")).config().id() : 0;
      int verdict = model.run(step.text("hook"), endpoint, packet);
      state.writeBack(replay.maps(), policies);
      PerfEventArray events = replay.maps().events();
      for (MonitorEvent event : model.events()) {
        events.output(0, replay.clock().nanos(), encode(event));
      }
      return verdict;
    }

    private static byte[] encode(MonitorEvent event) {
      return switch (event) {
        case TraceNotify trace -> trace.encode();
        case DropNotify drop -> drop.encode();
        case PolicyVerdictNotify verdict -> verdict.encode();
      };
    }
  }
}
