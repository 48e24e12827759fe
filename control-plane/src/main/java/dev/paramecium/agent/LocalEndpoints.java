package dev.paramecium.agent;

import dev.paramecium.abi.MapNames;
import dev.paramecium.agent.CiliumAgent.CniAdd;
import dev.paramecium.agent.CiliumAgent.CniDel;
import dev.paramecium.agent.CiliumAgent.CniResult;
import dev.paramecium.agent.cli.EndpointApi;
import dev.paramecium.agent.endpoint.Endpoint;
import dev.paramecium.agent.endpoint.EndpointSpec;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.endpoint.StatusLog;
import dev.paramecium.api.KubeObject;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.MapInfo;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints of one node, by id and by pod: CNI ADD makes one, CNI DEL ends it, and after a
 * restart of the agent those whose devices are still there are taken over ({@code
 * pkg/endpointmanager}, {@code daemon/cmd/state.go}). Used by the agent's actor alone.
 */
final class LocalEndpoints implements EndpointApi {

  static final String HEALTH_NETNS = "cilium-health";

  private final NodeConfig config;
  private final BiFunction<EndpointSpec, Boolean, ActorRef<Endpoint.Command>> spawner;
  private final Consumer<LocalEndpoint> onNew;
  private final ActorRef<Done> ignore;
  private final InstantSource clock;

  private final Map<Integer, LocalEndpoint> byId = new TreeMap<>();
  private final Map<String, Integer> byPod = new HashMap<>();
  private final Map<String, CniAdd> queued = new HashMap<>();
  private final Set<Integer> restoring = new HashSet<>();
  private @Nullable Places places;
  private boolean open;

  /**
   * @param spawner starts the actor of an endpoint, told whether it is restored
   * @param onNew told of each pod's endpoint that is new here
   * @param ignore takes answers that nobody waits for
   */
  LocalEndpoints(
      NodeConfig config,
      BiFunction<EndpointSpec, Boolean, ActorRef<Endpoint.Command>> spawner,
      Consumer<LocalEndpoint> onNew,
      ActorRef<Done> ignore,
      InstantSource clock) {
    this.config = config;
    this.spawner = spawner;
    this.onNew = onNew;
    this.ignore = ignore;
    this.clock = clock;
  }

  /** The operator has given a pod CIDR: addresses and ids come from {@code given}. */
  void place(Places given) {
    places = given;
  }

  /** The node's programs are loaded: what waited is begun, and nothing waits any more. */
  void open() {
    open = true;
    List<CniAdd> waiting = List.copyOf(queued.values());
    queued.clear();
    waiting.forEach(this::add);
  }

  Collection<LocalEndpoint> all() {
    return byId.values();
  }

  @Nullable LocalEndpoint byId(int id) {
    return byId.get(id);
  }

  /**
   * @param pod namespace and name, as {@link ClusterCache#key}
   */
  @Nullable LocalEndpoint byPod(String pod) {
    Integer id = byPod.get(pod);
    return id == null ? null : byId.get(id);
  }

  @Override
  public List<StatusLog.Entry> log(int endpointId) {
    LocalEndpoint local = byId(endpointId);
    return local == null ? List.of() : local.log();
  }

  @Override
  public void regenerate(int endpointId) {
    LocalEndpoint local = byId(endpointId);
    if (local != null) {
      local.actor.tell(new Endpoint.Regenerate());
    }
  }

  // ---- CNI

  void add(CniAdd add) {
    String key = add.pod().toString();
    if (!open) {
      queued.put(key, add);
      return;
    }
    Integer id = byPod.get(key);
    if (id != null) {
      LocalEndpoint existing = byId.get(id);
      if (existing != null && isSame(existing.spec, add)) {
        existing.await(add.replyTo());
        return;
      }
      queued.put(key, add); // until the old one is gone
      if (existing != null) {
        existing.actor.tell(new Endpoint.Delete(ignore));
      }
      return;
    }
    Optional<Places.Place> place = places().allocate(key, add.pod().uid());
    if (place.isPresent()) {
      spawn(add.pod(), place.get(), add.netns(), false).await(add.replyTo());
    } else {
      add.replyTo()
          .tell(
              new CniResult.Refused(
                  "unable to allocate IP via local cilium agent: range "
                      + places().pool().podCidr()
                      + " is full, or this node has "
                      + EndpointIds.MAX
                      + " endpoints"));
    }
  }

