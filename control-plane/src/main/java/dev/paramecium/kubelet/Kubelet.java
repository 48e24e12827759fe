package dev.paramecium.kubelet;

import dev.paramecium.agent.CiliumAgent;
import dev.paramecium.agent.CiliumAgent.AgentStatus;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.events.EventRecorder;
import dev.paramecium.kubelet.KubeletRequest.KubeletStatus;
import dev.paramecium.kubelet.KubeletRequest.TraceArmed;
import dev.paramecium.log.LogBook;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kubelet of one node. At its start it looks for what an earlier kubelet left in the kernel,
 * has the Node reported, and then runs a {@link PodWorker} for each pod that is bound to the node.
 * It answers {@link KubeletRequest}s.
 */
public final class Kubelet extends AbstractBehavior<Kubelet.Command> {

  /** Not the context's: answers come on other threads. */
  private static final Logger log = LoggerFactory.getLogger(Kubelet.class);

  private static final Duration ASK = Duration.ofSeconds(3);
  private static final Duration RESPAWN = Duration.ofSeconds(1);

  /** What the kubelet is told from inside its JVM; the cluster speaks {@link KubeletRequest}. */
  public sealed interface Command {}

  private record Request(KubeletRequest request) implements Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Listed(Sandboxes.@Nullable Inventory inventory, String error) implements Command {}

  private record Relisted(String uid, Sandboxes.@Nullable Inventory inventory) implements Command {}

  private record WorkerEnded(String uid) implements Command {}

  private record Armed(KubeletRequest.ArmTrace request, String error) implements Command {}

  private record ListSandboxes() implements Command {}

  private record Respawn(String uid) implements Command {}

  private record Worker(String podKey, ActorRef<PodWorker.Command> actor) {}

  private final NodeConfig config;
  private final KernelCalls kernel;
  private final ActorRef<CiliumAgent.Command> agent;
  private final ActorRef<LogBook.Command> agentLog;
  private final ApiClient api;
  private final InstantSource clock;
  private final PodEvents events;
  private final RandomGenerator random;
  private final TimerScheduler<Command> timers;
  private final Backoff backoff = Backoff.forApi();
  private final Map<String, KubeObject> pods = new HashMap<>();
  private final Map<String, Worker> workers = new HashMap<>();
  private final Map<String, String> uidOfPod = new HashMap<>();
  private final Sandboxes sandboxes;
  private final ServiceLinks services = new ServiceLinks();
  private final ActorRef<InformerEvent> fromApi;
  private final UsageReader usage;
  private final Map<String, Sandboxes.Found> found = new HashMap<>();
  private boolean synced;

