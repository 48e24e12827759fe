package dev.paramecium.agent;

import static dev.paramecium.agent.ClusterCache.key;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.agent.cli.AgentView;
import dev.paramecium.agent.cli.CiliumCommand;
import dev.paramecium.agent.cli.CommandOutput;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.agent.endpoint.Endpoint;
import dev.paramecium.agent.endpoint.EndpointEvent;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.endpoint.EndpointSpec;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.agent.prefilter.Prefilter;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.service.KubernetesServices;
import dev.paramecium.agent.service.LocalRedirect;
import dev.paramecium.agent.service.ServiceApi;
import dev.paramecium.agent.service.Services;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.log.LogBook;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.syscall.AgentCall;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.DnsAnswer;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.MapInfo;
import dev.paramecium.syscall.ProxyConfig;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
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

  private static final Duration SWEEP = Duration.ofSeconds(30);

  /** What the agent can be asked. */
  public sealed interface Command {}

  /**
   * CNI ADD: an endpoint for a pod in its new namespace. Answered when the pod can send and be
   * reached on this node. Asking again is harmless.
   */
  public record CniAdd(PodRef pod, String netns, ActorRef<CniResult> replyTo) implements Command {}

  /** CNI DEL. Answered when nothing of the endpoint is left, also if there was none. */
  public record CniDel(PodRef pod, ActorRef<Done> replyTo) implements Command {}

  public record ReadStatus(ActorRef<AgentStatus> replyTo) implements Command {}

  /** As {@link MapReconciler.Repair}. */
  public record RepairMap(String map, ActorRef<Done> replyTo) implements Command {}

  /** The process ends at once; its supervisor starts another, which finds what is in the kernel. */
  public record Crash(String reason) implements Command {}

  /** Somebody asked for it: where it happened says nothing, and the next one need not wait. */
  public static final class Crashed extends RuntimeException {

    @java.io.Serial private static final long serialVersionUID = 1;

    Crashed(String reason) {
      super(reason, null, false, false);
    }
  }

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

  private record FromSocket(AgentCall call) implements Command {}

  private record FromEndpoint(EndpointEvent event) implements Command {}

  private record Registered() implements Command {}

  private record Loaded(List<LinkInfo> links, List<MapInfo> maps, String error)
      implements Command {}

  private record Load() implements Command {}

  private record Sweep() implements Command {}

  /** What was waiting in the mailbox is taken in: policy maps are worked out, claims told of. */
  private record TakenIn() implements Command {}

  private record IdentityGrace(int endpointId) implements Command {}

  /** The proxy's answer; {@code error} is empty if it goes by {@code config} now. */
  private record ProxyConfigured(ProxyConfig config, String error) implements Command {}

  private record ConfigureProxyAgain() implements Command {}

  private record FromProxy(DnsAnswer answer) implements Command {}

  /** What was learned of names is in the ipcache. */
  private record NamesApplied() implements Command {}

  private record Progressed(
      MapReconciler.Progress progress,
      AppliedObjects.@Nullable Picture heard,
      ActorRef<AgentStatus> replyTo)
      implements Command {}

  private enum Phase {
    STARTING,
    LOADING,
    RUNNING
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
  private final @Nullable ClusterHealth health;
  private final ActorRef<EndpointEvent> fromEndpoints;
  private final Instant startedAt;
  private final AgentLog log;
  private final ActorRef<NodeRegistration.Command> registration;
  private final Backoff backoff = Backoff.forApi();

  private final ClusterCache cache = new ClusterCache();
  private final MapClaims claims;
  private final NodePolicy policy;
  private final AppliedObjects objects = new AppliedObjects();
  private final EndpointIds ids;
  private final LocalEndpoints endpoints;
  private final LeftOvers leftOvers;
  private final PodIdentities podIdentities;
  private final PolicyFeed policyFeed;
  private final ProxyControl proxy;
  private final ActorRef<DnsAnswer> fromProxy;
  private final NameLearning names;
  private final Backoff proxyBackoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10));
  private final int hostEndpointId;

  private Phase phase = Phase.STARTING;
  private boolean registered;
  private @Nullable Places places;
  private long spawned;
  private boolean pruned;
  private boolean takingIn;
  private boolean policyChanged;

  /**
   * The agent of one node.
   *
   * @param random drawn from by this actor alone
   * @param log what the agent's pod shows
   */
  public static Behavior<Command> create(
      NodeConfig config,
      ActorRef<Syscall> kernel,
      ApiClient api,
      InstantSource clock,
      RandomGenerator random,
      ActorRef<LogBook.Command> log) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context ->
                    new CiliumAgent(context, timers, config, kernel, api, clock, random, log)));
  }

  private CiliumAgent(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      NodeConfig config,
      ActorRef<Syscall> kernel,
      ApiClient api,
      InstantSource clock,
      RandomGenerator random,
      ActorRef<LogBook.Command> log) {
    super(context);
    this.config = config;
    this.kernel = new KernelCalls(kernel, context.getSystem().scheduler());
    this.api = api;
    this.clock = clock;
    this.random = random;
    this.timers = timers;
    this.startedAt = clock.instant();
    this.log = new AgentLog(log);
    this.policy = new NodePolicy(config.options().policy(config.clusterName()), random);
    this.ids = new EndpointIds(random);
    this.hostEndpointId = ids.allocate();
    this.reconciler = context.spawn(MapReconciler.create(this.kernel, clock), "reconciler");
    this.claims = new MapClaims(config, reconciler);
    this.health =
        config.options().isOn("enable-health-checking")
            ? new ClusterHealth(context, config, this.kernel, clock)
            : null;
    this.services =
        new ServiceApi(
            new Services(config.options().services(config.nodeName())),
            reconciler,
            context.getSystem().scheduler());
    this.prefilter =
        config.options().isOn("enable-xdp-prefilter") ? new Prefilter(this.kernel) : null;
    // Not the context's: the answers come on other threads.
    Logger console = LoggerFactory.getLogger(CiliumAgent.class);
    this.kubernetesServices =
        new KubernetesServices(services, config.options(), config.nodeIp(), console::warn);
    this.fromEndpoints = context.messageAdapter(EndpointEvent.class, FromEndpoint::new);
    this.registration =
        context.spawn(
            NodeRegistration.create(config, api, () -> context.getSelf().tell(new Registered())),
            "registration");
    this.podIdentities =
        new PodIdentities(config.clusterName(), cache, policy, this::startIdentityGrace);
    this.endpoints =
        new LocalEndpoints(
            config,
            this::spawn,
            local -> identify(local, false),
            context.getSystem().ignoreRef(),
            clock);
    this.policyFeed =
        new PolicyFeed(policy, cache, podIdentities, endpoints, claims, this.kernel, this.log);
    this.fromProxy = context.messageAdapter(DnsAnswer.class, FromProxy::new);
    this.proxy = new ProxyControl(policy, endpoints, this::configureProxy, this::claimBlocks);
    ActorRef<MapReconciler.Applied> namesApplied =
        context.messageAdapter(MapReconciler.Applied.class, _ -> new NamesApplied());
    this.names =
        new NameLearning(policy, () -> claims.claim("policy", policy.claims(), namesApplied));
    this.leftOvers = new LeftOvers(this.kernel, api, endpoints);
    ActorRef<InformerEvent> fromApi = context.messageAdapter(InformerEvent.class, FromApi::new);
    for (ResourceType type : ClusterCache.WATCHED) {
      String field = type.equals(ResourceType.POD) ? "spec.nodeName=" + config.nodeName() : "";
      api.inform(type, "", "", field, fromApi);
    }
    timers.startTimerWithFixedDelay(new Sweep(), SWEEP);
    this.log.begin(config.nodeName());
    var _ = this.kernel.serveAgentSocket(context.messageAdapter(AgentCall.class, FromSocket::new));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case CniAdd add -> endpoints.add(add);
      case CniDel del -> endpoints.del(del);
      case FromSocket(AgentCall call) -> onCall(call);
      case ReadStatus read -> onReadStatus(read);
      case RepairMap(String map, var replyTo) ->
          reconciler.tell(new MapReconciler.Repair(map, replyTo));
      case Crash(String reason) -> throw new Crashed(reason);
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case FromEndpoint(EndpointEvent event) -> onEndpointEvent(event);
      case Registered _ -> {
        registered = true;
        maybeLoad();
      }
      case Load _ -> load();
      case Loaded loaded -> onLoaded(loaded);
      case Sweep _ -> sweep();
      case TakenIn _ -> onTakenIn();
      case ProxyConfigured configured -> onProxyConfigured(configured);
      case ConfigureProxyAgain _ -> proxy.retry();
      case FromProxy(DnsAnswer answer) -> policyChanged |= names.learn(answer, clock.instant());
      case NamesApplied _ -> names.applied();
      case IdentityGrace grace -> identify(endpoints.byId(grace.endpointId()), true);
      case Progressed progressed -> onProgressed(progressed);
    }
    takeIn();
    if (names.isWaiting() && isEnforced()) {
      names.enforced();
    }
    return this;
  }

  // ---- start

  private void maybeLoad() {
    KubeObject self = cache.ciliumNodes().get(config.nodeName());
    if (phase == Phase.STARTING
        && registered
        && cache.isSynced()
        && self != null
        && !Claims.podCidrs(self).isEmpty()) {
      phase = Phase.LOADING;
      places = new Places(self, Claims.podCidrs(self).getFirst(), ids, random);
      places.restore(cache, config);
      endpoints.place(places);
      load();
    }
  }

  /** Only asked once the operator has given a pod CIDR. */
  private Places places() {
    return Objects.requireNonNull(places, "no pod CIDR yet");
  }

  private void load() {
    DatapathConfig datapath = config.datapath(places().routerIp(), places().pool().podCidr());
    CompletionStage<Loaded> loaded =
        kernel
            .loadNodeDatapath(datapath)
            .thenCompose(_ -> kernel.deleteLink(EndpointSpec.HEALTH_IFNAME))
            .thenCompose(_ -> kernel.deleteNetns(LocalEndpoints.HEALTH_NETNS))
            .thenCompose(
                done ->
                    config.options().healthEndpoint()
                        ? kernel.createNetns(LocalEndpoints.HEALTH_NETNS)
                        : CompletableFuture.completedFuture(done))
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
      log.cannot("initialize datapath", loaded.error());
      timers.startSingleTimer(new Load(), backoff.next());
      return;
    }
    backoff.reset();
    phase = Phase.RUNNING;
    claims.begin(places());
    cache.ciliumNodes().values().forEach(node -> claims.node(node, places()));
    cache.ciliumEndpoints().values().forEach(claims::endpoint);
    endpoints.adopt(loaded.links(), cache.pods());
    leftOvers.sweepKernel(loaded.links(), loaded.maps());
    startHealth();
    registration.tell(
        new NodeRegistration.Announce(
            places().routerIp(), config.options().healthEndpoint() ? places().healthIp() : null));
    log.initialized(config, places(), Duration.between(startedAt, clock.instant()));
    endpoints.open();
    maybePrune();
    sweep();
  }

  private void startHealth() {
    if (health == null) {
      return;
    }
    health.answer();
    cache.ciliumNodes().values().forEach(health::probe);
    if (config.options().healthEndpoint()) {
      spawnHealthEndpoint();
      health.answerFromEndpoint();
    }
  }

  private void spawnHealthEndpoint() {
    int id = ids.allocate();
    LocalEndpoint endpoint = endpoints.spawnHealth(id);
    endpoint.actor.tell(
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
    policyChanged = true;
  }

  /** Once every endpoint of before is back, what is in the maps beyond it is nobody's. */
  private void maybePrune() {
    if (phase == Phase.RUNNING && endpoints.isRestored() && !pruned) {
      pruned = true;
      log.restored(endpoints.all().size());
      claims.tell();
      reconciler.tell(new MapReconciler.Prune());
    }
  }

  private ActorRef<Endpoint.Command> spawn(EndpointSpec spec, boolean restored) {
    log.begun(spec, restored);
    return getContext()
        .spawn(
            Endpoint.create(spec, restored, kernel, reconciler, api, fromEndpoints),
            "endpoint-" + spec.id() + "-" + ++spawned);
  }

  // ---- what the endpoints say

  private void onEndpointEvent(EndpointEvent event) {
    switch (event) {
      case EndpointEvent.Changed(EndpointModel model) -> {
        LocalEndpoint local = endpoints.byId(model.spec().id());
        if (local != null) {
          log.changed(local.model, model);
          local.changed(model, clock.instant());
        }
      }
      case EndpointEvent.Claimed claimed ->
          claims.claim("endpoint/" + claimed.endpointId(), claimed.claims(), claimed.replyTo());
      case EndpointEvent.Attached(EndpointModel model) -> {
        log.created(model);
        endpoints.attached(model.spec().id());
        maybePrune();
      }
      case EndpointEvent.Gone(EndpointSpec spec) -> onGone(spec);
    }
  }

  private void onGone(EndpointSpec spec) {
    log.removed(spec);
    policy.removeEndpoint(spec.id());
    endpoints.gone(spec);
    maybePrune();
  }

  // ---- what the API server says

  private void onApiEvent(InformerEvent event) {
    objects.hear(event);
    switch (event) {
      case InformerEvent.Synced(ResourceType type) -> {
        cache.synced(type);
        maybeLoad();
      }
      case InformerEvent.Upserted upserted -> onUpserted(upserted.current());
      case InformerEvent.Removed(KubeObject last) -> onRemoved(last);
    }
  }

  private void onUpserted(KubeObject object) {
    policyChanged |= policyFeed.upserted(object);
    switch (object.kind()) {
      case "Namespace" -> {
        cache.namespaces().put(object.name(), object);
        policyChanged |= podIdentities.identifyNamespace(endpoints.all(), object.name());
      }
      case "Pod" -> {
        cache.pods().put(key(object), object);
        identify(endpoints.byPod(key(object)), false);
        kubernetesServices.upsert(object);
      }
      case "CiliumNode" -> {
        cache.ciliumNodes().put(object.name(), object);
        if (phase == Phase.RUNNING) {
          claims.node(object, places());
          if (health != null) {
            health.probe(object);
          }
        }
        maybeLoad();
      }
      case "Service", "EndpointSlice", LocalRedirect.KIND -> kubernetesServices.upsert(object);
      case "CiliumEndpoint" -> {
        cache.ciliumEndpoints().put(key(object), object);
        if (phase == Phase.RUNNING) {
          claims.endpoint(object);
        }
      }
      default -> {} // identities and policies mean nothing but what the feed makes of them
    }
  }

  private void onRemoved(KubeObject object) {
    policyChanged |= policyFeed.removed(object);
    switch (object.kind()) {
      case "Namespace" -> cache.namespaces().remove(object.name());
      case "Pod" -> {
        cache.pods().remove(key(object));
        kubernetesServices.remove(object);
        endpoints.release(key(object), object.uid());
      }
      case "CiliumNode" -> {
        cache.ciliumNodes().remove(object.name());
        claims.nodeGone(object);
        if (health != null) {
          health.forget(object);
        }
        if (object.name().equals(config.nodeName())) {
          registration.tell(new NodeRegistration.Lost());
        }
      }
      case "Service", "EndpointSlice", LocalRedirect.KIND -> kubernetesServices.remove(object);
      case "CiliumEndpoint" -> {
        cache.ciliumEndpoints().remove(key(object));
        claims.endpointGone(object);
        LocalEndpoint local = endpoints.byPod(key(object));
        if (local != null) {
          local.actor.tell(new Endpoint.Publish());
        }
      }
      default -> {}
    }
  }

  // ---- identities of this node's pods

  private void identify(@Nullable LocalEndpoint local, boolean graceOver) {
    policyChanged |= podIdentities.identify(local, graceOver);
  }

  private void startIdentityGrace(int endpointId, Duration grace) {
    IdentityGrace timer = new IdentityGrace(endpointId);
    if (!timers.isTimerActive(timer)) {
      timers.startSingleTimer(timer, timer, grace);
    }
  }

  // ---- policy

  private void takeIn() {
    if (!takingIn && (claims.wantTelling() || policyChanged && phase == Phase.RUNNING)) {
      takingIn = true;
      getContext().getSelf().tell(new TakenIn());
    }
  }

  private void onTakenIn() {
    takingIn = false;
    if (policyChanged && phase == Phase.RUNNING) {
      policyChanged = false;
      enforce();
    }
    claims.tell();
  }

  /** First the policy maps, then the ipcache: no packet carries an identity that no map knows. */
  private void enforce() {
    proxy.enforce(policy.drain());
  }

  /** Whether every endpoint has the map that was worked out last. */
  private boolean isEnforced() {
    return !takingIn && proxy.isSettled() && objects.isReflected(endpoints, policy);
  }

  private void claimBlocks() {
    claims.claim("policy", policy.claims(), null);
  }

  private void configureProxy(ProxyConfig config) {
    getContext()
        .pipeToSelf(
            kernel.configureProxy(config, fromProxy),
            (_, failure) ->
                new ProxyConfigured(config, failure == null ? "" : KernelCalls.message(failure)));
  }

  private void onProxyConfigured(ProxyConfigured configured) {
    if (configured.error().isEmpty()) {
      proxyBackoff.reset();
      policyChanged |= proxy.acknowledged(configured.config());
    } else {
      getContext().getLog().warn("cannot configure the proxy: {}", configured.error());
      log.cannot("configure the proxy", configured.error());
      policy.moveListeners();
      timers.startSingleTimer(new ConfigureProxyAgain(), proxyBackoff.next());
    }
  }

  private void sweep() {
    policyChanged |= policy.expireNames(clock.instant());
    if (phase == Phase.RUNNING) {
      leftOvers.sweepObjects(cache, config);
    }
  }

  // ---- questions

  private void onCall(AgentCall call) {
    CiliumCommand.run(call.argv(), view())
        .exceptionally(failure -> CommandOutput.error(KernelCalls.message(failure)))
        .thenAccept(output -> call.replyTo().tell(output.reply()));
    policyChanged |= policy.isDirty(); // a command may have changed the rules
  }

  private AgentView view() {
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
        AgentReport.models(endpoints),
        AgentReport.identities(cache),
        AgentReport.nodes(cache, config.clusterName()),
        now == null ? "" : now.pool().podCidr().toString(),
        now == null ? 0 : now.pool().capacity(),
        now == null ? Map.of() : now.pool().owners(),
        claims.ipcache(),
        config.options(),
        prefilter,
        health == null ? null : health.prober(),
        services,
        kubernetesServices::redirected,
        reconciler,
        kernel,
        getContext().getSystem().scheduler(),
        policy.proxyState(now == null ? null : now.routerIp()),
        cache::podIdentity,
        endpoints,
        policy);
  }

  /** What is heard now is applied if, when asked after it, the reconciler has nothing to do. */
  private void onReadStatus(ReadStatus read) {
    AppliedObjects.Picture heard =
        phase == Phase.RUNNING && !takingIn && proxy.isSettled() ? objects.heard() : null;
    getContext()
        .ask(
            MapReconciler.Progress.class,
            reconciler,
            Duration.ofSeconds(3),
            MapReconciler.ReadProgress::new,
            (progress, failure) ->
                new Progressed(
                    failure == null ? progress : MapReconciler.Progress.UNKNOWN,
                    heard,
                    read.replyTo()));
  }

  private void onProgressed(Progressed progressed) {
    progressed
        .replyTo()
        .tell(
            AgentReport.status(
                phase == Phase.RUNNING && pruned,
                progressed.progress(),
                objects.look(progressed.heard(), progressed.progress(), endpoints, policy),
                cache,
                endpoints,
                places));
  }
}
