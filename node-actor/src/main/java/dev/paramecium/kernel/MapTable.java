package dev.paramecium.kernel;

import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.map.PolicyMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The node's pinned maps by name. Maps outlive the programs that use them: a reload finds them as
 * they were. Only the kernel's actor changes the table; the list of maps may be read by any thread.
 */
final class MapTable {

  private final CiliumMaps shared;
  private final IntFunction<@Nullable Program> loaded;
  private final Map<String, BpfMap> byName = new LinkedHashMap<>();
  private final Map<String, PolicyMap> policies = new LinkedHashMap<>();
  private int lastId;
  private volatile List<BpfMap> all = List.of();

  MapTable(int cpus, IntFunction<@Nullable Program> loaded) {
    this.loaded = loaded;
    this.shared = new CiliumMaps(() -> ++lastId, cpus, loaded);
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

  /** An endpoint's policy map, made if there is none. */
  PolicyMap policy(int endpointId) {
    String name = MapNames.policyMapName(endpointId);
    PolicyMap known = policies.get(name);
    if (known == null) {
      known = PolicyMap.create(++lastId, endpointId);
      policies.put(name, known);
      byName.put(name, known.map());
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
    policies.remove(policy);
    byName.remove(policy);
    byName.remove(MapNames.callsMapName(endpointId));
    publish();
  }
}
