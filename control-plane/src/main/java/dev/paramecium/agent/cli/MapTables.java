package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.Lb4SourceRangeKey;
import dev.paramecium.abi.LbAffinityMatch;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.reconciler.MapReconciler.CacheEntry;
import dev.paramecium.agent.reconciler.MapReconciler.MapState;
import dev.paramecium.syscall.MapInfo;
import java.time.Duration;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code cilium map list|get}: the agent's user-space copies of the maps, with their sync state.
 */
final class MapTables {

  private static final Duration TIMEOUT = Duration.ofSeconds(3);

  /** The maps that keep a copy; of conntrack, policy and metrics there is none. */
  private static final Set<String> CACHED =
      Set.of(
          MapNames.LXC,
          MapNames.IPCACHE,
          MapNames.TUNNEL,
          MapNames.LB4_SERVICES,
          MapNames.LB4_BACKENDS,
          MapNames.LB4_REVERSE_NAT,
          MapNames.LB4_SOURCE_RANGE,
          MapNames.LB_AFFINITY_MATCH,
          MapNames.SNAT_V4_EXTERNAL,
          MapNames.ENCRYPT_STATE);

  private record Copy(String name, boolean cached, List<CacheEntry> entries) {}

  private MapTables() {}

  static CompletionStage<CommandOutput> list(AgentView view, Arguments arguments) {
    return copies(view)
        .thenApply(
            copies -> {
              if (arguments.json()) {
                ObjectNode json = JsonNodeFactory.instance.objectNode();
                ArrayNode maps = json.putArray("maps");
                copies.forEach(copy -> maps.add(json(copy)));
                return Json.print(json);
              }
              if (arguments.has("verbose")) {
                StringBuilder out = new StringBuilder();
                for (Copy copy : copies) {
                  out.append("## Map: ").append(copy.name()).append('\n');
                  out.append(entries(copy)).append('\n');
                }
                return CommandOutput.of(out.toString());
              }
              TabWriter table = new TabWriter();
              table.row("Name", "Num entries", "Num errors", "Cache enabled");
              for (Copy copy : copies) {
                long errors = copy.entries().stream().filter(e -> !e.error().isEmpty()).count();
                table.row(
                    copy.name(),
                    Integer.toString(copy.entries().size()),
                    Long.toString(errors),
                    Boolean.toString(copy.cached()));
              }
              return CommandOutput.of(table.toString());
            });
  }

  static CompletionStage<CommandOutput> get(AgentView view, Arguments arguments) {
    String name = arguments.word(2);
    if (name.isEmpty()) {
      return CompletableFuture.completedFuture(CommandOutput.error("map name must be specified"));
    }
    return copies(view)
        .thenApply(
            copies -> {
              for (Copy copy : copies) {
                if (copy.name().equals(name)) {
                  return arguments.json()
                      ? Json.print(json(copy))
                      : CommandOutput.of(entries(copy));
                }
              }
              return CommandOutput.error(
                  "[GET /map/{name}][404] getMapNameNotFound: there is no map "
                      + name
                      + "; cilium map list shows those that there are");
            });
  }

  /** Every map that the agent has open, by name. */
  private static CompletionStage<List<Copy>> copies(AgentView view) {
    return view.kernel()
        .listMaps()
        .thenCompose(
            maps -> {
              CompletionStage<TreeMap<String, Copy>> all =
                  CompletableFuture.completedFuture(new TreeMap<>());
              for (MapInfo map : maps) {
                if (map.name().startsWith("cilium_calls_")) {
                  continue; // the loader's, the agent has none of them open
                }
                all =
                    all.thenCombine(
                        copy(view, map.name()),
                        (copies, copy) -> {
                          copies.put(copy.name(), copy);
                          return copies;
                        });
              }
              return all.thenApply(copies -> List.copyOf(copies.values()));
            });
  }

