package dev.paramecium.agent.endpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.agent.desired.Claim;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.policy.EndpointMap;
import dev.paramecium.agent.reconciler.Change;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.reconciler.MapReconciler.Applied;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.policy.MapState;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.syscall.EndpointConfig;
import dev.paramecium.syscall.LinkInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * One endpoint: a veth pair with an address, a program, a policy map, its entries in the node's
 * maps and its CiliumEndpoint. It makes one step at a time; a step that fails is made again, later.
 * Every step may have been made before (by an agent that crashed), and is then adopted.
 */
public final class Endpoint extends AbstractBehavior<Endpoint.Command> {

  private static final String UPDATED_LABELS = "updated security labels";
  private static final Duration APPLY_TIMEOUT = Duration.ofSeconds(10);

  /** What an endpoint can be told. */
  public sealed interface Command {}

  /**
   * The endpoint's labels and the identity they have now.
   *
   * @param podLabels as on the pod, empty for the health endpoint
   * @param ports that the pod's containers give names to
   */
  public record Identify(
      int identity, List<String> labels, Map<String, String> podLabels, NamedPorts ports)
      implements Command {}

  /**
   * What its policy map holds from now on. Until the first of these it has no policy and no way in
   * or out.
   */
  public record Enforce(EndpointMap policy) implements Command {}

  /** Somebody wants its policy map written anew. */
  public record Regenerate() implements Command {}

  /** Somebody deleted or changed the CiliumEndpoint: it is written again. */
  public record Publish() implements Command {}

  /** CNI DEL. Answered when all of it is gone. */
  public record Delete(ActorRef<Done> replyTo) implements Command {}

  private record Plumbed(@Nullable Links links, String error) implements Command {}

  private record Regenerated(
      int identity, List<String> labels, int programId, EndpointMap policy, String error)
      implements Command {}

  private record Enforced(EndpointMap policy, String error) implements Command {}

  private record Published(ObjectNode status, String error) implements Command {}

  private record Torn(String error) implements Command {}

  private record Retry(Step step) implements Command {}

  private enum Step {
    PLUMB,
    REGENERATE,
    PUBLISH,
    TEAR_DOWN
  }

  private record Links(int ifindex, MacAddress mac, MacAddress nodeMac) {}

