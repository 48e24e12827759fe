package dev.paramecium.agent.service;

import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.reconciler.Change;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The node's services ({@code pkg/service/service.go}): gives each frontend its id and each backend
 * address the one id that all services share, and says which map entries change with every wish.
 * Pure bookkeeping for one owner; the owner has the changes written.
 *
 * <p>A frontend has no protocol, so a UDP service on the address and port of a TCP one takes its
 * place, as in v1.12.3.
 */
public final class Services {

  /** MaxSetOfBackendID is {@code 1<<32 - 1}; a signed half of it is plenty. */
  private static final int MAX_BACKEND_ID = Integer.MAX_VALUE;

  private static final class KnownBackend {
    final int id;
    BackendState state;
    int users;

    KnownBackend(int id, BackendState state) {
      this.id = id;
      this.state = state;
    }
  }

  private record Entry(String map, Bytes key) {}

  /**
   * What came of a wish.
   *
   * @param created whether the service is new
   * @param changes what to write, in this order
   */
  public record Upserted(boolean created, int id, List<Change> changes) {}

  private final ServiceOptions options;
  private final LbMaps maps;
  private final IdAllocator ids = new IdAllocator(ServiceSpec.MAX_ID);
  private final IdAllocator backendIds = new IdAllocator(MAX_BACKEND_ID);
  private final Map<Integer, Service> byId = new TreeMap<>();
  private final Map<L3n4Addr, KnownBackend> backends = new HashMap<>();

  public Services(ServiceOptions options) {
    this.options = options;
    this.maps = new LbMaps(options);
  }

  /** The maps that services live in. */
  public static List<String> mapNames() {
    return LbMaps.NAMES;
  }

  /** By id. */
  public Collection<Service> all() {
    return List.copyOf(byId.values());
  }

  public @Nullable Service get(int id) {
    return byId.get(id);
  }

  /** The service of a frontend, or null. */
  public @Nullable Service of(L3n4Addr frontend) {
    Integer id = ids.of(frontend);
    return id == null ? null : byId.get(id);
  }

  // ---- wishes

  /**
   * Makes or changes the service of a frontend ({@code UpsertService}).
   *
   * @throws IllegalStateException with a message for the user, if its id cannot be had
   */
  public Upserted upsert(ServiceSpec spec) {
    int id = ids.acquire(spec.frontend(), spec.id());
    Service before = byId.get(id);
    List<Change> changes = new ArrayList<>();
    List<Service.Backend> chosen = new ArrayList<>();
    for (ServiceSpec.Backend wanted : eligible(spec)) {
      chosen.add(use(wanted, before, changes));
    }
    Service after = new Service(id, spec, chosen);
    List<Integer> unused = before == null ? List.of() : release(before, chosen);
    byId.put(id, after);
    changes.addAll(difference(before, after));
    unused.forEach(backend -> changes.add(LbMaps.noBackend(backend)));
    return new Upserted(before == null, id, List.copyOf(changes));
  }

  /** The backends that this node may choose, each once. */
  private Collection<ServiceSpec.Backend> eligible(ServiceSpec spec) {
    Map<L3n4Addr, ServiceSpec.Backend> eligible = new LinkedHashMap<>();
    for (ServiceSpec.Backend backend : spec.backends()) {
      boolean elsewhere =
          !backend.nodeName().isEmpty() && !backend.nodeName().equals(options.nodeName());
      if (!(spec.takesLocalBackendsOnly() && elsewhere)) {
        eligible.putIfAbsent(backend.address(), backend);
      }
    }
    return eligible.values();
  }

