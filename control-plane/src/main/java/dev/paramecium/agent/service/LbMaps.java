package dev.paramecium.agent.service;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.Lb4SourceRangeKey;
import dev.paramecium.abi.LbAffinityMatch;
import dev.paramecium.abi.MapNames;
import dev.paramecium.agent.reconciler.Change;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * The entries of one service ({@code pkg/maps/lbmap}), in the order in which they are safe to
 * write: what an entry names is there before it.
 *
 * <pre>
 *   affinity_match, source_range   backends   maglev   slots 1 … n   reverse_nat   slot 0
 * </pre>
 */
final class LbMaps {

  /** All maps that this writes. */
  static final List<String> NAMES =
      List.of(
          MapNames.LB4_BACKENDS,
          MapNames.LB4_MAGLEV,
          MapNames.LB4_REVERSE_NAT,
          MapNames.LB4_SERVICES,
          MapNames.LB4_SOURCE_RANGE,
          MapNames.LB_AFFINITY_MATCH);

  /** What a set's members have as their value. */
  private static final byte[] MEMBER = {0};

  private final ServiceOptions options;

  LbMaps(ServiceOptions options) {
    this.options = options;
  }

  /** The entry that all services share a backend by. */
  static Change backend(Service.Backend backend) {
    return Change.upsert(
        MapNames.LB4_BACKENDS,
        Lb4Backend.encodeKey(backend.id()),
        new Lb4Backend(
                backend.address().address(),
                backend.address().port(),
                IpProtocol.ANY,
                backend.state().flags())
            .encode());
  }

  static Change noBackend(int id) {
    return Change.delete(MapNames.LB4_BACKENDS, Lb4Backend.encodeKey(id));
  }

  /** Every entry that a service has of its own; backends are {@link #backend}. */
  List<Change> entries(Service service) {
    List<Change> entries = new ArrayList<>();
    ServiceSpec spec = service.spec();
    if (hasAffinity(spec)) {
      for (Service.Backend backend : service.backends()) {
        entries.add(
            Change.upsert(
                MapNames.LB_AFFINITY_MATCH,
                new LbAffinityMatch(backend.id(), service.id()).encode(),
                MEMBER));
      }
    }
    for (Ipv4Prefix range : sourceRanges(spec)) {
      entries.add(
          Change.upsert(
              MapNames.LB4_SOURCE_RANGE,
              new Lb4SourceRangeKey(service.id(), range).encode(),
              MEMBER));
    }
    List<Service.Backend> active = service.active();
    Maglev maglev = options.maglevOf(spec);
    if (maglev != null && !active.isEmpty()) {
      entries.add(
          Change.upsert(
              MapNames.LB4_MAGLEV,
              Lb4ReverseNat.encodeKey(service.id()),
              lookupTable(maglev, active)));
    }
    int slot = 0;
    for (Service.Backend backend : service.bySlot()) {
      entries.add(
          slot(spec.frontend(), ++slot, new Lb4Service(backend.id(), 0, service.id(), 0, 0)));
    }
    entries.add(
        Change.upsert(
            MapNames.LB4_REVERSE_NAT,
            Lb4ReverseNat.encodeKey(service.id()),
            new Lb4ReverseNat(spec.frontend().address(), spec.frontend().port()).encode()));
    entries.add(slot(spec.frontend(), 0, frontend(service, active.size())));
    return entries;
  }

  private static Change slot(L3n4Addr frontend, int slot, Lb4Service value) {
    Lb4Key key = frontend.key(slot);
    return Change.upsert(MapNames.LB4_SERVICES, key.encode(), value.encode());
  }

  private Lb4Service frontend(Service service, int activeBackends) {
    ServiceSpec spec = service.spec();
    boolean routable =
        !spec.frontend().isSurrogate()
            && (spec.type() != ServiceType.CLUSTER_IP || options.externalClusterIp());
    int flags =
        spec.type().flags()
            | (spec.isLocal() ? Lb4Service.FLAG_LOCAL_SCOPE : 0)
            | (spec.affinityTimeoutSeconds() > 0 ? Lb4Service.FLAG_AFFINITY : 0)
            | (routable ? Lb4Service.FLAG_ROUTABLE : 0)
            | (sourceRanges(spec).isEmpty() ? 0 : Lb4Service.FLAG_SOURCE_RANGE);
    return new Lb4Service(
        spec.affinityTimeoutSeconds(), activeBackends, service.id(), flags, spec.type().flags2());
  }

  private boolean hasAffinity(ServiceSpec spec) {
    return options.sessionAffinity() && spec.affinityTimeoutSeconds() > 0;
  }

  private List<Ipv4Prefix> sourceRanges(ServiceSpec spec) {
    return options.sourceRangeCheck() ? spec.sourceRanges() : List.of();
  }

  /** The backends' ids, as the only value of the service's inner map. */
  private static byte[] lookupTable(Maglev maglev, List<Service.Backend> active) {
    TreeMap<String, Integer> ids = new TreeMap<>();
    active.forEach(backend -> ids.put(backend.address().toString(), backend.id()));
    List<Integer> byName = List.copyOf(ids.values());
    ByteBuffer table =
        ByteBuffer.allocate(maglev.tableSize() * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int index : maglev.lookupTable(List.copyOf(ids.keySet()))) {
      table.putInt(byName.get(index));
    }
    return table.array();
  }
}
