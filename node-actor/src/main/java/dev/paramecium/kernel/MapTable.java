package dev.paramecium.kernel;

import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfHashOfMaps;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.map.MapSizes;
import dev.paramecium.map.PolicyMap;
import dev.paramecium.map.PrefilterMaps;
import dev.paramecium.map.SocketMaps;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.MapEntry;
import dev.paramecium.syscall.MapInfo;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.apache.pekko.Done;
import org.jspecify.annotations.Nullable;

/**
 * The node's pinned maps by name. Maps outlive the programs that use them: a reload finds them as
 * they were. Only the kernel's actor changes the table; the list of maps may be read by any thread.
 */
final class MapTable {

  private final CiliumMaps shared;
  private final IntFunction<@Nullable Program> loaded;
  private final MapSizes sizes;
  private final Map<String, BpfMap> byName = new LinkedHashMap<>();
  private final Map<String, PolicyMap> policies = new LinkedHashMap<>();
  private final SocketMaps sockets;
  private @Nullable PrefilterMaps prefilter;
  private int lastId;
  private volatile List<BpfMap> all = List.of();

  MapTable(int cpus, IntFunction<@Nullable Program> loaded, MapSizes sizes) {
    this.loaded = loaded;
    this.sizes = sizes;
    this.shared = new CiliumMaps(() -> ++lastId, cpus, loaded, sizes);
    this.sockets = new SocketMaps(() -> ++lastId);
    shared.all().forEach(map -> byName.put(map.name(), map));
    publish();
  }

  private void publish() {
    all = List.copyOf(byName.values());
  }

  CiliumMaps shared() {
    return shared;
  }

  /** All maps; any thread. */
  List<BpfMap> all() {
    return all;
  }

  @Nullable BpfMap find(String name) {
    return byName.get(name);
  }

  /** The maps of programs on sockets; by name they are found while an option asks for them. */
  SocketMaps sockets() {
    return sockets;
  }

  void pinSockets(boolean socketLb, boolean sockops) {
    SocketPrograms.pinned(sockets, true, true).forEach(map -> byName.remove(map.name()));
    SocketPrograms.pinned(sockets, socketLb, sockops).forEach(map -> byName.put(map.name(), map));
    publish();
  }

  /** An endpoint's policy map, made if there is none. */
  PolicyMap policy(int endpointId) {
    String name = MapNames.policyMapName(endpointId);
    PolicyMap known = policies.get(name);
    if (known == null) {
      known = PolicyMap.create(++lastId, endpointId, sizes.policy());
      policies.put(name, known);
      byName.put(name, known.map());
      publish();
    }
    return known;
  }

  /** The prefilter's maps, made if there are none. */
  PrefilterMaps prefilter() {
    PrefilterMaps known = prefilter;
    if (known == null) {
      known = new PrefilterMaps(++lastId, ++lastId);
      prefilter = known;
      byName.put(known.fixed().name(), known.fixed());
      byName.put(known.dynamic().name(), known.dynamic());
      publish();
    }
    return known;
  }

  /** The tail calls of an object, made if there are none. */
  ProgramArray calls(String name) {
    if (byName.get(name) instanceof ProgramArray known) {
      return known;
    }
    ProgramArray made = new ProgramArray(++lastId, name, CiliumMaps.CALLS, loaded);
    byName.put(name, made);
    publish();
    return made;
  }

  /** Unpins an endpoint's own maps. */
  void removeEndpoint(int endpointId) {
    String policy = MapNames.policyMapName(endpointId);
    PolicyMap removed = policies.remove(policy);
    if (removed != null) {
      sockets.endpointPolicies().removeAll(removed);
    }
    byName.remove(policy);
    byName.remove(MapNames.callsMapName(endpointId));
    publish();
  }

  // ---- bpf(2)

  /** Writes entries, then deletes keys, as bpf(2) would one by one: the first error ends it. */
  Result<Done> update(Syscall.UpdateMap update) {
    BpfMap map = find(update.map());
    if (map == null) {
      return noMap(update.map());
    }
    for (MapEntry entry : update.upserts()) {
      Errno errno = map.update(entry.key(), entry.value());
      if (errno != null) {
        return Result.failed(
            errno,
            switch (errno) {
              case E2BIG ->
                  map.name() + " is full: it holds " + map.maxEntries() + " entries at most";
              case EINVAL ->
                  map.name()
                      + " takes keys of "
                      + map.keySize()
                      + " and values of "
                      + map.valueSize()
                      + " bytes, got "
                      + entry.key().length
                      + " and "
                      + entry.value().length;
              case EPERM,
                  ENOENT,
                  ESRCH,
                  EIO,
                  ENOMEM,
                  EBUSY,
                  EEXIST,
                  ENODEV,
                  ENOSPC,
                  EADDRINUSE,
                  ETIMEDOUT ->
                  map.name() + ": " + errno.text();
            });
      }
    }
    for (byte[] key : update.deletes()) {
      map.delete(key);
    }
    return Result.ok(Done.getInstance());
  }

  /** As {@link Syscall.FillMap}. */
  Result<Done> fill(String name, boolean full) {
    BpfMap map = find(name);
    if (map == null) {
      return noMap(name);
    }
    return map.fill(full)
        ? Result.ok(Done.getInstance())
        : Result.failed(
            Errno.EINVAL,
            name + " is a map of type " + map.type().bpftoolName() + ", which is never full");
  }

  private static <T> Result<T> noMap(String name) {
    return Result.failed(Errno.ENOENT, "there is no map " + name);
  }

  /** Every entry of a map. */
  Result<List<MapEntry>> dump(String name) {
    BpfMap map = find(name);
    if (map == null) {
      return noMap(name);
    }
    List<MapEntry> entries = new ArrayList<>();
    if (map instanceof BpfHashOfMaps outer) {
      outer.forEachInner((key, inner) -> entries.add(new MapEntry(key, inner.value(0))));
    } else {
      map.forEach((key, value) -> entries.add(new MapEntry(key, value)));
    }
    return Result.ok(entries);
  }

  List<MapInfo> infos() {
    return all.stream().map(MapTable::info).toList();
  }

  private static MapInfo info(BpfMap map) {
    return new MapInfo(
        map.id(),
        map.name(),
        map.type().bpftoolName(),
        map.keySize(),
        map.valueSize(),
        map.maxEntries(),
        map.size());
  }
}