  /** {@code updateBackendsCacheLocked}, for one backend. */
  private Service.Backend use(
      ServiceSpec.Backend wanted, @Nullable Service before, List<Change> changes) {
    KnownBackend known = backends.get(wanted.address());
    boolean hadIt =
        before != null
            && before.backends().stream().anyMatch(b -> b.address().equals(wanted.address()));
    if (known == null) {
      // Whatever it was said to be, a new backend starts active.
      known = new KnownBackend(backendIds.acquire(wanted.address(), 0), BackendState.ACTIVE);
      backends.put(wanted.address(), known);
      changes.add(LbMaps.backend(realised(wanted.address(), known)));
    } else if (hadIt
        && wanted.state() == BackendState.TERMINATING
        && known.state != BackendState.TERMINATING) {
      // Kubernetes says so; all other states are set by UpdateBackendsState, and stay.
      known.state = BackendState.TERMINATING;
      changes.add(LbMaps.backend(realised(wanted.address(), known)));
    }
    if (!hadIt) {
      known.users++;
    }
    return realised(wanted.address(), known);
  }

  private static Service.Backend realised(L3n4Addr address, KnownBackend known) {
    return new Service.Backend(known.id, address, known.state);
  }

  /** Gives up what {@code before} used and {@code still} does not; answers what nobody uses now. */
  private List<Integer> release(Service before, List<Service.Backend> still) {
    Set<L3n4Addr> kept = new HashSet<>();
    still.forEach(backend -> kept.add(backend.address()));
    List<Integer> unused = new ArrayList<>();
    for (Service.Backend backend : before.backends()) {
      KnownBackend known = backends.get(backend.address());
      if (!kept.contains(backend.address()) && known != null && --known.users == 0) {
        backends.remove(backend.address());
        backendIds.release(backend.id());
        unused.add(backend.id());
      }
    }
    return unused;
  }

  /** What to write so that {@code after} stands where {@code before} did: new first, then old. */
  private List<Change> difference(@Nullable Service before, @Nullable Service after) {
    Map<Entry, Change> old = new LinkedHashMap<>();
    if (before != null) {
      maps.entries(before)
          .forEach(change -> old.put(new Entry(change.map(), change.key()), change));
    }
    List<Change> changes = new ArrayList<>();
    if (after != null) {
      for (Change change : maps.entries(after)) {
        Change same = old.remove(new Entry(change.map(), change.key()));
        if (!change.equals(same)) {
          changes.add(change);
        }
      }
    }
    // The frontend goes before what it names.
    List<Change> gone = new ArrayList<>(old.values());
    for (Change change : gone.reversed()) {
      changes.add(new Change(change.map(), change.key(), null));
    }
    return changes;
  }

  /**
   * Deletes a service ({@code DeleteServiceByID}).
   *
   * @return what to write; null if there is none of that id
   */
  public @Nullable List<Change> delete(int id) {
    Service service = byId.remove(id);
    if (service == null) {
      return null;
    }
    List<Change> changes = new ArrayList<>(difference(service, null));
    release(service, List.of()).forEach(backend -> changes.add(LbMaps.noBackend(backend)));
    ids.release(id);
    return List.copyOf(changes);
  }

  /**
   * Sets a backend's state in all services that use it ({@code UpdateBackendsState}); nothing for
   * an address that is no backend, as one that has just gone.
   *
   * @throws IllegalStateException with a message for the user, if it may not change so
   */
  public List<Change> updateBackendState(L3n4Addr address, BackendState state) {
    KnownBackend known = backends.get(address);
    if (known == null || known.state == state) {
      return List.of();
    }
    if (!known.state.mayBecome(state)) {
      throw new IllegalStateException(
          "invalid state transition for backend["
              + address
              + "] ("
              + known.state.label()
              + ") -> ("
              + state.label()
              + ")");
    }
    known.state = state;
    List<Change> changes = new ArrayList<>();
    for (Service service : all()) {
      List<Service.Backend> next =
          service.backends().stream()
              .map(b -> b.address().equals(address) ? realised(address, known) : b)
              .toList();
      if (!next.equals(service.backends())) {
        Service after = service.withBackends(next);
        byId.put(service.id(), after);
        changes.addAll(difference(service, after));
      }
    }
    changes.add(LbMaps.backend(realised(address, known)));
    return List.copyOf(changes);
  }
}
