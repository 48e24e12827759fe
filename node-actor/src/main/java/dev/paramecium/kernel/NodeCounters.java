package dev.paramecium.kernel;

import dev.paramecium.container.NetworkNamespace;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.NamespacePort;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.underlay.Underlay;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * Sums what a node counts: drops, buffers, queues, devices, the underlay, and every stack's own.
 */
final class NodeCounters {

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final Scheduler scheduler;
  private final NodeDatapath node;
  private final Underlay underlay;

  NodeCounters(Scheduler scheduler, NodeDatapath node, Underlay underlay) {
    this.scheduler = scheduler;
    this.node = node;
    this.underlay = underlay;
  }

  /**
   * All counters by name, as soon as every namespace has answered.
   *
   * @param all the namespaces, the node's own first
   * @param netns how many pods' namespaces there are
   * @param collected conntrack entries that the garbage collector took
   */
  CompletionStage<Map<String, Long>> read(List<NamespacePort> all, int netns, long collected) {
    Map<String, Long> counters = new TreeMap<>(node.drops().snapshot());
    counters.putAll(underlay.counters());
    counters.put("buffers_in_use", (long) node.pool().inUse());
    counters.put("buffers_limit", (long) node.pool().limit());
    counters.put("conntrack_collected", collected);
    counters.put("netns", (long) netns);
    counters.put("programs", (long) node.programs().all().size());
    for (DevicePort port : node.devices().all()) {
      String name = port.link().name() + (port.link().netns().isEmpty() ? "" : "@pod");
      counters.merge("rx_packets_" + name, port.counters().rxPackets(), Long::sum);
      counters.merge("tx_packets_" + name, port.counters().txPackets(), Long::sum);
      counters.merge("queue_waiting_devices", (long) port.backlog().waiting(), Long::sum);
      counters.merge("queue_drop_devices", port.backlog().dropped(), Long::sum);
    }
    List<CompletableFuture<Map<String, Long>>> answers = new ArrayList<>();
    for (NamespacePort namespace : all) {
      counters.merge("queue_waiting_netns", (long) namespace.backlog().waiting(), Long::sum);
      counters.merge("queue_drop_netns", namespace.backlog().dropped(), Long::sum);
      answers.add(
          AskPattern.ask(
                  namespace.namespace(), NetworkNamespace.ReadCounters::new, TIMEOUT, scheduler)
              .toCompletableFuture()
              .exceptionally(_ -> Map.of())); // it was deleted meanwhile
    }
    return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
        .thenApply(
            _ -> {
              for (CompletableFuture<Map<String, Long>> answer : answers) {
                answer.join().forEach((name, value) -> counters.merge(name, value, Long::sum));
              }
              return counters;
            });
  }
}
