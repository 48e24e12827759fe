package dev.paramecium.agent;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.agent.cli.AgentView;
import dev.paramecium.agent.cli.CiliumCommand;
import dev.paramecium.agent.cli.ExecSession;
import dev.paramecium.agent.desired.Claim;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.agent.desired.DesiredState;
import dev.paramecium.agent.endpoint.CiliumEndpoints;
import dev.paramecium.agent.endpoint.Endpoint;
import dev.paramecium.agent.endpoint.EndpointEvent;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.endpoint.EndpointSpec;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.endpoint.EndpointState;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.prefilter.Prefilter;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.agent.policy.PodPorts;
import dev.paramecium.agent.reconciler.Change;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.service.KubernetesServices;
import dev.paramecium.agent.service.ServiceApi;
import dev.paramecium.agent.service.Services;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.identity.CiliumIdentities;
import dev.paramecium.identity.SecurityLabels;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.policy.rule.CiliumPolicy;
import dev.paramecium.policy.rule.KubernetesPolicy;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.MapInfo;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * cilium-agent. It registers its CiliumNode, waits for its pod CIDR, loads the node's programs,
 * takes over what an agent before it left in the kernel, and from then on gives each pod an
 * endpoint and keeps the node's maps as the cluster's objects say. While the API server is away the
 * maps stay as they are.
 */
public final class CiliumAgent extends AbstractBehavior<CiliumAgent.Command> {

  /** After a pod's labels changed, how long its old identity stays ({@code pkg/defaults}). */
  static final Duration IDENTITY_CHANGE_GRACE = Duration.ofSeconds(5);

  private static final Duration SWEEP = Duration.ofSeconds(30);
  private static final String HEALTH_NETNS = "cilium-health";
  private static final List<ResourceType> WATCHED =
      List.of(
          ResourceType.NAMESPACE,
          ResourceType.POD,
          ResourceType.CILIUM_NODE,
          ResourceType.CILIUM_IDENTITY,
          ResourceType.CILIUM_ENDPOINT,
          ResourceType.SERVICE,
          ResourceType.ENDPOINT_SLICE,
          ResourceType.NETWORK_POLICY,
          ResourceType.CILIUM_NETWORK_POLICY,
          ResourceType.CILIUM_CLUSTERWIDE_NETWORK_POLICY);

  /** What the agent can be asked. */
  public sealed interface Command {}

  /**
   * CNI ADD: an endpoint for a pod in its new namespace. Answered when the pod can send and be
   * reached on this node. Asking again is harmless.
   */
  public record CniAdd(PodRef pod, String netns, ActorRef<CniResult> replyTo) implements Command {}

  /** CNI DEL. Answered when nothing of the endpoint is left, also if there was none. */
  public record CniDel(PodRef pod, ActorRef<Done> replyTo) implements Command {}

  /**
   * Runs a command on the node: {@code cilium} commands about the agent's own affairs here, all
   * others in the kernel.
   */
  public record Exec(ExecRequest request, ActorRef<ExecOutput> client) implements Command {}

  public record ReadStatus(ActorRef<AgentStatus> replyTo) implements Command {}

  /** The answer to {@link CniAdd}. */
  public sealed interface CniResult {

    record Added(Ipv4Address address) implements CniResult {}

    /** Nothing was set up; {@code message} says why. */
    record Refused(String message) implements CniResult {}
  }

  /**
   * The agent in numbers.
   *
   * @param ready whether the node's programs are loaded and its pods' endpoints restored
   * @param appliedRevision every CiliumEndpoint up to this revision is in the maps
   */
  public record AgentStatus(
      boolean ready,
      long appliedRevision,
      int pending,
      int endpoints,
      Map<String, Long> counters) {}

  private record FromApi(InformerEvent event) implements Command {}

  private record FromEndpoint(EndpointEvent event) implements Command {}

  private record Registered(String error) implements Command {}

  private record Loaded(List<LinkInfo> links, List<MapInfo> maps, String error)
      implements Command {}

  private record Announced(String error) implements Command {}

