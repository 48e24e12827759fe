package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
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
import dev.paramecium.kubelet.ContainerRecord.State;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
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

  record ReadLog(String container, LogRequest request, ActorRef<ExecOutput> client)
      implements Command {}

  record ForwardPort(int port, ActorRef<ExecOutput> client) implements Command {}

  private record SandboxMade(String error) implements Command {}

  private record Cni(CniResult result) implements Command {}

  private record CniDeleted() implements Command {}

  private record FromContainer(ContainerEvent event) implements Command {}

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
  private final List<ContainerRecord> containers = new ArrayList<>();
  private final Map<String, String> logIds = new HashMap<>();
  private final PodStatus status;
  private final Backoff apiBackoff = Backoff.forApi();
  private final Backoff sandboxBackoff = new Backoff(Duration.ofSeconds(1), Duration.ofMinutes(1));
  private final Instant startTime;
  private final boolean agentPod;
  private final boolean hostNetwork;

  private KubeObject pod;
  private Stage stage = Stage.SANDBOX;
  private String netns = "";
  private boolean networked;
  private String podIp = "";
  private boolean vanished;
  private boolean over;
  private boolean writing;
  private @Nullable ObjectNode written;

  /**
   * @param random drawn from by this actor alone
   */
  static Behavior<Command> create(
      KubeObject pod,
      NodeConfig config,
      KernelCalls kernel,
      ActorRef<CiliumAgent.Command> agent,
      ApiClient api,
      InstantSource clock,
      PodEvents events,
      RandomGenerator random) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context ->
                    new PodWorker(
                        context, timers, pod, config, kernel, agent, api, clock, events, random)));
  }

  private PodWorker(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      KubeObject pod,
      NodeConfig config,
      KernelCalls kernel,
      ActorRef<CiliumAgent.Command> agent,
      ApiClient api,
      InstantSource clock,
      PodEvents events,
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
    this.agentPod = AgentPod.isOne(pod);
    this.hostNetwork = pod.at("/spec/hostNetwork").asBoolean();
    this.status = new PodStatus(pod);
    String started = pod.text("/status/startTime");
    this.startTime = started.isEmpty() ? clock.instant() : Instant.parse(started);
    recall();
    String phase = pod.text("/status/phase");
    over = phase.equals("Succeeded") || phase.equals("Failed");
    if (pod.at("/metadata/deletionTimestamp").isTextual()) {
      stop();
    } else if (over) {
      stage = Stage.RUNNING; // it ran and ended: it is kept as it is until somebody deletes it
      podIp = pod.text("/status/podIP");
    } else {
      makeSandbox();
      publish();
    }
  }

  /** Containers as the stored status left them: what ran before a crash runs again, counted. */
  private void recall() {
    for (JsonNode spec : pod.at("/spec/initContainers")) {
      containers.add(new ContainerRecord(spec, true));
    }
    for (JsonNode spec : pod.at("/spec/containers")) {
      containers.add(new ContainerRecord(spec, false));
    }
    String restartPolicy = restartPolicy();
    for (ContainerRecord container : containers) {
      String list = container.init ? "/status/initContainerStatuses" : "/status/containerStatuses";
      for (JsonNode before : pod.at(list)) {
        if (!before.path("name").asText().equals(container.name())) {
          continue;
        }
        container.restartCount = before.path("restartCount").asInt();
        JsonNode running = before.at("/state/running");
        JsonNode terminated = before.at("/state/terminated");
        if (terminated.isObject()) {
          State.Terminated end = terminated(terminated);
          container.state = end;
          boolean again =
              !container.init
                  && (restartPolicy.equals("Always")
                      || restartPolicy.equals("OnFailure") && end.exitCode() != 0);
          if (again) {
            container.prepareRestart();
          }
        } else if (running.isObject()) {
          container.state =
              new State.Terminated(
                  255, "Unknown", instant(running.path("startedAt")), clock.instant());
          if (!restartPolicy.equals("Never")) {
            container.prepareRestart();
          }
        }
      }
    }
  }

  private State.Terminated terminated(JsonNode node) {
    return new State.Terminated(
        node.path("exitCode").asInt(),
        node.path("reason").asText(),
        instant(node.path("startedAt")),
        instant(node.path("finishedAt")));
  }

  private Instant instant(JsonNode time) {
    return time.isTextual() ? Instant.parse(time.asText()) : clock.instant();
  }

  private String restartPolicy() {
    String policy = pod.text("/spec/restartPolicy");
    return policy.isEmpty() ? "Always" : policy;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Update update -> onUpdate(update);
      case Vanish _ -> onVanish();
      case Exec exec -> onExec(exec);
      case ForwardPort forward -> onForwardPort(forward);
      case ReadLog read -> onReadLog(read);
      case SandboxMade made -> onSandboxMade(made);
      case Cni(CniResult result) -> onCni(result);
      case FromContainer(ContainerEvent event) -> onContainerEvent(event);
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
    if (pod.at("/metadata/deletionTimestamp").isTextual()) {
      stop();
    } else if (written != null && !writing && !storedAsWritten(written)) {
      written = null; // somebody else changed it, as the node lifecycle controller does
      publish();
    }
  }

  private boolean storedAsWritten(ObjectNode status) {
    for (String field : List.of("phase", "conditions", "podIP", "containerStatuses")) {
      if (!status.path(field).equals(pod.at("/status/" + field))) {
        return false;
      }
    }
    return true;
  }

  private void onVanish() {
    vanished = true;
    if (stage == Stage.CONFIRMING) {
      stage = Stage.GONE;
      return;
    }
    stop();
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

  private void makeSandbox() {
    if (agentPod || hostNetwork) {
      podIp = config.nodeIp().toString();
      stage = Stage.RUNNING;
      advance();
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
    } else if (stage == Stage.LEAVING) {
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
      case CniResult.Added added -> {
        podIp = added.address().toString();
        stage = Stage.RUNNING;
        advance();
      }
      case CniResult.Refused refused -> sandboxFailed(refused.message());
    }
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
    if (stage != Stage.RUNNING || over) {
      return;
    }
    Instant now = clock.instant();
    Duration wait = Duration.ZERO;
    for (ContainerRecord container : containers) {
      if (container.init) {
        if (container.hasSucceeded()) {
          continue;
        }
        wait = startIfDue(container, now);
        break; // the next one waits for this one
      }
      Duration due = startIfDue(container, now);
      wait = wait.isZero() || !due.isZero() && due.compareTo(wait) < 0 ? due : wait;
    }
    if (!wait.isZero()) {
      timers.startSingleTimer(Timer.RESTART, new Tick(Timer.RESTART), wait);
    }
    String phase = PodStatus.phase(restartPolicy(), containers);
    if (phase.equals("Succeeded") || phase.equals("Failed")) {
      over = true;
    }
    publish();
  }

  /** Starts a container that should run and may; otherwise answers how long it has to wait. */
  private Duration startIfDue(ContainerRecord container, Instant now) {
    boolean again =
        switch (container.state) {
          case State.Running _ -> false;
          case State.Waiting _ -> true;
          case State.Terminated terminated ->
              switch (restartPolicy()) {
                case "Never" -> false;
                case "OnFailure" -> terminated.exitCode() != 0;
                default -> !container.init || terminated.exitCode() != 0;
              };
        };
    if (!again || container.starting) {
      return Duration.ZERO;
    }
    Duration wait = container.waitUntilStart(now);
    if (wait.isZero()) {
      container.prepareRestart();
      start(container);
    } else if (container.state instanceof State.Terminated) {
      container.crashLoop(ref.namespace() + "_" + ref.name(), ref.uid());
      events.backOff(pod, container);
      getContext().getLog().debug("{} waits {}", container.name(), wait);
    }
    return wait;
  }

  private void start(ContainerRecord container) {
    container.starting = true;
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    container.id = HexFormat.of().formatHex(bytes);
    events.pulled(pod, container);
    if (agentPod) {
      events.started(pod, container);
      container.starting = false;
      container.state = new State.Running(clock.instant());
      return;
    }
    String previous = logIds.put(container.name(), container.id);
    String id = container.id;
    if (previous != null) {
      attempt("remove container " + previous, kernel.removeContainer(previous));
    }
    getContext()
        .pipeToSelf(
            kernel.startContainer(containerSpec(container), containerEvents),
            (_, failure) -> new Started(id, failure == null ? "" : KernelCalls.message(failure)));
  }

  private ContainerSpec containerSpec(ContainerRecord container) {
    List<String> command = new ArrayList<>();
    container.spec.path("command").forEach(word -> command.add(word.asText()));
    List<String> args = new ArrayList<>();
    container.spec.path("args").forEach(word -> args.add(word.asText()));
    Map<String, String> env = new HashMap<>();
    for (JsonNode variable : container.spec.path("env")) {
      env.put(variable.path("name").asText(), variable.path("value").asText());
    }
    List<ContainerSpec.Port> ports = new ArrayList<>();
    for (JsonNode port : container.spec.path("ports")) {
      ports.add(
          new ContainerSpec.Port(
              port.path("name").asText(),
              port.path("containerPort").asInt(),
              port.path("protocol").asText("TCP")));
    }
    return new ContainerSpec(
        container.id,
        netns,
        ref.toString(),
        container.name(),
        container.image(),
        command,
        args,
        env,
        ports);
  }

  /** The runtime took the container, or not; that it runs is told by its events. */
  private void onStarted(Started started) {
    for (ContainerRecord container : containers) {
      if (!started.error().isEmpty() && container.id.equals(started.id())) {
        container.failedToStart(started.error(), clock.instant());
        events.failed(pod, container, started.error());
        advance();
        leaveIfStopped();
      }
    }
  }

  private void attempt(String what, CompletionStage<?> call) {
    getContext()
        .pipeToSelf(
            call,
            (_, failure) ->
                new Attempted(what, failure == null ? "" : KernelCalls.message(failure)));
  }

  private void onAttempted(Attempted attempted) {
    if (!attempted.error().isEmpty()) {
      getContext().getLog().warn("cannot {}: {}", attempted.what(), attempted.error());
    }
  }

  private void onContainerEvent(ContainerEvent event) {
    for (ContainerRecord container : containers) {
      if (!container.id.equals(event.containerId())) {
        continue;
      }
      switch (event) {
        case ContainerEvent.Started started -> {
          container.starting = false;
          container.state = new State.Running(clock.instant());
          events.started(pod, container);
          if (!started.imageNote().isEmpty()) {
            getContext().getLog().info("{}/{}: {}", ref, container.name(), started.imageNote());
          }
        }
        case ContainerEvent.Exited exited ->
            container.exited(exited.exitCode(), exited.reason(), clock.instant());
      }
      if (stage == Stage.RUNNING) {
        advance();
      } else {
        leaveIfStopped();
      }
      return;
    }
  }

  // ---- deletion

  private void stop() {
    if (stage != Stage.SANDBOX && stage != Stage.RUNNING) {
      return;
    }
    stage = Stage.STOPPING;
    for (Timer timer : List.of(Timer.SANDBOX, Timer.CNI, Timer.RESTART)) {
      timers.cancel(timer);
    }
    Duration grace =
        vanished
            ? Duration.ZERO
            : Duration.ofSeconds(pod.at("/metadata/deletionGracePeriodSeconds").asLong(30));
    for (ContainerRecord container : containers) {
      if (!container.id.isEmpty() && !agentPod) {
        events.killing(pod, container);
        attempt(
            "stop container " + container.name() + " of pod " + ref,
            kernel.stopContainer(container.id, grace.toMillis()));
      }
    }
    timers.startSingleTimer(Timer.STOP, new Tick(Timer.STOP), grace.plus(KILL_PATIENCE));
    leaveIfStopped();
  }

  private void leaveIfStopped() {
    boolean busy = !agentPod && containers.stream().anyMatch(c -> c.isRunning() || c.starting);
    if (stage == Stage.STOPPING && !busy) {
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
    timers.cancel(Timer.CNI);
    if (stage == Stage.LEAVING) {
      deleteNetns();
    }
  }

  private void deleteNetns() {
    if (netns.isEmpty()) {
      confirm();
      return;
    }
    getContext()
        .pipeToSelf(
            kernel.deleteNetns(netns),
            (_, failure) -> new NetnsDeleted(failure == null ? "" : KernelCalls.message(failure)));
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
    if (writing || stage == Stage.CONFIRMING || vanished || timers.isTimerActive(Timer.STATUS)) {
      return;
    }
    ObjectNode now =
        status.build(
            pod,
            PodStatus.phase(restartPolicy(), containers),
            containers,
            podIp,
            config.nodeIp().toString(),
            startTime,
            clock.instant());
    if (now.equals(written)) {
      return;
    }
    writing = true;
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    // Conditional on the uid: a status of this pod must not reach a successor of its name.
    patch.putObject("metadata").put("uid", ref.uid());
    patch.set("status", now);
    getContext()
        .pipeToSelf(
            api.mergePatch(
                ResourceType.POD, ref.namespace(), ref.name(), "status", patch.toString()),
            (reply, failure) ->
                new StatusWritten(
                    now,
                    failure != null
                        ? KernelCalls.message(failure)
                        : reply instanceof ApiReply.Failed failed && failed.code() != 404
                            ? failed.message()
                            : ""));
  }

  private void onStatusWritten(StatusWritten done) {
    writing = false;
    if (done.error().isEmpty()) {
      written = done.status();
      apiBackoff.reset();
      publish();
    } else {
      getContext().getLog().info("status of pod {} is not written yet: {}", ref, done.error());
      timers.startSingleTimer(Timer.STATUS, new Tick(Timer.STATUS), apiBackoff.next());
    }
  }

  // ---- exec and logs

  private @Nullable ContainerRecord container(String name) {
    for (ContainerRecord container : containers) {
      if (name.isEmpty() ? !container.init : container.name().equals(name)) {
        return container;
      }
    }
    return null;
  }

  private void onExec(Exec exec) {
    ContainerRecord container = container(exec.container());
    if (container == null || !container.isRunning()) {
      exec.client()
          .tell(
              new ExecOutput.Refused(
                  Errno.ENOENT,
                  container == null
                      ? "container " + exec.container() + " is not valid for pod " + ref.name()
                      : "container not found (\"" + container.name() + "\")"));
    } else if (agentPod) {
      agent.tell(new CiliumAgent.Exec(exec.request(), exec.client()));
    } else {
      ExecRequest request = exec.request();
      kernel
          .kernel()
          .tell(
              new Syscall.Exec(
                  new ExecRequest(container.id, request.argv(), request.stdin(), request.tty()),
                  exec.client()));
    }
  }

  private void onForwardPort(ForwardPort forward) {
    ContainerRecord container = container("");
    if (container == null || !container.isRunning()) {
      forward
          .client()
          .tell(
              new ExecOutput.Refused(
                  Errno.ENOENT,
                  "unable to forward port because pod is not running. Current status="
                      + PodStatus.phase(restartPolicy(), containers)));
    } else {
      kernel
          .kernel()
          .tell(
              new Syscall.ForwardPort(
                  agentPod ? "" : container.id, forward.port(), forward.client()));
    }
  }

  private void onReadLog(ReadLog read) {
    ContainerRecord container = container(read.container());
    String id = container == null ? null : logIds.get(container.name());
    if (container == null || id == null) {
      read.client()
          .tell(
              new ExecOutput.Refused(
                  Errno.ENOENT,
                  container == null
                      ? "container " + read.container() + " is not valid for pod " + ref.name()
                      : agentPod
                          ? "cilium-agent runs in the node's own process: its log is there"
                          : "container \""
                              + container.name()
                              + "\" in pod \""
                              + ref.name()
                              + "\" is waiting to start: ContainerCreating"));
    } else {
      LogRequest request = read.request();
      kernel
          .kernel()
          .tell(
              new Syscall.ReadLog(
                  new LogRequest(
                      id,
                      request.follow(),
                      request.tailLines(),
                      request.sinceEpochMs(),
                      request.timestamps()),
                  read.client()));
    }
  }
}