  private static CompletionStage<Copy> copy(AgentView view, String name) {
    if (name.equals(MapNames.EP_TO_POLICY)) {
      // Written when an endpoint's programs are loaded, not by the reconciler.
      return view.kernel()
          .dumpMap(name)
          .thenApply(
              entries ->
                  new Copy(
                      name,
                      true,
                      entries.stream()
                          .map(
                              e ->
                                  new CacheEntry(
                                      new Bytes(e.key()), new Bytes(e.value()), "sync", ""))
                          .toList()));
    }
    if (!CACHED.contains(name)) {
      return CompletableFuture.completedFuture(new Copy(name, false, List.of()));
    }
    CompletionStage<MapState> state =
        AskPattern.ask(
            view.reconciler(),
            replyTo -> new MapReconciler.ReadMap(name, replyTo),
            TIMEOUT,
            view.scheduler());
    return state.thenApply(read -> new Copy(name, true, read.entries()));
  }

  private static String entries(Copy copy) {
    if (!copy.cached()) {
      return "Cache is disabled\n\n";
    }
    if (copy.entries().isEmpty()) {
      return "Cache is empty\n\n";
    }
    TabWriter table = new TabWriter();
    table.row("Key", "Value", "State", "Error");
    for (CacheEntry entry : copy.entries()) {
      table.row(
          key(copy.name(), entry.key()),
          value(copy.name(), entry.value()),
          entry.state(),
          entry.error());
    }
    return table.toString();
  }

  private static ObjectNode json(Copy copy) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (copy.cached()) {
      ArrayNode cache = json.putArray("cache");
      for (CacheEntry entry : copy.entries()) {
        ObjectNode node = cache.addObject();
        node.put("desired-action", entry.state());
        node.put("key", key(copy.name(), entry.key()));
        if (!entry.error().isEmpty()) {
          node.put("last-error", entry.error());
        }
        node.put("value", value(copy.name(), entry.value()));
      }
    }
    json.put("path", MapNames.PIN_DIRECTORY + copy.name());
    return json;
  }

  private static String key(String map, Bytes key) {
    return switch (map) {
      case MapNames.IPCACHE -> IpcacheKey.decode(key.array()).toString();
      case MapNames.LXC, MapNames.TUNNEL, MapNames.EP_TO_POLICY ->
          EndpointKey.decode(key.array()).toString();
      case MapNames.LB4_SERVICES -> Lb4Key.decode(key.array()).toString();
      case MapNames.LB4_BACKENDS -> Integer.toUnsignedString(Lb4Backend.decodeKey(key.array()));
      case MapNames.LB4_REVERSE_NAT -> Integer.toString(Lb4ReverseNat.decodeKey(key.array()));
      case MapNames.LB4_SOURCE_RANGE -> Lb4SourceRangeKey.decode(key.array()).toString();
      case MapNames.LB_AFFINITY_MATCH -> LbAffinityMatch.decode(key.array()).toString();
      default -> key.toString();
    };
  }

  private static String value(String map, @Nullable Bytes value) {
    if (value == null) {
      return "<nil>";
    }
    return switch (map) {
      case MapNames.IPCACHE -> RemoteEndpointInfo.decode(value.array()).toString();
      case MapNames.LXC -> EndpointInfo.decode(value.array()).toString();
      case MapNames.TUNNEL -> EndpointKey.decode(value.array()).toString();
      case MapNames.LB4_SERVICES -> Lb4Service.decode(value.array()).toString();
      case MapNames.LB4_BACKENDS -> Lb4Backend.decode(value.array()).toString();
      case MapNames.LB4_REVERSE_NAT -> Lb4ReverseNat.decode(value.array()).toString();
      case MapNames.EP_TO_POLICY -> Integer.toString(mapId(value.array()));
      case MapNames.LB4_SOURCE_RANGE, MapNames.LB_AFFINITY_MATCH -> "";
      default -> value.toString();
    };
  }

  /** An inner map as bpf(2) answers it, four bytes of the machine's order. */
  private static int mapId(byte[] value) {
    return ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getInt();
  }
}