  private record Register() implements Command {}

  private record Load() implements Command {}

  private record Announce() implements Command {}

  private record Sweep() implements Command {}

  /** Everything that was waiting in the mailbox is taken in: the policy maps can be worked out. */
  private record Enforce() implements Command {}

  private record IdentityGrace(int endpointId) implements Command {}

  private record Progressed(MapReconciler.Progress progress, ActorRef<AgentStatus> replyTo)
      implements Command {}

  private record Tidied(String what, String error) implements Command {}

  private enum Phase {
    STARTING,
    LOADING,
    RUNNING
  }

  private static final class Local {
    final EndpointSpec spec;
    final ActorRef<Endpoint.Command> actor;
    final List<ActorRef<CniResult>> waiting = new ArrayList<>();
    EndpointModel model;
    boolean attached;
    int identity;
    String labelsKey = "";

    Local(EndpointSpec spec, ActorRef<Endpoint.Command> actor, EndpointModel model) {
      this.spec = spec;
      this.actor = actor;
      this.model = model;
    }
  }

  private final NodeConfig config;
  private final KernelCalls kernel;
  private final ApiClient api;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final TimerScheduler<Command> timers;
  private final ActorRef<MapReconciler.Command> reconciler;
  private final ServiceApi services;
  private final KubernetesServices kubernetesServices;
  private final @Nullable Prefilter prefilter;
  private final ActorRef<EndpointEvent> fromEndpoints;
  private final Instant startedAt;
  private final Backoff backoff = Backoff.forApi();

  private final Set<ResourceType> synced = new HashSet<>();
  private final Map<String, KubeObject> namespaces = new HashMap<>();
  private final Map<String, KubeObject> pods = new HashMap<>();
  private final Map<String, KubeObject> ciliumNodes = new TreeMap<>();
  private final Map<String, KubeObject> ciliumEndpoints = new HashMap<>();
  private final IdentityCache identities = new IdentityCache();
  private final DesiredState desired = new DesiredState();
  private final NodePolicy policy;
  private final EndpointIds ids;
  private final Map<Integer, Local> endpoints = new TreeMap<>();
  private final Map<String, Integer> byPod = new HashMap<>();
  private final Map<String, CniAdd> queued = new HashMap<>();
  private final Set<Integer> restoring = new HashSet<>();
  private final int hostEndpointId;

  private Phase phase = Phase.STARTING;
  private boolean registered;
  private @Nullable Places places;
  private long revision;
  private long spawned;
  private boolean pruned;
  private boolean enforcing;

