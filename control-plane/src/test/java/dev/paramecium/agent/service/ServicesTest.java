package dev.paramecium.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.Lb4SourceRangeKey;
import dev.paramecium.abi.LbAffinityMatch;
import dev.paramecium.abi.MapNames;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.reconciler.Change;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ServicesTest {

  private static final L3n4Addr VIP = L3n4Addr.parse("10.96.0.10:80");
  private static final L3n4Addr A = L3n4Addr.parse("10.0.0.1:8080");
  private static final L3n4Addr B = L3n4Addr.parse("10.0.0.2:8080");
  private static final L3n4Addr C = L3n4Addr.parse("10.0.0.3:8080");

  private final ServiceOptions options = new ServiceOptions("node-1", null, true, true, false);
  private Services services = new Services(options);

  /** The maps as the changes leave them. */
  private final Map<String, Map<Bytes, Bytes>> maps = new HashMap<>();

  private void write(List<Change> changes) {
    for (Change change : changes) {
      Map<Bytes, Bytes> map = maps.computeIfAbsent(change.map(), _ -> new HashMap<>());
      if (change.value() == null) {
        assertThat(map.remove(change.key())).as("deletes what is there: %s", change).isNotNull();
      } else {
        map.put(change.key(), change.value());
      }
    }
  }

  private Services.Upserted upsert(ServiceSpec spec) {
    Services.Upserted upserted = services.upsert(spec);
    write(upserted.changes());
    return upserted;
  }

  private Services.Upserted upsert(int id, L3n4Addr frontend, L3n4Addr... backends) {
    return upsert(ServiceSpec.of(id, frontend, ServiceType.CLUSTER_IP, backends));
  }

  /** As {@code cilium bpf lb list --frontends}, sorted. */
  private Map<String, String> slots() {
    Map<String, String> slots = new TreeMap<>();
    maps.getOrDefault(MapNames.LB4_SERVICES, Map.of())
        .forEach(
            (key, value) -> {
              Lb4Key service = Lb4Key.decode(key.array());
              slots.put(
                  service + " " + service.backendSlot(),
                  Lb4Service.decode(value.array()).toString());
            });
    return slots;
  }

  private Map<Integer, String> backends() {
    Map<Integer, String> backends = new TreeMap<>();
    maps.getOrDefault(MapNames.LB4_BACKENDS, Map.of())
        .forEach(
            (key, value) ->
                backends.put(
                    Lb4Backend.decodeKey(key.array()),
                    Lb4Backend.decode(value.array()).toString()));
    return backends;
  }

  @Test
  void fillsSlotsInTheOrderOfBackendIdsAndCountsThem() {
    assertThat(upsert(0, VIP, B, A)).matches(u -> u.created() && u.id() == 1);
    assertThat(backends()).isEqualTo(Map.of(1, "ANY://10.0.0.2:8080", 2, "ANY://10.0.0.1:8080"));
    assertThat(slots())
        .isEqualTo(
            Map.of(
                "10.96.0.10:80 0", "0 2 (1) [0x0 0x0]",
                "10.96.0.10:80 1", "1 0 (1) [0x0 0x0]",
                "10.96.0.10:80 2", "2 0 (1) [0x0 0x0]"));
    assertThat(maps.get(MapNames.LB4_REVERSE_NAT))
        .containsEntry(
            new Bytes(Lb4ReverseNat.encodeKey(1)),
            new Bytes(new Lb4ReverseNat(VIP.address(), 80).encode()));
  }

  @Test
  void writesWhatAnEntryNamesBeforeIt() {
    List<String> order =
        services.upsert(ServiceSpec.of(0, VIP, ServiceType.NODE_PORT, A)).changes().stream()
            .map(Change::map)
            .toList();
    assertThat(order)
        .containsExactly(
            MapNames.LB4_BACKENDS,
            MapNames.LB4_SERVICES,
            MapNames.LB4_REVERSE_NAT,
            MapNames.LB4_SERVICES);
  }

  @Test
  void sharesABackendBetweenServicesUntilNobodyUsesIt() {
    upsert(0, VIP, A, B);
    L3n4Addr other = L3n4Addr.parse("10.96.0.11:80");
    assertThat(upsert(0, other, A).id()).isEqualTo(2);
    upsert(0, VIP, B);
    assertThat(backends()).containsOnlyKeys(1, 2);
    assertThat(slots()).containsEntry("10.96.0.10:80 1", "2 0 (1) [0x0 0x0]").hasSize(4);
    List<Change> changes = services.delete(2);
    assertThat(changes).isNotNull();
    write(changes);
    assertThat(backends()).containsOnlyKeys(2);
    assertThat(services.delete(2)).isNull();
  }

  @Test
  void givesANumberBackOnlyAfterAllOthersHadTheirTurn() {
    upsert(0, VIP, A);
    services.delete(1);
    assertThat(services.upsert(ServiceSpec.of(0, VIP, ServiceType.CLUSTER_IP, A)).id())
        .isEqualTo(2);
    assertThatThrownBy(
            () ->
                services.upsert(
                    ServiceSpec.of(2, L3n4Addr.parse("10.9.9.9:9"), ServiceType.CLUSTER_IP)))
        .hasMessage("Service ID 2 is already registered to \"10.96.0.10:80\"");
  }

  @Test
  void setsTheFlagsOfEachType() {
    Map<ServiceType, String> flags = new HashMap<>();
    int port = 1000;
    for (ServiceType type : ServiceType.values()) {
      L3n4Addr frontend = new L3n4Addr(VIP.address(), ++port);
      upsert(ServiceSpec.of(0, frontend, type, A));
      String value = slots().get(frontend + " 0");
      flags.put(type, value.substring(value.indexOf('[')));
    }
    assertThat(flags)
        .isEqualTo(
            Map.of(
                ServiceType.CLUSTER_IP, "[0x0 0x0]",
                ServiceType.NODE_PORT, "[0x42 0x0]",
                ServiceType.EXTERNAL_IPS, "[0x41 0x0]",
                ServiceType.LOAD_BALANCER, "[0x60 0x0]",
                ServiceType.HOST_PORT, "[0x48 0x0]",
                ServiceType.LOCAL_REDIRECT, "[0x40 0x1]"));
    upsert(ServiceSpec.of(0, L3n4Addr.parse("0.0.0.0:31000"), ServiceType.NODE_PORT, A));
    assertThat(slots().get("0.0.0.0:31000 0"))
        .as("the surrogate is not routable")
        .endsWith("[0x2 0x0]");
  }

  @Test
  void keepsAffinityAndSourceRangesOfAService() {
    ServiceSpec spec =
        new ServiceSpec(
            7,
            VIP,
            ServiceType.LOAD_BALANCER,
            List.of(ServiceSpec.Backend.of(A)),
            false,
            10800,
            List.of(Ipv4Prefix.parse("192.0.2.0/24")),
            "default/web");
    upsert(spec);
    assertThat(slots()).containsEntry("10.96.0.10:80 0", "10800 1 (7) [0xf0 0x0]");
    assertThat(maps.get(MapNames.LB_AFFINITY_MATCH))
        .containsOnlyKeys(new Bytes(new LbAffinityMatch(1, 7).encode()));
    assertThat(maps.get(MapNames.LB4_SOURCE_RANGE))
        .containsOnlyKeys(
            new Bytes(new Lb4SourceRangeKey(7, Ipv4Prefix.parse("192.0.2.0/24")).encode()));
    upsert(ServiceSpec.of(7, VIP, ServiceType.LOAD_BALANCER, A));
    assertThat(maps.get(MapNames.LB_AFFINITY_MATCH)).isEmpty();
    assertThat(maps.get(MapNames.LB4_SOURCE_RANGE)).isEmpty();
  }

  @Test
  void keepsABackendThatTakesNoNewConnectionsBehindTheOthers() {
    upsert(0, VIP, A, B, C);
    write(services.updateBackendState(A, BackendState.QUARANTINED));
    assertThat(slots())
        .containsEntry("10.96.0.10:80 0", "0 2 (1) [0x0 0x0]")
        .containsEntry("10.96.0.10:80 1", "2 0 (1) [0x0 0x0]")
        .containsEntry("10.96.0.10:80 3", "1 0 (1) [0x0 0x0]");
    assertThat(
            Lb4Backend.decode(
                    maps.get(MapNames.LB4_BACKENDS).get(new Bytes(Lb4Backend.encodeKey(1))).array())
                .flags())
        .isEqualTo(Lb4Backend.QUARANTINED);
    write(services.updateBackendState(A, BackendState.ACTIVE));
    assertThat(slots()).containsEntry("10.96.0.10:80 0", "0 3 (1) [0x0 0x0]");
  }

  @Test
  void choosesOnlyBackendsOfThisNodeForALocalTrafficPolicy() {
    List<ServiceSpec.Backend> spread =
        List.of(
            new ServiceSpec.Backend(A, "node-1", BackendState.ACTIVE),
            new ServiceSpec.Backend(B, "node-2", BackendState.ACTIVE));
    upsert(new ServiceSpec(0, VIP, ServiceType.NODE_PORT, spread, true, 0, List.of(), ""));
    assertThat(slots()).containsEntry("10.96.0.10:80 0", "0 1 (1) [0x46 0x0]");
    L3n4Addr inside = new L3n4Addr(VIP.address(), VIP.port(), true);
    upsert(new ServiceSpec(0, inside, ServiceType.NODE_PORT, spread, true, 0, List.of(), ""));
    assertThat(slots()).containsEntry("10.96.0.10:80/i 0", "0 2 (2) [0x46 0x0]");
  }

  /** Whatever happened before, the maps hold what a fresh computation would put there. */
  @Property(tries = 300)
  void leavesInTheMapsWhatTheServicesThatRemainNeed(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    services = new Services(new ServiceOptions("node-1", new Maglev(251, 1), true, true, false));
    maps.clear();
    List<L3n4Addr> addresses = List.of(A, B, C, L3n4Addr.parse("10.0.0.4:1"));
    for (int step = 0; step < 30; step++) {
      int vip = random.nextInt(4);
      if (random.nextInt(4) == 0) {
        Service service = services.of(new L3n4Addr(VIP.address(), 80 + vip));
        List<Change> changes = service == null ? null : services.delete(service.id());
        write(changes == null ? List.of() : changes);
      } else {
        List<ServiceSpec.Backend> backends = new ArrayList<>();
        for (L3n4Addr address : addresses) {
          if (random.nextBoolean()) {
            BackendState state =
                random.nextInt(5) == 0 ? BackendState.TERMINATING : BackendState.ACTIVE;
            backends.add(new ServiceSpec.Backend(address, "", state));
          }
        }
        upsert(
            new ServiceSpec(
                0,
                new L3n4Addr(VIP.address(), 80 + vip),
                ServiceType.values()[random.nextInt(6)],
                backends,
                false,
                random.nextInt(2) * 30,
                random.nextBoolean() ? List.of(Ipv4Prefix.parse("10.0.0.0/8")) : List.of(),
                ""));
      }
    }
    Map<String, Map<Bytes, Bytes>> fresh = new HashMap<>();
    LbMaps entries =
        new LbMaps(new ServiceOptions("node-1", new Maglev(251, 1), true, true, false));
    for (Service service : services.all()) {
      for (Change change : entries.entries(service)) {
        fresh.computeIfAbsent(change.map(), _ -> new HashMap<>()).put(change.key(), change.value());
      }
      for (Service.Backend backend : service.backends()) {
        fresh
            .computeIfAbsent(MapNames.LB4_BACKENDS, _ -> new HashMap<>())
            .put(LbMaps.backend(backend).key(), LbMaps.backend(backend).value());
      }
    }
    for (String map : Services.mapNames()) {
      Map<Bytes, Bytes> actual = maps.getOrDefault(map, Map.of());
      if (map.equals(MapNames.LB4_BACKENDS)) {
        // A state that another service's wish set is in the map before this service hears of it.
        assertThat(actual.keySet())
            .as("seed %d, %s", seed, map)
            .isEqualTo(fresh.getOrDefault(map, Map.of()).keySet());
      } else {
        assertThat(actual)
            .as("seed %d, %s", seed, map)
            .isEqualTo(fresh.getOrDefault(map, Map.of()));
      }
    }
  }
}
