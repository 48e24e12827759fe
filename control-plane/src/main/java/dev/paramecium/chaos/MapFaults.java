package dev.paramecium.chaos;

import dev.paramecium.agent.CiliumAgent;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.syscall.MapEntry;
import dev.paramecium.syscall.MapInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * MapChaos on one node: {@code full} by the kernel, which takes no new key; {@code lost} by
 * deleting entries behind the agent's back; {@code stale} by the {@link MapGate}. At the end the
 * agent reads the maps and writes what is missing: it is over when it has.
 */
final class MapFaults implements Action {

  private static final Duration ANSWER = Duration.ofSeconds(10);

  /** A map of many entries, or one that the kernel refuses to take again. */
  private static final Duration REPAIR = Duration.ofSeconds(60);

  private final KernelCalls kernel;
  private final ActorRef<MapGate.Command> gate;
  private final ActorRef<CiliumAgent.Command> agent;
  private final Scheduler scheduler;
  private final String nodeName;

  MapFaults(
      KernelCalls kernel,
      ActorRef<MapGate.Command> gate,
      ActorRef<CiliumAgent.Command> agent,
      Scheduler scheduler,
      String nodeName) {
    this.kernel = kernel;
    this.gate = gate;
    this.agent = agent;
    this.scheduler = scheduler;
    this.nodeName = nodeName;
  }

  @Override
  public ResourceType type() {
    return ResourceType.MAP_CHAOS;
  }

  @Override
  public boolean isMine(Experiment.Record record) {
    return record.node().equals(nodeName);
  }

  @Override
  public boolean endsWithThisProcess() {
    return true;
  }

  @Override
  public CompletionStage<Done> inject(KubeObject chaos, String id) {
    return switch (chaos.text("/spec/action")) {
      case "full" -> each(chaos, map -> kernel.fillMap(map, true));
      case "lost" -> each(chaos, map -> lose(chaos, map));
      default -> hold(chaos);
    };
  }

  @Override
  public CompletionStage<Done> recover(KubeObject chaos, String id) {
    CompletionStage<Done> lifted =
        switch (chaos.text("/spec/action")) {
          case "full" -> each(chaos, map -> kernel.fillMap(map, false));
          case "lost" -> CompletableFuture.completedFuture(Done.done());
          default ->
              AskPattern.ask(
                  gate,
                  (ActorRef<Done> replyTo) -> new MapGate.Lift(chaos.name(), replyTo),
                  ANSWER,
                  scheduler);
        };
    return lifted.thenCompose(_ -> each(chaos, this::repair));
  }

  private CompletionStage<Done> repair(String map) {
    return AskPattern.ask(
        agent,
        (ActorRef<Done> replyTo) -> new CiliumAgent.RepairMap(map, replyTo),
        REPAIR,
        scheduler);
  }

  private CompletionStage<Done> hold(KubeObject chaos) {
    Duration delay = Duration.ofNanos(Quantities.nanos(chaos.at("/spec/delay").asText("0")));
    return AskPattern.ask(
        gate,
        (ActorRef<Done> replyTo) ->
            new MapGate.Hold(chaos.name(), chaos.text("/spec/map"), delay, replyTo),
        ANSWER,
        scheduler);
  }

  /** Which entries go follows from the object's uid and what the map holds. */
  private CompletionStage<Done> lose(KubeObject chaos, String map) {
    double percent = Quantities.percent(chaos.at("/spec/percent").asText("100"));
    return kernel
        .dumpMap(map)
        .thenCompose(
            entries -> {
              List<MapEntry> shuffled = new ArrayList<>(entries);
              Collections.shuffle(
                  shuffled, new Random(chaos.uid().hashCode() * 31L + nodeName.hashCode()));
              long count = Math.round(Math.ceil(shuffled.size() * percent / 100));
              List<byte[]> keys = shuffled.stream().limit(count).map(MapEntry::key).toList();
              return kernel.updateMap(map, List.of(), keys);
            });
  }

  /** Does something to every map that the experiment names, one after the other. */
  private CompletionStage<Done> each(
      KubeObject chaos, Function<String, CompletionStage<Done>> what) {
    String pattern = chaos.text("/spec/map");
    return kernel
        .listMaps()
        .thenCompose(
            maps -> {
              List<String> names =
                  maps.stream()
                      .map(MapInfo::name)
                      .filter(name -> MapGate.matches(pattern, name))
                      .toList();
              if (names.isEmpty() && !pattern.endsWith("*")) {
                return CompletableFuture.failedFuture(
                    new IllegalStateException(
                        nodeName
                            + " has no map "
                            + pattern
                            + " with the options that it runs with: see bpftool map show there"));
              }
              CompletionStage<Done> all = CompletableFuture.completedFuture(Done.done());
              for (String name : names) {
                all = all.thenCompose(_ -> what.apply(name));
              }
              return all;
            });
  }
}