  private static boolean isSame(EndpointSpec spec, CniAdd add) {
    return add.pod().equals(spec.pod()) && add.netns().equals(spec.netns());
  }

  void del(CniDel del) {
    String key = del.pod().toString();
    queued.computeIfPresent(key, (_, add) -> add.pod().equals(del.pod()) ? null : add);
    LocalEndpoint local = byPod(key);
    if (local != null && del.pod().equals(local.spec.pod())) {
      local.actor.tell(new Endpoint.Delete(del.replyTo()));
    } else {
      if (local == null) {
        release(key, del.pod().uid());
      }
      del.replyTo().tell(Done.done());
    }
  }

  /** A pod without an endpoint has no right to its place any more. */
  void release(String key, String uid) {
    if (places != null && byPod(key) == null) {
      places.release(key, uid);
    }
  }

  /** An endpoint's actor has ended; a pod of the same name may be waiting for that. */
  void gone(EndpointSpec spec) {
    LocalEndpoint local = byId.remove(spec.id());
    if (local != null) {
      local.gone();
    }
    restoring.remove(spec.id());
    String key = spec.owner();
    byPod.remove(key);
    places().release(key);
    CniAdd next = queued.remove(key);
    if (next != null) {
      add(next);
    }
  }

  // ---- endpoints

  private LocalEndpoint spawn(PodRef pod, Places.Place place, String netns, boolean restored) {
    EndpointSpec spec =
        new EndpointSpec(
            place.endpointId(),
            pod,
            netns,
            EndpointSpec.lxcName(place.endpointId()),
            "eth0",
            place.address(),
            places().routerIp(),
            config.mtu(),
            config.routeMtu(),
            config.nodeIp());
    LocalEndpoint local = spawn(spec, restored);
    byPod.put(pod.toString(), place.endpointId());
    onNew.accept(local);
    return local;
  }

  private LocalEndpoint spawn(EndpointSpec spec, boolean restored) {
    LocalEndpoint local =
        new LocalEndpoint(spec, spawner.apply(spec, restored), restored, clock.instant());
    byId.put(spec.id(), local);
    return local;
  }

  /** The endpoint that answers the other nodes' health probes, in a namespace of its own. */
  LocalEndpoint spawnHealth(int id) {
    return spawn(
        new EndpointSpec(
            id,
            null,
            HEALTH_NETNS,
            EndpointSpec.HEALTH_IFNAME,
            "cilium",
            places().healthIp(),
            places().routerIp(),
            config.mtu(),
            config.routeMtu(),
            config.nodeIp()),
        false);
  }

  // ---- restart

  /** Takes over endpoints whose devices are still there, because only the agent has restarted. */
  void adopt(List<LinkInfo> links, Map<String, KubeObject> pods) {
    for (Map.Entry<String, Places.Place> entry : places().all().entrySet()) {
      KubeObject pod = pods.get(entry.getKey());
      String ifname = EndpointSpec.lxcName(entry.getValue().endpointId());
      for (LinkInfo link : links) {
        if (pod != null && link.netns().isEmpty() && link.name().equals(ifname)) {
          PodRef ref = new PodRef(pod.namespace(), pod.name(), pod.uid());
          restoring.add(spawn(ref, entry.getValue(), link.peerNetns(), true).spec.id());
        }
      }
    }
  }

  /** Whether every endpoint that was taken over is attached again, or gone. */
  boolean isRestored() {
    return restoring.isEmpty();
  }

  void attached(int id) {
    LocalEndpoint local = byId.get(id);
    if (local != null) {
      local.attached();
    }
    restoring.remove(id);
  }

  /** Whether a device of an endpoint's name belongs to no endpoint. */
  boolean isLeftOver(LinkInfo link) {
    return link.netns().isEmpty()
        && link.name().startsWith("lxc")
        && byId.values().stream().noneMatch(local -> local.spec.ifname().equals(link.name()));
  }

  /** Whether a map is the policy map of an endpoint that is not there. */
  boolean isLeftOver(MapInfo map) {
    int endpointId = MapNames.policyMapEndpoint(map.name());
    return endpointId > 0 && !byId.containsKey(endpointId);
  }

  /** Only asked once the operator has given a pod CIDR. */
  private Places places() {
    return Objects.requireNonNull(places, "no pod CIDR yet");
  }
}