  private final EndpointSpec spec;
  private final KernelCalls kernel;
  private final ActorRef<MapReconciler.Command> reconciler;
  private final ApiClient api;
  private final ActorRef<EndpointEvent> agent;
  private final TimerScheduler<Command> timers;
  private final Scheduler scheduler;
  private final Backoff kernelBackoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10));
  private final Backoff apiBackoff = Backoff.forApi();

  private EndpointState state;

  /** Why it is regenerated, or was last. */
  private String reason = UPDATED_LABELS;

  private boolean rewrite;
  private @Nullable Links links;
  private int wantedIdentity;
  private List<String> wantedLabels = List.of();
  private Map<String, String> podLabels = Map.of();
  private int identity;
  private List<String> labels = List.of();
  private int programId;
  private NamedPorts ports = NamedPorts.NONE;
  private @Nullable EndpointMap wantedPolicy;
  private @Nullable EndpointMap policy;

  /** What calls that failed asked for since: the reconciler goes on trying to write it. */
  private final Set<PolicyKey> unanswered = new HashSet<>();

  private boolean busy;
  private boolean publishing;
  private @Nullable ObjectNode published;
  private boolean attached;
  private final List<ActorRef<Done>> deleters = new ArrayList<>();

  /**
   * An endpoint.
   *
   * @param restored whether its devices may exist already
   */
  public static Behavior<Command> create(
      EndpointSpec spec,
      boolean restored,
      KernelCalls kernel,
      ActorRef<MapReconciler.Command> reconciler,
      ApiClient api,
      ActorRef<EndpointEvent> agent) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context ->
                    new Endpoint(context, timers, spec, restored, kernel, reconciler, api, agent)));
  }

  private Endpoint(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      EndpointSpec spec,
      boolean restored,
      KernelCalls kernel,
      ActorRef<MapReconciler.Command> reconciler,
      ApiClient api,
      ActorRef<EndpointEvent> agent) {
    super(context);
    this.timers = timers;
    this.scheduler = context.getSystem().scheduler();
    this.spec = spec;
    this.kernel = kernel;
    this.reconciler = reconciler;
    this.api = api;
    this.agent = agent;
    this.state = restored ? EndpointState.RESTORING : EndpointState.WAITING_FOR_IDENTITY;
    plumb();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    return switch (command) {
      case Identify identify -> onIdentify(identify);
      case Enforce enforce -> onEnforce(enforce);
      case Enforced enforced -> onEnforced(enforced);
      case Regenerate _ -> onRegenerate();
      case Publish _ -> onPublish();
      case Delete delete -> onDelete(delete);
      case Plumbed plumbed -> onPlumbed(plumbed);
      case Regenerated regenerated -> onRegenerated(regenerated);
      case Published done -> onPublished(done);
      case Torn torn -> onTorn(torn);
      case Retry retry -> onRetry(retry);
    };
  }

  // ---- devices

  private void plumb() {
    busy = true;
    CompletionStage<Links> made =
        kernel
            .listLinks()
            .thenCompose(
                existing -> {
                  Links adopted = find(existing);
                  return adopted != null
                      ? CompletableFuture.completedFuture(adopted)
                      : kernel
                          .deleteLink(spec.ifname())
                          .thenCompose(
                              _ ->
                                  kernel.createVeth(
                                      spec.ifname(), spec.netns(), spec.peerName(), spec.mtu()))
                          .thenApply(
                              pair ->
                                  new Links(
                                      pair.host().ifindex(), pair.pod().mac(), pair.host().mac()));
                })
            .thenCompose(
                pair ->
                    kernel
                        .configurePodInterface(
                            spec.netns(),
                            spec.peerName(),
                            spec.address(),
                            spec.gateway(),
                            spec.routeMtu())
                        .thenApply(_ -> pair));
    getContext()
        .pipeToSelf(
            made,
            (pair, failure) ->
                failure == null
                    ? new Plumbed(pair, "")
                    : new Plumbed(null, KernelCalls.message(failure)));
  }

  /** Both ends of our veth pair, if an agent before us made them in this very namespace. */
  private @Nullable Links find(List<LinkInfo> existing) {
    for (LinkInfo host : existing) {
      if (!host.name().equals(spec.ifname()) || !host.netns().isEmpty()) {
        continue;
      }
      for (LinkInfo pod : existing) {
        if (pod.ifindex() == host.peerIfindex() && pod.netns().equals(spec.netns())) {
          return new Links(host.ifindex(), pod.mac(), host.mac());
        }
      }
    }
    return null;
  }

  private Behavior<Command> onPlumbed(Plumbed plumbed) {
    busy = false;
    if (plumbed.links() == null) {
      return retryLater(Step.PLUMB, "cannot set up " + spec.ifname(), plumbed.error());
    }
    kernelBackoff.reset();
    links = plumbed.links();
    become(
        wantedIdentity == 0
            ? EndpointState.WAITING_FOR_IDENTITY
            : EndpointState.WAITING_TO_REGENERATE);
    return next();
  }

  // ---- identity, program, maps

  private Behavior<Command> onIdentify(Identify identify) {
    wantedIdentity = identify.identity();
    wantedLabels = identify.labels();
    ports = identify.ports();
    if (!podLabels.equals(identify.podLabels())) {
      podLabels = identify.podLabels();
      published = null;
    }
    return next();
  }

  private void regenerate(Links devices, EndpointMap targetPolicy) {
    busy = true;
    rewrite = false;
    reason = wantedIdentity == identity ? "retrying regeneration" : UPDATED_LABELS;
    become(EndpointState.REGENERATING);
    int target = wantedIdentity;
    List<String> targetLabels = wantedLabels;
    String policyMap = MapNames.policyMapName(spec.id());
    List<Change> changes = changes(policy, targetPolicy, true);
    List<Claim> claims =
        Claims.ofLocalEndpoint(
            spec.address(),
            target,
            new EndpointInfo(devices.ifindex(), spec.id(), 0, devices.mac(), devices.nodeMac()));
    CompletionStage<Integer> done =
        kernel
            .loadEndpointDatapath(
                new EndpointConfig(spec.id(), target, spec.address(), spec.ifname()))
            .thenCompose(
                program -> {
                  // The wishes first: what an agent before us wrote must not be pruned meanwhile.
                  CompletionStage<Done> entries = apply(changes);
                  reconciler.tell(new MapReconciler.Manage(policyMap, true));
                  return entries.thenCompose(_ -> claim(claims)).thenApply(_ -> program);
                });
    getContext()
        .pipeToSelf(
            done,
            (program, failure) ->
                failure == null
                    ? new Regenerated(target, targetLabels, program, targetPolicy, "")
                    : new Regenerated(
                        target, targetLabels, 0, targetPolicy, KernelCalls.message(failure)));
  }

  // ---- policy

  private Behavior<Command> onEnforce(Enforce enforce) {
    if (!enforce.policy().equals(wantedPolicy)) {
      // What was refused before is not what is wanted now: it need not wait for its next attempt.
      timers.cancel(Step.REGENERATE);
    }
    wantedPolicy = enforce.policy();
    return next();
  }

  /** Changes the policy map alone: the programs stay. */
  private void enforce(EndpointMap target) {
    EndpointMap old = policy;
    boolean all = rewrite;
    rewrite = false;
    if (!all && old != null && unanswered.isEmpty() && old.entries().equals(target.entries())) {
      policy = target;
      agent.tell(new EndpointEvent.Changed(model()));
      return;
    }
    busy = true;
    boolean sameRules = old != null && old.revision() == target.revision();
    reason =
        all
            ? "endpoint was updated via API"
            : sameRules ? "one or more identities created or deleted" : "policy rules added";
    become(EndpointState.REGENERATING);
    getContext()
        .pipeToSelf(
            apply(changes(old, target, all)),
            (_, failure) ->
                new Enforced(target, failure == null ? "" : KernelCalls.message(failure)));
  }

  private Behavior<Command> onEnforced(Enforced enforced) {
    busy = false;
    if (!enforced.error().isEmpty()) {
      unanswered.addAll(enforced.policy().entries().keySet());
      become(EndpointState.NOT_READY);
      return retryLater(Step.REGENERATE, "cannot enforce its policy", enforced.error());
    }
    kernelBackoff.reset();
    unanswered.clear();
    policy = enforced.policy();
    become(EndpointState.READY);
    return next();
  }

  /**
   * What takes the map from {@code old} to {@code target}.
   *
   * @param all also the entries that are there already, for a map that may be new
   */
  private List<Change> changes(@Nullable EndpointMap old, EndpointMap target, boolean all) {
    String map = MapNames.policyMapName(spec.id());
    List<Change> changes = new ArrayList<>();
    target
        .entries()
        .forEach(
            (key, entry) -> {
              MapState.Entry before = old == null ? null : old.entries().get(key);
              if (all || before == null || !before.isSameVerdict(entry)) {
                PolicyEntry value = new PolicyEntry(entry.proxyPort(), entry.deny(), 0, 0);
                changes.add(Change.upsert(map, key.encode(), value.encode()));
              }
            });
    Set<PolicyKey> others = new HashSet<>(unanswered);
    if (old != null) {
      others.addAll(old.entries().keySet());
    }
    others.removeAll(target.entries().keySet());
    others.forEach(key -> changes.add(Change.delete(map, key.encode())));
    return changes;
  }

  private CompletionStage<Done> apply(List<Change> changes) {
    return check(
        AskPattern.ask(
            reconciler,
            replyTo -> new MapReconciler.Apply(changes, 0, replyTo),
            APPLY_TIMEOUT,
            scheduler));
  }

  private CompletionStage<Done> claim(List<Claim> claims) {
    return check(
        AskPattern.ask(
            agent,
            replyTo -> new EndpointEvent.Claimed(spec.id(), claims, replyTo),
            APPLY_TIMEOUT,
            scheduler));
  }

  private static CompletionStage<Done> check(CompletionStage<Applied> answer) {
    return answer.thenCompose(
        applied ->
            applied.error().isEmpty()
                ? CompletableFuture.completedFuture(Done.done())
                : CompletableFuture.failedFuture(new IllegalStateException(applied.error())));
  }

  private Behavior<Command> onRegenerated(Regenerated regenerated) {
    busy = false;
    if (!regenerated.error().isEmpty()) {
      unanswered.addAll(regenerated.policy().entries().keySet());
      become(EndpointState.NOT_READY);
      return retryLater(Step.REGENERATE, "cannot regenerate", regenerated.error());
    }
    kernelBackoff.reset();
    identity = regenerated.identity();
    labels = regenerated.labels();
    programId = regenerated.programId();
    unanswered.clear();
    policy = regenerated.policy();
    become(EndpointState.READY);
    return next();
  }

  private Behavior<Command> onRegenerate() {
    rewrite = true;
    return next();
  }

  // ---- the CiliumEndpoint

  private Behavior<Command> onPublish() {
    published = null;
    return next();
  }

  private void publish(EndpointSpec.PodRef pod) {
    publishing = true;
    EndpointModel model = model();
    ObjectNode status = CiliumEndpoints.status(model, pod);
    Map<String, String> objectLabels = podLabels;
    CompletionStage<ApiReply> stored =
        api.get(ResourceType.CILIUM_ENDPOINT, pod.namespace(), pod.name())
            .thenCompose(
                reply ->
                    switch (reply) {
                      case ApiReply.Stored(KubeObject current, boolean _) ->
                          replace(model, pod, objectLabels, current);
                      case ApiReply.Failed failed when failed.code() == 404 ->
                          api.create(
                              ResourceType.CILIUM_ENDPOINT,
                              CiliumEndpoints.of(model, pod, objectLabels, null));
                      case ApiReply.Failed _, ApiReply.Deleted _, ApiReply.Listed _ ->
                          CompletableFuture.completedFuture(reply);
                    });
    getContext()
        .pipeToSelf(
            stored,
            (reply, failure) -> {
              if (failure != null) {
                return new Published(status, KernelCalls.message(failure));
              }
              return new Published(
                  status, reply instanceof ApiReply.Failed failed ? failed.message() : "");
            });
  }

  /** Metadata and status are two writes: the status of a CiliumEndpoint is a subresource. */
  private CompletionStage<ApiReply> replace(
      EndpointModel model,
      EndpointSpec.PodRef pod,
      Map<String, String> labels,
      KubeObject current) {
    KubeObject wanted = CiliumEndpoints.of(model, pod, labels, current);
    if (wanted.at("/metadata").equals(current.at("/metadata"))) {
      return api.updateStatus(ResourceType.CILIUM_ENDPOINT, wanted);
    }
    return api.update(ResourceType.CILIUM_ENDPOINT, wanted)
        .thenCompose(
            reply ->
                reply instanceof ApiReply.Stored(KubeObject updated, boolean _)
                    ? api.updateStatus(
                        ResourceType.CILIUM_ENDPOINT,
                        CiliumEndpoints.of(model, pod, labels, updated))
                    : CompletableFuture.completedFuture(reply));
  }

  private Behavior<Command> onPublished(Published done) {
    publishing = false;
    if (done.error().isEmpty()) {
      published = done.status();
      apiBackoff.reset();
    } else {
      getContext()
          .getLog()
          .info("CiliumEndpoint {} is not written yet: {}", spec.owner(), done.error());
      timers.startSingleTimer(Step.PUBLISH, new Retry(Step.PUBLISH), apiBackoff.next());
    }
    if (!attached && state == EndpointState.READY) {
      attached = true;
      agent.tell(new EndpointEvent.Attached(model()));
    }
    return next();
  }

  // ---- the end

  private Behavior<Command> onDelete(Delete delete) {
    deleters.add(delete.replyTo());
    return next();
  }

  private void tearDown() {
    busy = true;
    become(EndpointState.DISCONNECTING);
    // First nobody finds it any more, then it goes.
    CompletionStage<Done> gone =
        claim(List.of())
            .thenCompose(
                _ -> {
                  reconciler.tell(new MapReconciler.Forget(MapNames.policyMapName(spec.id())));
                  return kernel.unloadEndpointDatapath(spec.id());
                })
            .thenCompose(_ -> kernel.deleteLink(spec.ifname()))
            .thenCompose(_ -> unpublish());
    getContext()
        .pipeToSelf(
            gone, (_, failure) -> new Torn(failure == null ? "" : KernelCalls.message(failure)));
  }

  private CompletionStage<Done> unpublish() {
    EndpointSpec.PodRef pod = spec.pod();
    if (pod == null) {
      return CompletableFuture.completedFuture(Done.done());
    }
    return api.get(ResourceType.CILIUM_ENDPOINT, pod.namespace(), pod.name())
        .thenCompose(
            reply -> {
              boolean ours =
                  reply instanceof ApiReply.Stored(KubeObject current, boolean _)
                      && CiliumEndpoints.podUid(current).equals(pod.uid());
              return ours
                  ? api.delete(ResourceType.CILIUM_ENDPOINT, pod.namespace(), pod.name(), 0)
                  : CompletableFuture.completedFuture(reply);
            })
        .thenCompose(
            reply ->
                reply instanceof ApiReply.Failed failed && failed.code() != 404
                    ? CompletableFuture.failedFuture(new IllegalStateException(failed.message()))
                    : CompletableFuture.completedFuture(Done.done()));
  }

  private Behavior<Command> onTorn(Torn torn) {
    busy = false;
    if (!torn.error().isEmpty()) {
      return retryLater(Step.TEAR_DOWN, "cannot be deleted", torn.error());
    }
    state = EndpointState.DISCONNECTED;
    agent.tell(new EndpointEvent.Gone(spec));
    deleters.forEach(replyTo -> replyTo.tell(Done.done()));
    return Behaviors.stopped();
  }

  // ---- one step at a time

  private Behavior<Command> next() {
    if (busy || timers.isTimerActive(Step.TEAR_DOWN)) {
      return this;
    }
    Links devices = links;
    EndpointMap target = wantedPolicy;
    if (!deleters.isEmpty()) {
      if (!publishing) {
        tearDown();
      }
    } else if (devices == null) {
      if (!timers.isTimerActive(Step.PLUMB)) {
        plumb();
      }
    } else if (wantedIdentity == 0) {
      become(EndpointState.WAITING_FOR_IDENTITY);
    } else if (target == null) {
      become(EndpointState.WAITING_TO_REGENERATE);
    } else if (timers.isTimerActive(Step.REGENERATE)) {
      return this;
    } else if (wantedIdentity != identity || state == EndpointState.NOT_READY || programId == 0) {
      regenerate(devices, target);
    } else {
      if (rewrite || !target.equals(policy)) {
        enforce(target);
      }
      if (!busy) {
        publishIfChanged();
      }
    }
    return this;
  }

  private void publishIfChanged() {
    EndpointSpec.PodRef pod = spec.pod();
    if (pod == null) {
      if (!attached) {
        attached = true;
        agent.tell(new EndpointEvent.Attached(model()));
      }
    } else if (!publishing
        && !timers.isTimerActive(Step.PUBLISH)
        && !CiliumEndpoints.status(model(), pod).equals(published)) {
      publish(pod);
    }
  }

  private Behavior<Command> retryLater(Step step, String what, String error) {
    getContext().getLog().warn("endpoint {} ({}) {}: {}", spec.id(), spec.owner(), what, error);
    timers.startSingleTimer(step, new Retry(step), kernelBackoff.next());
    return this;
  }

  private Behavior<Command> onRetry(Retry retry) {
    timers.cancel(retry.step());
    return next();
  }

  private void become(EndpointState now) {
    if (state != now) {
      state = now;
      agent.tell(new EndpointEvent.Changed(model()));
    }
  }

  private EndpointModel model() {
    Links devices = links;
    return new EndpointModel(
        spec,
        state,
        reason,
        identity,
        labels,
        devices == null ? 0 : devices.ifindex(),
        devices == null ? MacAddress.ZERO : devices.mac(),
        devices == null ? MacAddress.ZERO : devices.nodeMac(),
        programId,
        policy == null ? 0 : policy.revision(),
        policy,
        ports);
  }
}
