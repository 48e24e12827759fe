package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.CiliumAgent;
import dev.paramecium.agent.CiliumAgent.CniResult;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.dns.PodDns;
import dev.paramecium.kubelet.ContainerInputs.Inputs;
import dev.paramecium.kubelet.ContainerInputs.Missing;
import dev.paramecium.log.LogBook;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.LogRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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

/**
 * One pod on this node, from its first sight to the last trace of it: sandbox (namespace, CNI ADD),
 * containers, status, deletion.
 *
 * <pre>
 *   SANDBOX --CNI ADD done--> RUNNING --deletionTimestamp, or gone--> STOPPING --containers ended-->
 *   LEAVING (CNI DEL, namespace) --> CONFIRMING (delete with grace 0) --> GONE: stopped
 * </pre>
 *
 * A pod that has run to its end stays RUNNING, so that its logs can be read, but gives its address
 * back at once.
 */
final class PodWorker extends AbstractBehavior<PodWorker.Command> {

  /** What a pod's worker can be told. */
  sealed interface Command {}

  /** The pod as the API server has it now. */
  record Update(KubeObject pod) implements Command {}

  /** The API server has it no more. */
  record Vanish() implements Command {}

  record Exec(String container, ExecRequest request, ActorRef<ExecOutput> client)
      implements Command {}

  record Attach(String container, ActorRef<ExecOutput> client) implements Command {}

  record ReadLog(String container, LogRequest request, ActorRef<ExecOutput> client)
      implements Command {}

  record ForwardPort(int port, ActorRef<ExecOutput> client) implements Command {}

  /** A probe of a container's run reached a verdict. */
  record Probed(String containerId, ProbeSpec.Kind probe, boolean healthy) implements Command {}

  /** A lifecycle hook of a container's run is over. */
  record HookEnded(String containerId, ContainerHooks.Hook hook, boolean succeeded)
      implements Command {}

  private record SandboxMade(String error) implements Command {}

  private record Cni(CniResult result) implements Command {}

  private record CniDeleted() implements Command {}

  private record FromContainer(ContainerEvent event) implements Command {}

  private record Prepared(String id, @Nullable Inputs inputs, @Nullable Throwable failure)
      implements Command {}

  private record Started(String id, String error) implements Command {}

  private record Attempted(String what, String error) implements Command {}

  private record StatusWritten(ObjectNode status, String error) implements Command {}

  private record NetnsDeleted(String error) implements Command {}

  private record Confirmed(String error) implements Command {}

  private record Tick(Timer timer) implements Command {}

  private enum Timer {
    SANDBOX,
    CNI,
    RESTART,
    STATUS,
    STOP,
    LEAVE,
    CONFIRM
  }

  private enum Stage {
    SANDBOX,
    RUNNING,
    STOPPING,
    LEAVING,
    CONFIRMING,
    GONE
  }

  private static final Duration CNI_PATIENCE = Duration.ofSeconds(15);
  private static final Duration KILL_PATIENCE = Duration.ofSeconds(5);

  private final NodeConfig config;
  private final KernelCalls kernel;
  private final ActorRef<CiliumAgent.Command> agent;
  private final ApiClient api;
  private final InstantSource clock;
  private final PodEvents events;
  private final RandomGenerator random;
  private final TimerScheduler<Command> timers;
  private final PodRef ref;
  private final ActorRef<ContainerEvent> containerEvents;
  private final PodContainers containers;
  private final ContainerLife life;
  private final ContainerInputs inputs;
  private final PodStreams streams;
  private final StatusWriter status;
  private final Backoff apiBackoff = Backoff.forApi();
  private final Backoff sandboxBackoff = new Backoff(Duration.ofSeconds(1), Duration.ofMinutes(1));
  private final boolean hostNetwork;

  private KubeObject pod;
  private Stage stage = Stage.SANDBOX;
  private String netns = "";
  private boolean networked;
  private String podIp = "";
  private boolean vanished;
  private boolean over;