  /**
   * The kubelet; it registers itself with the receptionist.
   *
   * @param random drawn from by this actor alone
   */
  public static Behavior<Command> create(
      NodeConfig config,
      ActorRef<Syscall> kernel,
      ActorRef<CiliumAgent.Command> agent,
      ActorRef<LogBook.Command> agentLog,
      ApiClient api,
      InstantSource clock,
      RandomGenerator random) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context ->
                    new Kubelet(
                        context, timers, config, kernel, agent, agentLog, api, clock, random)));
  }

  private Kubelet(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      NodeConfig config,
      ActorRef<Syscall> kernel,
      ActorRef<CiliumAgent.Command> agent,
      ActorRef<LogBook.Command> agentLog,
      ApiClient api,
      InstantSource clock,
      RandomGenerator random) {
    super(context);
    this.config = config;
    this.kernel = new KernelCalls(kernel, context.getSystem().scheduler());
    this.agent = agent;
    this.agentLog = agentLog;
    this.api = api;
    this.clock = clock;
    this.random = random;
    this.timers = timers;
    ActorRef<EventRecorder.Command> recorder =
        context.spawn(EventRecorder.create(api, clock, "kubelet", config.nodeName()), "events");
    this.events = new PodEvents(recorder);
    String bootId = new UUID(random.nextLong(), random.nextLong()).toString();
    context.spawn(NodeReporter.create(config, agent, api, clock, bootId, recorder), "node");
    ActorRef<Command> self = context.getSelf();
    ActorRef<KubeletRequest> server =
        context.spawn(
            Behaviors.receiveMessage(
                request -> {
                  self.tell(new Request(request));
                  return Behaviors.same();
                }),
            "requests");
    ActorRef<Receptionist.Command> receptionist = context.getSystem().receptionist();
    receptionist.tell(Receptionist.register(KubeletRequest.key(config.nodeName()), server));
    receptionist.tell(Receptionist.register(KubeletRequest.ALL, server));
    this.usage = new UsageReader(config.nodeName(), this.kernel, clock);
    this.sandboxes = new Sandboxes(this.kernel, agent, context.getSystem().scheduler());
    this.fromApi = context.messageAdapter(InformerEvent.class, FromApi::new);
    // The agent watches the same: it costs no watch.
    api.inform(ResourceType.SERVICE, "", "", "", fromApi);
    listSandboxes();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Command.class, this::onCommand)
        .onSignal(PostStop.class, _ -> ended())
        .onSignal(PreRestart.class, _ -> ended())
        .build();
  }

  private Behavior<Command> ended() {
    usage.close();
    return this;
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Request(KubeletRequest request) -> onRequest(request);
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case ListSandboxes _ -> listSandboxes();
      case Listed listed -> onListed(listed);
      case Relisted relisted -> onRelisted(relisted);
      case WorkerEnded ended -> onWorkerEnded(ended);
      case Respawn respawn -> relist(respawn.uid());
      case Armed armed -> onArmed(armed);
    }
    return this;
  }

  // ---- start

  private void listSandboxes() {
    getContext()
        .pipeToSelf(
            sandboxes.list().thenCompose(all -> sandboxes.delete(all.empty()).thenApply(_ -> all)),
            (inventory, failure) ->
                new Listed(inventory, failure == null ? "" : KernelCalls.message(failure)));
  }

  private void onListed(Listed listed) {
    Sandboxes.Inventory inventory = listed.inventory();
    if (inventory == null) {
      getContext().getLog().warn("cannot look for left-over pods: {}", listed.error());
      timers.startSingleTimer(new ListSandboxes(), backoff.next());
      return;
    }
    found.putAll(inventory.byUid());
    api.inform(ResourceType.POD, "", "", "spec.nodeName=" + config.nodeName(), fromApi);
  }

  /** The API server's pods are known: what is left of others is nobody's. */
  private void onSynced() {
    synced = true;
    found
        .values()
        .forEach(
            orphan -> {
              getContext().getLog().info("removing left-over pod {}", orphan.pod());
              var _ =
                  sandboxes
                      .remove(orphan)
                      .exceptionally(
                          failure -> {
                            log.warn(
                                "cannot remove left-over pod {}: {}",
                                orphan.pod(),
                                KernelCalls.message(failure));
                            return Done.done();
                          });
            });
    found.clear();
  }

  // ---- pods

  private static String key(KubeObject pod) {
    return pod.namespace() + "/" + pod.name();
  }

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced(ResourceType type) -> {
        if (type.equals(ResourceType.POD)) {
          onSynced();
        }
      }
      case InformerEvent.Upserted(KubeObject _, KubeObject current) when isService(current) ->
          services.heard(event);
      case InformerEvent.Removed(KubeObject last) when isService(last) -> services.heard(event);
      case InformerEvent.Upserted upserted -> {
        KubeObject pod = upserted.current();
        KubeObject before = upserted.old();
        if (before != null && !before.uid().equals(pod.uid())) {
          vanish(before);
        }
        pods.put(pod.uid(), pod);
        uidOfPod.put(key(pod), pod.uid());
        Worker worker = workers.get(pod.uid());
        if (worker == null) {
          respawn(pod.uid(), found.remove(pod.uid()));
        } else {
          worker.actor().tell(new PodWorker.Update(pod));
        }
      }
      case InformerEvent.Removed(KubeObject last) -> vanish(last);
    }
  }

  private static boolean isService(KubeObject object) {
    return object.kind().equals(ResourceType.SERVICE.kind());
  }

  private void vanish(KubeObject pod) {
    pods.remove(pod.uid());
    uidOfPod.remove(key(pod), pod.uid());
    Worker worker = workers.get(pod.uid());
    if (worker != null) {
      worker.actor().tell(new PodWorker.Vanish());
    }
  }

  /** A worker has failed: another takes over what it has left. */
  private void relist(String uid) {
    getContext().pipeToSelf(sandboxes.list(), (inventory, _) -> new Relisted(uid, inventory));
  }

  private void onRelisted(Relisted relisted) {
    Sandboxes.Inventory inventory = relisted.inventory();
    if (inventory == null) {
      timers.startSingleTimer(relisted.uid(), new Respawn(relisted.uid()), RESPAWN);
    } else {
      respawn(relisted.uid(), inventory.byUid().get(relisted.uid()));
    }
  }

  private void respawn(String uid, Sandboxes.@Nullable Found sandbox) {
    KubeObject pod = pods.get(uid);
    if (pod == null || workers.containsKey(uid)) {
      return;
    }
    ActorRef<PodWorker.Command> actor =
        getContext()
            .spawnAnonymous(
                PodWorker.create(
                    pod,
                    sandbox,
                    config,
                    kernel,
                    agent,
                    agentLog,
                    api,
                    clock,
                    events,
                    services,
                    new SplittableRandom(random.nextLong())));
    getContext().watchWith(actor, new WorkerEnded(uid));
    workers.put(uid, new Worker(key(pod), actor));
  }

  private void onWorkerEnded(WorkerEnded ended) {
    workers.remove(ended.uid());
    KubeObject pod = pods.get(ended.uid());
    if (pod != null && !pod.at("/metadata/deletionTimestamp").isTextual()) {
      // It failed: another one takes over from what the API server and the kernel know.
      timers.startSingleTimer(ended.uid(), new Respawn(ended.uid()), RESPAWN);
    }
  }

  // ---- requests

  private void onRequest(KubeletRequest request) {
    switch (request) {
      case KubeletRequest.Exec exec -> {
        Worker worker = worker(exec.namespace(), exec.pod(), exec.client());
        if (worker != null) {
          worker.actor().tell(new PodWorker.Exec(exec.container(), exec.request(), exec.client()));
        }
      }
      case KubeletRequest.Attach attach -> {
        Worker worker = worker(attach.namespace(), attach.pod(), attach.client());
        if (worker != null) {
          worker.actor().tell(new PodWorker.Attach(attach.container(), attach.client()));
        }
      }
      case KubeletRequest.ReadLog read -> {
        Worker worker = worker(read.namespace(), read.pod(), read.client());
        if (worker != null) {
          worker
              .actor()
              .tell(new PodWorker.ReadLog(read.container(), read.request(), read.client()));
        }
      }
      case KubeletRequest.ForwardPort forward -> {
        Worker worker = worker(forward.namespace(), forward.pod(), forward.client());
        if (worker != null) {
          worker.actor().tell(new PodWorker.ForwardPort(forward.port(), forward.client()));
        }
      }
      case KubeletRequest.HostExec exec ->
          kernel.kernel().tell(new Syscall.Exec(exec.request().on(""), exec.client()));
      case KubeletRequest.ArmTrace arm ->
          getContext()
              .pipeToSelf(
                  kernel.<Done>call(
                      replyTo ->
                          new Syscall.ArmTrace(
                              arm.traceId(), arm.filter(), arm.observer(), replyTo)),
                  (_, failure) ->
                      new Armed(arm, failure == null ? "" : KernelCalls.message(failure)));
      case KubeletRequest.DisarmTrace disarm ->
          kernel
              .kernel()
              .tell(
                  new Syscall.DisarmTrace(disarm.traceId(), getContext().getSystem().ignoreRef()));
      case KubeletRequest.ReadStatus read -> readStatus(read);
      case KubeletRequest.ReadUsage read -> usage.read().thenAccept(read.replyTo()::tell);
    }
  }

  private @Nullable Worker worker(String namespace, String pod, ActorRef<ExecOutput> client) {
    String uid = uidOfPod.get(namespace + "/" + pod);
    Worker worker = uid == null ? null : workers.get(uid);
    if (worker == null) {
      client.tell(
          new ExecOutput.Refused(
              Errno.ENOENT,
              "pod \""
                  + pod
                  + "\" in namespace \""
                  + namespace
                  + "\" does not run on node "
                  + config.nodeName()));
    }
    return worker;
  }

  private void onArmed(Armed armed) {
    if (armed.error().isEmpty()) {
      armed.request().replyTo().tell(new TraceArmed(config.nodeName(), armed.request().traceId()));
    } else {
      // Not answered: whoever asked learns by its timeout that this node is not followed.
      getContext()
          .getLog()
          .warn("cannot follow trace {}: {}", armed.request().traceId(), armed.error());
    }
  }

  private void readStatus(KubeletRequest.ReadStatus read) {
    int running = workers.size();
    boolean settled = synced;
    CompletionStage<AgentStatus> fromAgent =
        AskPattern.ask(
            agent, CiliumAgent.ReadStatus::new, ASK, getContext().getSystem().scheduler());
    CompletionStage<Map<String, Long>> fromKernel =
        read.kernel()
            ? kernel.readCounters().exceptionally(_ -> Map.of())
            : CompletableFuture.completedFuture(Map.of());
    String nodeName = config.nodeName();
    fromAgent
        .thenCombine(
            fromKernel,
            (status, counters) -> {
              Map<String, Long> all = new HashMap<>(counters);
              all.putAll(status.counters());
              all.put("pods", (long) running);
              int pending = status.ready() && settled ? status.pending() : status.pending() + 1;
              return new KubeletStatus(
                  nodeName,
                  ProcessHandle.current().pid(),
                  status.appliedRevision(),
                  pending,
                  status.endpoints(),
                  Map.copyOf(all));
            })
        .thenAccept(read.replyTo()::tell);
  }
}