  /**
   * The agent of one node.
   *
   * @param random drawn from by this actor alone
   */
  public static Behavior<Command> create(
      NodeConfig config,
      ActorRef<Syscall> kernel,
      ApiClient api,
      InstantSource clock,
      RandomGenerator random) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> new CiliumAgent(context, timers, config, kernel, api, clock, random)));
  }

  private CiliumAgent(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      NodeConfig config,
      ActorRef<Syscall> kernel,
      ApiClient api,
      InstantSource clock,
      RandomGenerator random) {
    super(context);
    this.config = config;
    this.kernel = new KernelCalls(kernel, context.getSystem().scheduler());
    this.api = api;
    this.clock = clock;
    this.random = random;
    this.timers = timers;
    this.startedAt = clock.instant();
    this.policy = new NodePolicy(config.options().policy(config.clusterName()));
    this.ids = new EndpointIds(random);
    this.hostEndpointId = ids.allocate();
    this.reconciler = context.spawn(MapReconciler.create(this.kernel, clock), "reconciler");
    this.services =
        new ServiceApi(
            new Services(config.options().services(config.nodeName())),
            reconciler,
            context.getSystem().scheduler());
    this.prefilter =
        config.options().isOn("enable-xdp-prefilter") ? new Prefilter(this.kernel) : null;
    // Not the context's: the answers come on other threads.
    Logger log = LoggerFactory.getLogger(CiliumAgent.class);
    this.kubernetesServices =
        new KubernetesServices(services, config.options(), config.nodeIp(), log::warn);
    this.fromEndpoints = context.messageAdapter(EndpointEvent.class, FromEndpoint::new);
    ActorRef<InformerEvent> fromApi = context.messageAdapter(InformerEvent.class, FromApi::new);
    for (ResourceType type : WATCHED) {
      String field = type.equals(ResourceType.POD) ? "spec.nodeName=" + config.nodeName() : "";
      api.inform(type, "", "", field, fromApi);
    }
    register();
    timers.startTimerWithFixedDelay(new Sweep(), SWEEP);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case CniAdd add -> onCniAdd(add);
      case CniDel del -> onCniDel(del);
      case Exec exec -> onExec(exec);
      case ReadStatus read -> onReadStatus(read);
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case FromEndpoint(EndpointEvent event) -> onEndpointEvent(event);
      case Register _ -> register();
      case Registered done -> onRegistered(done);
      case Load _ -> load();
      case Loaded loaded -> onLoaded(loaded);
      case Announce _ -> announce();
      case Announced done -> onAnnounced(done);
      case Sweep _ -> sweep();
      case Enforce _ -> enforce();
      case IdentityGrace grace -> identify(endpoints.get(grace.endpointId()), true);
      case Progressed progressed -> onProgressed(progressed);
      case Tidied tidied -> onTidied(tidied);
    }
    return this;
  }

  // ---- this node's CiliumNode

  private void register() {
    getContext()
        .pipeToSelf(
            api.create(ResourceType.CILIUM_NODE, CiliumNodes.create(config)),
            (reply, failure) ->
                new Registered(
                    failure != null
                        ? KernelCalls.message(failure)
                        : reply instanceof ApiReply.Failed failed && failed.code() != 409
                            ? failed.message()
                            : ""));
  }

  private void onRegistered(Registered done) {
    if (done.error().isEmpty()) {
      registered = true;
      backoff.reset();
      maybeLoad();
    } else {
      getContext().getLog().info("cannot register CiliumNode yet: {}", done.error());
      timers.startSingleTimer(new Register(), backoff.next());
    }
  }

  private void announce() {
    getContext()
        .pipeToSelf(
            api.mergePatch(
                ResourceType.CILIUM_NODE,
                "",
                config.nodeName(),
                "",
                CiliumNodes.patch(config.nodeIp(), places().routerIp(), places().healthIp())),
            (reply, failure) ->
                new Announced(
                    failure != null
                        ? KernelCalls.message(failure)
                        : reply instanceof ApiReply.Failed failed ? failed.message() : ""));
  }

  private void onAnnounced(Announced done) {
    if (done.error().isEmpty()) {
      backoff.reset();
    } else {
      getContext().getLog().info("cannot announce this node yet: {}", done.error());
      timers.startSingleTimer(new Announce(), backoff.next());
    }
  }

  // ---- start

  private void maybeLoad() {
    KubeObject self = ciliumNodes.get(config.nodeName());
    if (phase == Phase.STARTING
        && registered
        && synced.containsAll(WATCHED)
        && self != null
        && !Claims.podCidrs(self).isEmpty()) {
      phase = Phase.LOADING;
      places = restored(self, Claims.podCidrs(self).getFirst());
      load();
    }
  }

  /** Takes back the addresses and ids that this node's objects say are in use. */
  private Places restored(KubeObject self, Ipv4Prefix podCidr) {
    Places restored = new Places(self, podCidr, ids, random);
    ciliumEndpoints.forEach(
        (key, object) -> {
          KubeObject pod = pods.get(key);
          if (pod != null && isOurs(object)) {
            restored.restore(pod, object);
          }
        });
    return restored;
  }

  /** Only asked once the operator has given a pod CIDR. */
  private Places places() {
    return Objects.requireNonNull(places, "no pod CIDR yet");
  }

  private void load() {
    DatapathConfig datapath =
        new DatapathConfig(
            config.nodeName(),
            config.nodeIp(),
            places().routerIp(),
            places().pool().podCidr(),
            config.clusterCidr(),
            config.mtu(),
            config.options().monitorAggregation(),
            config.options().datapath(places().pool().podCidr()));
    CompletionStage<Loaded> loaded =
        kernel
            .loadNodeDatapath(datapath)
            .thenCompose(_ -> kernel.deleteLink(EndpointSpec.HEALTH_IFNAME))
            .thenCompose(_ -> kernel.deleteNetns(HEALTH_NETNS))
            .thenCompose(_ -> kernel.createNetns(HEALTH_NETNS))
            .thenCompose(_ -> kernel.listLinks())
            .thenCompose(links -> kernel.listMaps().thenApply(maps -> new Loaded(links, maps, "")));
    getContext()
        .pipeToSelf(
            loaded,
            (done, failure) ->
                failure == null
                    ? done
                    : new Loaded(List.of(), List.of(), KernelCalls.message(failure)));
  }

  private void onLoaded(Loaded loaded) {
    if (!loaded.error().isEmpty()) {
      getContext().getLog().warn("cannot load the node's datapath: {}", loaded.error());
      timers.startSingleTimer(new Load(), backoff.next());
      return;
    }
    backoff.reset();
    phase = Phase.RUNNING;
    for (String map : List.of(MapNames.LXC, MapNames.IPCACHE, MapNames.TUNNEL)) {
      reconciler.tell(new MapReconciler.Manage(map, false));
    }
    Services.mapNames().forEach(map -> reconciler.tell(new MapReconciler.Manage(map, false)));
    claim("host", Claims.ofHost(config.nodeIp(), places().routerIp()), null);
    ciliumNodes.values().forEach(this::claimNode);
    ciliumEndpoints.values().forEach(this::claimEndpoint);
    adopt(loaded.links());
    tidy(loaded);
    spawnHealth();
    announce();
    List<CniAdd> waiting = List.copyOf(queued.values());
    queued.clear();
    waiting.forEach(this::onCniAdd);
    maybePrune();
    sweep();
  }

  /** Endpoints whose devices are still there, because only the agent has restarted. */
  private void adopt(List<LinkInfo> links) {
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

  /** Deletes devices and programs of endpoints that no pod has any more. */
  private void tidy(Loaded loaded) {
    for (LinkInfo link : loaded.links()) {
      boolean endpointDevice = link.netns().isEmpty() && link.name().startsWith("lxc");
      boolean known =
          endpoints.values().stream().anyMatch(local -> local.spec.ifname().equals(link.name()));
      if (endpointDevice && !known) {
        tidied("device " + link.name(), kernel.deleteLink(link.name()));
      }
    }
    for (MapInfo map : loaded.maps()) {
      int endpointId = MapNames.policyMapEndpoint(map.name());
      if (endpointId > 0 && !endpoints.containsKey(endpointId)) {
        tidied("endpoint " + endpointId, kernel.unloadEndpointDatapath(endpointId));
      }
    }
  }

  private void tidied(String what, CompletionStage<?> call) {
    getContext()
        .pipeToSelf(
            call,
            (reply, failure) ->
                new Tidied(
                    what,
                    failure != null
                        ? KernelCalls.message(failure)
                        : reply instanceof ApiReply.Failed failed && failed.code() != 404
                            ? failed.message()
                            : ""));
  }

  private void onTidied(Tidied tidied) {
    if (tidied.error().isEmpty()) {
      getContext().getLog().info("removed left-over {}", tidied.what());
    } else {
      getContext().getLog().warn("cannot remove {}: {}", tidied.what(), tidied.error());
    }
  }

  private void spawnHealth() {
    int id = ids.allocate();
    EndpointSpec spec =
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
            config.nodeIp());
    Local health = spawn(spec, false);
    health.actor.tell(
        new Endpoint.Identify(
            ReservedIdentity.HEALTH.id(),
            ReservedIdentity.HEALTH.labels(),
            Map.of(),
            NamedPorts.NONE));
    policy.upsertEndpoint(
        id,
        ReservedIdentity.HEALTH.id(),
        LabelSet.parse(ReservedIdentity.HEALTH.labels()),
        NamedPorts.NONE);
    enforceSoon();
  }

  /** Once every endpoint of before is back, what is in the maps beyond it is nobody's. */
  private void maybePrune() {
    if (phase == Phase.RUNNING && restoring.isEmpty() && !pruned) {
      pruned = true;
      reconciler.tell(new MapReconciler.Prune());
    }
  }

  // ---- CNI

  private void onCniAdd(CniAdd add) {
    String key = add.pod().toString();
    if (phase != Phase.RUNNING) {
      queued.put(key, add);
      return;
    }
    Integer id = byPod.get(key);
    if (id != null) {
      Local existing = endpoints.get(id);
      if (existing == null || !isSame(existing.spec, add)) {
        queued.put(key, add); // until the old one is gone
        if (existing != null) {
          existing.actor.tell(new Endpoint.Delete(getContext().getSystem().ignoreRef()));
        }
      } else if (existing.attached) {
        add.replyTo().tell(new CniResult.Added(existing.spec.address()));
      } else {
        existing.waiting.add(add.replyTo());
      }
      return;
    }
    Optional<Places.Place> place = places().allocate(key, add.pod().uid());
    if (place.isPresent()) {
      spawn(add.pod(), place.get(), add.netns(), false).waiting.add(add.replyTo());
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

  private Local spawn(PodRef pod, Places.Place place, String netns, boolean restored) {
    Local local =
        spawn(
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
                config.nodeIp()),
            restored);
    byPod.put(pod.toString(), place.endpointId());
    identify(local, false);
    return local;
  }

  private Local spawn(EndpointSpec spec, boolean restored) {
    ActorRef<Endpoint.Command> actor =
        getContext()
            .spawn(
                Endpoint.create(spec, restored, kernel, reconciler, api, fromEndpoints),
                "endpoint-" + spec.id() + "-" + ++spawned);
    EndpointModel model =
        new EndpointModel(
            spec,
            restored ? EndpointState.RESTORING : EndpointState.WAITING_FOR_IDENTITY,
            0,
            List.of(),
            0,
            MacAddress.ZERO,
            MacAddress.ZERO,
            0,
            0,
            null,
            NamedPorts.NONE);
    Local local = new Local(spec, actor, model);
    endpoints.put(spec.id(), local);
    return local;
  }

  private void onCniDel(CniDel del) {
    String key = del.pod().toString();
    queued.computeIfPresent(key, (_, add) -> add.pod().equals(del.pod()) ? null : add);
    Integer id = byPod.get(key);
    Local local = id == null ? null : endpoints.get(id);
    if (local != null && del.pod().equals(local.spec.pod())) {
      local.actor.tell(new Endpoint.Delete(del.replyTo()));
    } else {
      if (local == null && places != null) {
        places.release(key, del.pod().uid());
      }
      del.replyTo().tell(Done.done());
    }
  }

  // ---- what the endpoints say

  private void onEndpointEvent(EndpointEvent event) {
    switch (event) {
      case EndpointEvent.Changed(EndpointModel model) -> {
        Local local = endpoints.get(model.spec().id());
        if (local != null) {
          local.model = model;
        }
      }
      case EndpointEvent.Claimed claimed ->
          claim("endpoint/" + claimed.endpointId(), claimed.claims(), claimed.replyTo());
      case EndpointEvent.Attached(EndpointModel model) -> {
        Local local = endpoints.get(model.spec().id());
        if (local != null) {
          local.attached = true;
          local.waiting.forEach(
              replyTo -> replyTo.tell(new CniResult.Added(model.spec().address())));
          local.waiting.clear();
        }
        restoring.remove(model.spec().id());
        maybePrune();
      }
      case EndpointEvent.Gone(EndpointSpec spec) -> onGone(spec);
    }
  }

  private void onGone(EndpointSpec spec) {
    Local local = endpoints.remove(spec.id());
    policy.removeEndpoint(spec.id());
    if (local != null) {
      local.waiting.forEach(
          replyTo -> replyTo.tell(new CniResult.Refused("endpoint " + spec.id() + " was deleted")));
    }
    restoring.remove(spec.id());
    String key = spec.owner();
    byPod.remove(key);
    places().release(key);
    CniAdd next = queued.remove(key);
    if (next != null) {
      onCniAdd(next);
    }
    maybePrune();
  }

  // ---- what the API server says

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced(ResourceType type) -> {
        synced.add(type);
        maybeLoad();
      }
      case InformerEvent.Upserted upserted -> onUpserted(upserted.current());
      case InformerEvent.Removed(KubeObject last) -> onRemoved(last);
    }
  }

  private static String key(KubeObject object) {
    return object.namespace() + "/" + object.name();
  }

  private void onUpserted(KubeObject object) {
    switch (object.kind()) {
      case "Namespace" -> {
        namespaces.put(object.name(), object);
        identifyAll(object.name());
      }
      case "Pod" -> {
        pods.put(key(object), object);
        identify(local(key(object)), false);
      }
      case "CiliumIdentity" -> {
        String labels = identities.upsert(object);
        if (labels != null) {
          policy.updateIdentities(
              Map.of(
                  CiliumIdentities.number(object),
                  LabelSet.parse(CiliumIdentities.labels(object).lines())),
              List.of());
          name(CiliumIdentities.number(object), CiliumIdentities.labels(object).lines());
          enforceSoon();
        }
        identifyAllWith(labels);
      }
      case "CiliumNode" -> {
        ciliumNodes.put(object.name(), object);
        if (phase == Phase.RUNNING) {
          claimNode(object);
        }
        maybeLoad();
      }
      case "Service", "EndpointSlice" -> kubernetesServices.upsert(object);
      case KubernetesPolicy.KIND, CiliumPolicy.NAMESPACED, CiliumPolicy.CLUSTERWIDE -> {
        String refusal = policy.upsert(object);
        if (!refusal.isEmpty()) {
          getContext().getLog().warn("{} {} is refused: {}", object.kind(), key(object), refusal);
        }
        revision = Math.max(revision, object.resourceVersion());
        enforceSoon();
      }
      case "CiliumEndpoint" -> {
        ciliumEndpoints.put(key(object), object);
        policy.updatePodPorts(key(object), PodPorts.ofCiliumEndpoint(object));
        enforceSoon();
        if (phase == Phase.RUNNING) {
          claimEndpoint(object);
        }
      }
      default -> getContext().getLog().debug("nobody watches {}", object.kind());
    }
  }

  private void onRemoved(KubeObject object) {
    switch (object.kind()) {
      case "Namespace" -> namespaces.remove(object.name());
      case "Pod" -> {
        pods.remove(key(object));
        if (places != null && local(key(object)) == null) {
          places.release(key(object), object.uid());
        }
      }
      case "CiliumIdentity" -> {
        policy.updateIdentities(Map.of(), List.of(CiliumIdentities.number(object)));
        name(CiliumIdentities.number(object), List.of());
        enforceSoon();
        identifyAllWith(identities.remove(object));
      }
      case "CiliumNode" -> {
        ciliumNodes.remove(object.name());
        claim("node/" + object.name(), List.of(), null);
        if (object.name().equals(config.nodeName())) {
          register();
          if (phase == Phase.RUNNING) {
            timers.startSingleTimer(new Announce(), Duration.ofSeconds(1));
          }
        }
      }
      case "Service", "EndpointSlice" -> kubernetesServices.remove(object);
      case KubernetesPolicy.KIND, CiliumPolicy.NAMESPACED, CiliumPolicy.CLUSTERWIDE -> {
        policy.remove(object);
        revision = Math.max(revision, object.resourceVersion());
        enforceSoon();
      }
      case "CiliumEndpoint" -> {
        ciliumEndpoints.remove(key(object));
        policy.updatePodPorts(key(object), NamedPorts.NONE);
        enforceSoon();
        revision = Math.max(revision, object.resourceVersion());
        claim("pod/" + key(object), List.of(), null);
        Local local = local(key(object));
        if (local != null) {
          local.actor.tell(new Endpoint.Publish());
        }
      }
      default -> getContext().getLog().debug("nobody watches {}", object.kind());
    }
  }

  private void claimNode(KubeObject node) {
    if (!node.name().equals(config.nodeName())) {
      claim(
          "node/" + node.name(),
          Claims.ofRemoteNode(node, places().routerIp(), config.options()),
          null);
    }
  }

  private void claimEndpoint(KubeObject endpoint) {
    revision = Math.max(revision, endpoint.resourceVersion());
    claim("pod/" + key(endpoint), Claims.ofCiliumEndpoint(endpoint, config.nodeIp()), null);
  }

  private void claim(
      String owner, List<Claim> claims, @Nullable ActorRef<MapReconciler.Applied> replyTo) {
    List<Change> changes = desired.replace(owner, claims);
    reconciler.tell(new MapReconciler.Apply(changes, revision, replyTo));
  }

  // ---- identities of this node's pods

  private @Nullable Local local(String podKey) {
    Integer id = byPod.get(podKey);
    return id == null ? null : endpoints.get(id);
  }

  private void identifyAll(String namespace) {
    for (Local local : endpoints.values()) {
      PodRef pod = local.spec.pod();
      if (pod != null && pod.namespace().equals(namespace)) {
        identify(local, false);
      }
    }
  }

  private void identifyAllWith(@Nullable String labelsKey) {
    if (labelsKey != null) {
      for (Local local : endpoints.values()) {
        if (local.labelsKey.equals(labelsKey)) {
          identify(local, false);
        }
      }
    }
  }

  /**
   * Tells an endpoint the identity of its labels, once the operator has made one. A change of an
   * identity waits a little, so that other nodes know the new one before packets carry it.
   */
  private void identify(@Nullable Local local, boolean graceOver) {
    PodRef ref = local == null ? null : local.spec.pod();
    KubeObject pod = ref == null ? null : pods.get(ref.toString());
    KubeObject namespace = ref == null ? null : namespaces.get(ref.namespace());
    if (local == null
        || ref == null
        || pod == null
        || namespace == null
        || !pod.uid().equals(ref.uid())) {
      return;
    }
    SecurityLabels labels = SecurityLabels.of(pod, namespace.labels(), config.clusterName());
    local.labelsKey = labels.key();
    int number = identities.lookup(labels);
    if (number == 0) {
      return;
    }
    IdentityGrace timer = new IdentityGrace(local.spec.id());
    boolean changes = local.identity != 0 && local.identity != number;
    if (changes && !graceOver) {
      if (!timers.isTimerActive(timer)) {
        timers.startSingleTimer(timer, timer, IDENTITY_CHANGE_GRACE);
      }
      return;
    }
    local.identity = number;
    NamedPorts ports = PodPorts.ofPod(pod);
    local.actor.tell(new Endpoint.Identify(number, labels.lines(), pod.labels(), ports));
    policy.upsertEndpoint(local.spec.id(), number, LabelSet.parse(labels.lines()), ports);
    enforceSoon();
  }

  // ---- policy

  /** Tells the node's tools what a number stands for; they print the number until they know. */
  private void name(int identity, List<String> labels) {
    var _ = kernel.nameIdentities(Map.of(identity, labels));
  }

  private void enforceSoon() {
    if (!enforcing) {
      enforcing = true;
      getContext().getSelf().tell(new Enforce());
    }
  }

  /** First the policy maps, then the ipcache: no packet carries an identity that no map knows. */
  private void enforce() {
    enforcing = false;
    if (phase != Phase.RUNNING) {
      return;
    }
    policy
        .drain()
        .forEach(
            (id, map) -> {
              Local local = endpoints.get(id);
              if (local != null) {
                local.actor.tell(new Endpoint.Enforce(map));
              }
            });
    claim("policy", policy.claims(), null);
  }

  // ---- leftovers in the API server

  private boolean isOurs(KubeObject ciliumEndpoint) {
    return ciliumEndpoint.text("/status/networking/node").equals(config.nodeIp().toString());
  }

  /** Deletes CiliumEndpoints of this node whose pod is gone, as after a crash during CNI DEL. */
  private void sweep() {
    if (phase != Phase.RUNNING || !synced.contains(ResourceType.POD)) {
      return;
    }
    ciliumEndpoints.forEach(
        (key, object) -> {
          KubeObject pod = pods.get(key);
          boolean current = pod != null && pod.uid().equals(CiliumEndpoints.podUid(object));
          if (isOurs(object) && !current && local(key) == null) {
            tidied(
                "CiliumEndpoint " + key,
                api.delete(ResourceType.CILIUM_ENDPOINT, object.namespace(), object.name(), 0));
          }
        });
  }

  // ---- questions

  private void onExec(Exec exec) {
    List<String> argv = exec.request().argv();
    if (!CiliumCommand.isOwn(argv)) {
      ExecRequest request = exec.request();
      kernel
          .kernel()
          .tell(
              new Syscall.Exec(
                  new ExecRequest("", argv, request.stdin(), request.tty()), exec.client()));
      return;
    }
    getContext().spawnAnonymous(ExecSession.create(CiliumCommand.run(argv, view()), exec.client()));
  }

  private AgentView view() {
    List<EndpointModel> models = new ArrayList<>();
    endpoints.values().forEach(local -> models.add(local.model));
    Map<Integer, List<String>> labels = new TreeMap<>();
    identities.byNumber().forEach((number, set) -> labels.put(number, set.lines()));
    List<AgentView.Node> nodes = new ArrayList<>();
    for (KubeObject node : ciliumNodes.values()) {
      Ipv4Address nodeIp = Claims.address(node, "InternalIP");
      List<Ipv4Prefix> podCidrs = Claims.podCidrs(node);
      nodes.add(
          new AgentView.Node(
              config.clusterName() + "/" + node.name(),
              nodeIp == null ? "" : nodeIp.toString(),
              podCidrs.isEmpty() ? "" : podCidrs.getFirst().toString()));
    }
    Places now = places;
    return new AgentView(
        config.clusterName() + "/" + config.nodeName(),
        config.kubernetesVersion(),
        NodeConfig.CILIUM_VERSION,
        config.cpus(),
        phase == Phase.RUNNING,
        startedAt,
        clock.instant(),
        hostEndpointId,
        List.copyOf(models),
        labels,
        nodes,
        now == null ? "" : now.pool().podCidr().toString(),
        now == null ? 0 : now.pool().capacity(),
        now == null ? Map.of() : now.pool().owners(),
        desired.effective(MapNames.IPCACHE),
        config.options(),
        prefilter,
        services,
        reconciler,
        kernel,
        getContext().getSystem().scheduler());
  }

  private void onReadStatus(ReadStatus read) {
    getContext()
        .ask(
            MapReconciler.Progress.class,
            reconciler,
            Duration.ofSeconds(3),
            MapReconciler.ReadProgress::new,
            (progress, failure) ->
                new Progressed(
                    failure == null
                        ? progress
                        : new MapReconciler.Progress(0, 0, 0, Map.of(), Map.of()),
                    read.replyTo()));
  }

  private void onProgressed(Progressed progressed) {
    MapReconciler.Progress progress = progressed.progress();
    Map<String, Long> counters = new HashMap<>();
    progress.entries().forEach((map, n) -> counters.put("entries." + map, (long) n));
    progress.errors().forEach((map, n) -> counters.put("errors." + map, (long) n));
    counters.put("identities", (long) identities.byNumber().size());
    counters.put("nodes", (long) ciliumNodes.size());
    counters.put("addresses.available", places == null ? 0L : places.pool().available());
    long ready =
        endpoints.values().stream()
            .filter(local -> local.model.state() == EndpointState.READY)
            .count();
    counters.put("endpoints.ready", ready);
    progressed
        .replyTo()
        .tell(
            new AgentStatus(
                phase == Phase.RUNNING && pruned,
                progress.appliedRevision(),
                progress.pending(),
                endpoints.size(),
                Map.copyOf(counters)));
  }
}