  /**
   * @param sandbox what runs already of this pod, null if nothing does
   * @param random drawn from by this actor alone
   */
  static Behavior<Command> create(
      KubeObject pod,
      Sandboxes.@Nullable Found sandbox,
      NodeConfig config,
      KernelCalls kernel,
      ActorRef<CiliumAgent.Command> agent,
      ActorRef<LogBook.Command> agentLog,
      ApiClient api,
      InstantSource clock,
      PodEvents events,
      ServiceLinks services,
      RandomGenerator random) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context ->
                    new PodWorker(
                        context, timers, pod, sandbox, config, kernel, agent, agentLog, api, clock,
                        events, services, random)));
  }

  private PodWorker(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      KubeObject pod,
      Sandboxes.@Nullable Found sandbox,
      NodeConfig config,
      KernelCalls kernel,
      ActorRef<CiliumAgent.Command> agent,
      ActorRef<LogBook.Command> agentLog,
      ApiClient api,
      InstantSource clock,
      PodEvents events,
      ServiceLinks services,
      RandomGenerator random) {
    super(context);
    this.config = config;
    this.kernel = kernel;
    this.agent = agent;
    this.api = api;
    this.clock = clock;
    this.events = events;
    this.random = random;
    this.timers = timers;
    this.pod = pod;
    this.ref = new PodRef(pod.namespace(), pod.name(), pod.uid());
    this.containerEvents = context.messageAdapter(ContainerEvent.class, FromContainer::new);
    this.hostNetwork = pod.at("/spec/hostNetwork").asBoolean();
    this.containers = new PodContainers(pod, sandbox, clock.instant());
    this.life =
        new ContainerLife(
            context, pod, containers, kernel, api, clock, events, agentLog, this::fields);
    this.inputs = new ContainerInputs(api, services);
    this.streams = new PodStreams(ref, containers, AgentPod.isOne(pod), kernel);
    this.status = new StatusWriter(pod, config.nodeIp(), clock.instant());
    String phase = pod.text("/status/phase");
    over = phase.equals("Succeeded") || phase.equals("Failed");
    if (sandbox != null) {
      takeOver(sandbox);
    }
    if (pod.at("/metadata/deletionTimestamp").isTextual()) {
      stop();
    } else if (over) {
      stage = Stage.RUNNING; // it ran and ended: it is kept as it is until somebody deletes it
      podIp = pod.text("/status/podIP");
      leaveNetwork();
    } else {
      makeSandbox();
      publish();
    }
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Update update -> onUpdate(update);
      case Vanish _ -> onVanish();
      case Exec exec -> streams.exec(exec);
      case Attach attach -> streams.attach(attach);
      case ForwardPort forward -> streams.forwardPort(forward);
      case ReadLog read -> streams.readLog(read);
      case SandboxMade made -> onSandboxMade(made);
      case Cni(CniResult result) -> onCni(result);
      case FromContainer(ContainerEvent event) -> onContainersChanged(life.heard(event));
      case Probed probed -> onContainersChanged(life.probed(probed));
      case HookEnded ended -> onContainersChanged(life.hookEnded(ended));
      case Prepared prepared -> onPrepared(prepared);
      case Started started -> onStarted(started);
      case Attempted attempted -> onAttempted(attempted);
      case StatusWritten done -> onStatusWritten(done);
      case CniDeleted _ -> onCniDeleted();
      case NetnsDeleted deleted -> onNetnsDeleted(deleted);
      case Confirmed confirmed -> onConfirmed(confirmed);
      case Tick tick -> onTick(tick);
    }
    return stage == Stage.GONE ? Behaviors.stopped() : this;
  }

  private void onUpdate(Update update) {
    pod = update.pod();
    life.update(pod);
    if (pod.at("/metadata/deletionTimestamp").isTextual()) {
      stop();
    } else if (containers.add(pod) | life.restartChanged()) {
      advance();
    } else if (status.isOverwritten(pod) || pod.at("/spec/readinessGates").size() > 0) {
      publish();
    }
  }

  private void onVanish() {
    vanished = true;
    if (stage == Stage.CONFIRMING) {
      stage = Stage.GONE;
    } else if (stage == Stage.STOPPING) {
      // Deleted by force meanwhile: no grace is left.
      containers.busy().forEach(container -> life.kill(container, Duration.ZERO));
    } else {
      stop();
    }
  }

  private void onTick(Tick tick) {
    timers.cancel(tick.timer());
    switch (tick.timer()) {
      case SANDBOX -> {
        if (stage == Stage.SANDBOX) {
          makeSandbox();
        }
      }
      case CNI -> askCni();
      case RESTART -> advance();
      case STATUS -> publish();
      case STOP -> leave();
      case LEAVE -> deleteNetns();
      case CONFIRM -> confirm();
    }
  }

  // ---- sandbox

  /** What ran while no kubelet looked goes on as this worker's. */
  private void takeOver(Sandboxes.Found sandbox) {
    netns = sandbox.netns();
    networked = !netns.isEmpty();
    podIp = pod.text("/status/podIP");
    for (ContainerRecord container : containers.busy()) {
      attempt(
          "watch container " + container.id, kernel.watchContainer(container.id, containerEvents));
    }
  }

  private void makeSandbox() {
    if (hostNetwork) {
      hasAddress(config.nodeIp().toString());
      return;
    }
    if (!netns.isEmpty()) {
      askCni(); // it was taken over: the endpoint is there, or is made for the same namespace
      return;
    }
    netns =
        "cni-"
            + new UUID(random.nextLong() & ~0xf000L | 0x4000L, random.nextLong() >>> 2 | 1L << 63);
    getContext()
        .pipeToSelf(
            kernel.createNetns(netns),
            (_, failure) -> new SandboxMade(failure == null ? "" : KernelCalls.message(failure)));
  }

  private void onSandboxMade(SandboxMade made) {
    if (!made.error().isEmpty()) {
      sandboxFailed(made.error());
    } else if (stage == Stage.SANDBOX) {
      askCni();
    } else {
      deleteNetns(); // deleted meanwhile
    }
  }

  private void askCni() {
    if (stage == Stage.SANDBOX) {
      networked = true;
      agent.tell(
          new CiliumAgent.CniAdd(
              ref, netns, getContext().messageAdapter(CniResult.class, Cni::new)));
      timers.startSingleTimer(Timer.CNI, new Tick(Timer.CNI), CNI_PATIENCE);
    } else if (networked && (stage == Stage.LEAVING || over)) {
      agent.tell(
          new CiliumAgent.CniDel(
              ref, getContext().messageAdapter(Done.class, _ -> new CniDeleted())));
      timers.startSingleTimer(Timer.CNI, new Tick(Timer.CNI), CNI_PATIENCE);
    }
  }

  private void onCni(CniResult result) {
    if (stage != Stage.SANDBOX) {
      return;
    }
    timers.cancel(Timer.CNI);
    switch (result) {
      case CniResult.Added added -> hasAddress(added.address().toString());
      case CniResult.Refused refused -> sandboxFailed(refused.message());
    }
  }

  private void hasAddress(String ip) {
    podIp = ip;
    life.address(ip);
    stage = Stage.RUNNING;
    advance();
  }

  private void sandboxFailed(String error) {
    getContext().getLog().warn("cannot create the sandbox of pod {}: {}", ref, error);
    events.sandboxFailed(pod, error);
    String failed = netns;
    netns = "";
    attempt("delete namespace " + failed, kernel.deleteNetns(failed));
    timers.startSingleTimer(Timer.SANDBOX, new Tick(Timer.SANDBOX), sandboxBackoff.next());
  }

  // ---- containers

  /** Starts what should run and does not. */
  private void advance() {
    if (stage != Stage.RUNNING) {
      return;
    }
    if (over) {
      leaveNetwork();
      return;
    }
    Duration wait =
        containers.startDue(
            clock.instant(), this::start, container -> events.backOff(pod, container));
    if (!wait.isZero()) {
      timers.startSingleTimer(Timer.RESTART, new Tick(Timer.RESTART), wait);
    }
    over = containers.areOver();
    if (over) {
      containers.busy().forEach(container -> life.kill(container, Duration.ZERO));
      leaveNetwork();
    }
    publish();
  }

  /**
   * As the kubelet stops the sandbox of a pod whose phase is final ({@code
   * pkg/kubelet/pod_workers.go}, syncTerminatingPod): the endpoint goes, and its address can be
   * another pod's. Not before its last container has ended.
   */
  private void leaveNetwork() {
    if (!containers.areBusy() && !timers.isTimerActive(Timer.CNI)) {
      askCni();
    }
  }

  private void start(ContainerRecord container) {
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    container.starting(HexFormat.of().formatHex(bytes));
    String id = container.id;
    getContext()
        .pipeToSelf(
            inputs.of(pod, container.spec, fields(pod)),
            (given, failure) -> new Prepared(id, given, failure));
  }

  private PodFields fields(KubeObject of) {
    return new PodFields(of, podIp, config.nodeIp().toString(), config.cpus(), config.memoryKi());
  }

  /** What the container needs is there, or not: then it waits for it. */
  private void onPrepared(Prepared prepared) {
    for (ContainerRecord container : containers.all()) {
      if (!container.id.equals(prepared.id())) {
        continue;
      }
      Inputs given = prepared.inputs();
      if (given != null && stage == Stage.RUNNING) {
        run(container, given);
      } else {
        lacks(container, prepared.failure());
      }
    }
  }

  private void lacks(ContainerRecord container, @Nullable Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    Instant now = clock.instant();
    switch (cause) {
      case Missing missing when missing.isOfVolume() -> {
        events.mountFailed(pod, missing.getMessage());
        container.lacks("ContainerCreating", "", now);
      }
      case Missing missing -> {
        events.failed(pod, container, missing.getMessage());
        container.lacks("CreateContainerConfigError", missing.getMessage(), now);
      }
      case null, default -> container.lacks("ContainerCreating", "", now);
    }
    advance();
    leaveIfStopped();
  }

  private void run(ContainerRecord container, Inputs given) {
    events.pulled(pod, container);
    String previous = containers.noteLog(container);
    String id = container.id;
    Map<String, byte[]> files = new HashMap<>(given.files());
    files.put(
        PodDns.PATH, PodDns.resolvConf(pod, config.nameservers()).getBytes(StandardCharsets.UTF_8));
    Inputs mounted = new Inputs(given.env(), files, given.mounts());
    getContext()
        .pipeToSelf(
            kernel.startContainer(
                container.runIn(
                    netns,
                    ref,
                    mounted,
                    containers.target(container),
                    pod.at("/spec/shareProcessNamespace").asBoolean()),
                containerEvents),
            (_, failure) -> new Started(id, failure == null ? "" : KernelCalls.message(failure)));
    if (previous != null) { // after the start: volumes end with the last container that has them
      attempt("remove container " + previous, kernel.removeContainer(previous));
    }
  }

  /** The runtime took the container, or not; that it runs is told by its events. */
  private void onStarted(Started started) {
    for (ContainerRecord container : containers.all()) {
      if (!started.error().isEmpty() && container.id.equals(started.id())) {
        container.failedToStart(started.error(), clock.instant());
        events.failed(pod, container, started.error());
        advance();
        leaveIfStopped();
      }
    }
  }

  private void attempt(String what, CompletionStage<?> call) {
    getContext().pipeToSelf(call, (_, failure) -> attempted(what, failure));
  }

  /** That something was tried of which only a failure is worth a word. */
  static Command attempted(String what, @Nullable Throwable failure) {
    return new Attempted(what, failure == null ? "" : KernelCalls.message(failure));
  }

  private void onAttempted(Attempted attempted) {
    if (!attempted.error().isEmpty()) {
      getContext().getLog().warn("cannot {}: {}", attempted.what(), attempted.error());
    }
  }

  private void onContainersChanged(boolean changed) {
    if (!changed) {
      return;
    }
    if (stage == Stage.RUNNING) {
      advance();
    } else {
      leaveIfStopped();
      publish();
    }
  }

  // ---- deletion

  private void stop() {
    if (stage != Stage.SANDBOX && stage != Stage.RUNNING) {
      return;
    }
    stage = Stage.STOPPING;
    life.terminate();
    for (Timer timer : List.of(Timer.SANDBOX, Timer.CNI, Timer.RESTART)) {
      timers.cancel(timer);
    }
    Duration grace =
        vanished
            ? Duration.ZERO
            : Duration.ofSeconds(pod.at("/metadata/deletionGracePeriodSeconds").asLong(30));
    for (ContainerRecord container : containers.all()) {
      if (!container.id.isEmpty()) {
        events.killing(pod, container);
        life.kill(container, grace);
      }
    }
    timers.startSingleTimer(Timer.STOP, new Tick(Timer.STOP), grace.plus(KILL_PATIENCE));
    leaveIfStopped();
  }

  private void leaveIfStopped() {
    if (stage == Stage.STOPPING && !containers.areBusy()) {
      leave();
    }
  }

  private void leave() {
    if (stage != Stage.STOPPING) {
      return;
    }
    timers.cancel(Timer.STOP);
    stage = Stage.LEAVING;
    if (networked) {
      askCni();
    } else {
      deleteNetns();
    }
  }

  private void onCniDeleted() {
    if (!networked) {
      return; // it was asked for twice
    }
    networked = false;
    timers.cancel(Timer.CNI);
    if (stage == Stage.LEAVING) {
      deleteNetns();
    }
  }

  private void deleteNetns() {
    getContext()
        .pipeToSelf(
            netns.isEmpty() ? removeContainers() : kernel.deleteNetns(netns),
            (_, failure) -> new NetnsDeleted(failure == null ? "" : KernelCalls.message(failure)));
  }

  /** In the node's own namespace nothing else would end them. */
  private CompletionStage<Done> removeContainers() {
    CompletionStage<Done> all = CompletableFuture.completedFuture(Done.done());
    for (String id : containers.kept()) {
      all = all.thenCompose(_ -> kernel.removeContainer(id));
    }
    return all;
  }

  private void onNetnsDeleted(NetnsDeleted deleted) {
    if (stage != Stage.LEAVING) {
      return;
    }
    if (!deleted.error().isEmpty()) {
      timers.startSingleTimer(Timer.LEAVE, new Tick(Timer.LEAVE), apiBackoff.next());
      return;
    }
    confirm();
  }

  /** The last word: the API server may forget the pod, nothing of it is left here. */
  private void confirm() {
    stage = Stage.CONFIRMING;
    if (vanished) {
      stage = Stage.GONE;
      return;
    }
    getContext()
        .pipeToSelf(
            api.delete(ResourceType.POD, ref.namespace(), ref.name(), 0, ref.uid()),
            (reply, failure) ->
                new Confirmed(
                    failure != null
                        ? KernelCalls.message(failure)
                        : reply instanceof ApiReply.Failed failed
                                && failed.code() != 404
                                && failed.code() != 409
                            ? failed.message()
                            : ""));
  }

  private void onConfirmed(Confirmed confirmed) {
    if (confirmed.error().isEmpty()) {
      stage = Stage.GONE;
      return;
    }
    timers.startSingleTimer(Timer.CONFIRM, new Tick(Timer.CONFIRM), apiBackoff.next());
  }

  // ---- status

  private void publish() {
    if (stage == Stage.CONFIRMING || vanished || timers.isTimerActive(Timer.STATUS)) {
      return;
    }
    ObjectNode next = status.begin(pod, containers, podIp, clock.instant());
    if (next == null) {
      return;
    }
    getContext()
        .pipeToSelf(
            api.mergePatch(
                ResourceType.POD,
                ref.namespace(),
                ref.name(),
                "status",
                StatusWriter.patch(ref.uid(), next)),
            (reply, failure) ->
                new StatusWritten(
                    next,
                    failure != null
                        ? KernelCalls.message(failure)
                        : reply instanceof ApiReply.Failed failed && failed.code() != 404
                            ? failed.message()
                            : ""));
  }

  private void onStatusWritten(StatusWritten done) {
    if (done.error().isEmpty()) {
      status.succeeded(done.status());
      apiBackoff.reset();
      publish();
    } else {
      status.failed();
      getContext().getLog().info("status of pod {} is not written yet: {}", ref, done.error());
      timers.startSingleTimer(Timer.STATUS, new Tick(Timer.STATUS), apiBackoff.next());
    }
  }
}
