package dev.paramecium.operator;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.identity.CiliumIdentities;
import dev.paramecium.identity.SecurityLabels;
import dev.paramecium.log.LogBook;
import dev.paramecium.log.LogWriter;
import dev.paramecium.operator.IdentityAllocation.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that each label set that a pod has has a CiliumIdentity, and that one that no pod has
 * had for a while goes. How, safely, is {@link IdentityAllocation}'s; this is when.
 */
final class IdentityAllocator extends AbstractBehavior<IdentityAllocator.Command> {

  private static final Duration RETRY = Duration.ofMillis(500);
  private static final List<ResourceType> WATCHED =
      List.of(
          ResourceType.NAMESPACE,
          ResourceType.POD,
          ResourceType.CILIUM_IDENTITY,
          ResourceType.CILIUM_ENDPOINT);

  /** What it hears. */
  sealed interface Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Ended(String key, @Nullable Outcome outcome, String error) implements Command {}

  private record Released(String name) implements Command {}

  private record Retry(String key) implements Command {}

  private record Collect() implements Command {}

  private final IdentityAllocation allocation;
  private final OperatorConfig config;
  private final LogWriter log;
  private final InstantSource clock;
  private final TimerScheduler<Command> timers;
  private final Set<ResourceType> synced = new HashSet<>();
  private final Map<String, KubeObject> namespaces = new HashMap<>();
  private final Map<String, KubeObject> pods = new HashMap<>();
  private final Map<String, String> keyOfPod = new HashMap<>();
  private final Map<String, Set<String>> podsOfKey = new HashMap<>();
  private final Map<String, SecurityLabels> labelsOfKey = new HashMap<>();
  private final Map<String, KubeObject> identities = new HashMap<>();
  private final Map<String, Set<String>> namesOfKey = new HashMap<>();
  private final Map<String, String> identityOfEndpoint = new HashMap<>();
  private final Map<String, Instant> unusedSince = new HashMap<>();
  private final Set<String> allocating = new HashSet<>();
  private final Set<String> releasing = new HashSet<>();

  static Behavior<Command> create(
      ApiClient api, OperatorConfig config, InstantSource clock, ActorRef<LogBook.Command> log) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> new IdentityAllocator(context, timers, api, config, clock, log)));
  }

  private IdentityAllocator(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ApiClient api,
      OperatorConfig config,
      InstantSource clock,
      ActorRef<LogBook.Command> log) {
    super(context);
    this.log = new LogWriter(log, "cilium-operator-generic");
    this.allocation = new IdentityAllocation(api);
    this.config = config;
    this.clock = clock;
    this.timers = timers;
    ActorRef<InformerEvent> subscriber = context.messageAdapter(InformerEvent.class, FromApi::new);
    for (ResourceType type : WATCHED) {
      api.inform(type, "", "", "", subscriber);
    }
    Duration interval = config.identityGrace().dividedBy(4);
    timers.startTimerWithFixedDelay(
        new Collect(), interval.compareTo(RETRY) < 0 ? RETRY : interval);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case Ended ended -> onEnded(ended);
      case Released released -> releasing.remove(released.name());
      case Retry retry -> ensure(retry.key());
      case Collect _ -> collect();
    }
    return this;
  }

  // ---- who needs what

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced(ResourceType type) -> {
        synced.add(type);
        Set.copyOf(podsOfKey.keySet()).forEach(this::ensure);
      }
      case InformerEvent.Upserted(KubeObject _, KubeObject current) -> {
        switch (current.kind()) {
          case "Namespace" -> onNamespace(current);
          case "Pod" -> onPod(current);
          case "CiliumIdentity" -> onIdentity(current);
          case "CiliumEndpoint" ->
              identityOfEndpoint.put(key(current), current.text("/status/identity/id"));
          default -> getContext().getLog().debug("nobody watches {}", current.kind());
        }
      }
      case InformerEvent.Removed(KubeObject last) -> {
        switch (last.kind()) {
          case "Namespace" -> namespaces.remove(last.name());
          case "Pod" -> {
            pods.remove(key(last));
            leave(key(last));
          }
          case "CiliumIdentity" -> onIdentityRemoved(last);
          case "CiliumEndpoint" -> identityOfEndpoint.remove(key(last));
          default -> getContext().getLog().debug("nobody watches {}", last.kind());
        }
      }
    }
  }

  private static String key(KubeObject object) {
    return object.namespace() + "/" + object.name();
  }

  private void onNamespace(KubeObject namespace) {
    KubeObject before = namespaces.put(namespace.name(), namespace);
    if (before == null || !before.labels().equals(namespace.labels())) {
      pods.values().stream()
          .filter(pod -> pod.namespace().equals(namespace.name()))
          .toList()
          .forEach(this::onPod);
    }
  }

  private void onPod(KubeObject pod) {
    pods.put(key(pod), pod);
    KubeObject namespace = namespaces.get(pod.namespace());
    String phase = pod.text("/status/phase");
    boolean over = phase.equals("Succeeded") || phase.equals("Failed");
    if (namespace == null || over || pod.at("/spec/hostNetwork").asBoolean()) {
      leave(key(pod));
      return;
    }
    SecurityLabels labels = SecurityLabels.of(pod, namespace.labels(), config.clusterName());
    String key = labels.key();
    if (!key.equals(keyOfPod.get(key(pod)))) {
      leave(key(pod));
      keyOfPod.put(key(pod), key);
      podsOfKey.computeIfAbsent(key, _ -> new HashSet<>()).add(key(pod));
      labelsOfKey.put(key, labels);
      ensure(key);
    }
  }

  private void leave(String pod) {
    String key = keyOfPod.remove(pod);
    Set<String> left = key == null ? null : podsOfKey.get(key);
    if (left != null) {
      left.remove(pod);
      if (left.isEmpty()) {
        podsOfKey.remove(key);
        labelsOfKey.remove(key);
      }
    }
  }

  private void onIdentity(KubeObject identity) {
    identities.put(identity.name(), identity);
    namesOfKey
        .computeIfAbsent(CiliumIdentities.labels(identity).key(), _ -> new HashSet<>())
        .add(identity.name());
    if (CiliumIdentities.isReleasing(identity)) {
      release(identity); // whoever decided it may have stopped before the end
    }
  }

  private void onIdentityRemoved(KubeObject identity) {
    identities.remove(identity.name());
    if (unusedSince.remove(identity.name()) != null) {
      log.info("Garbage collected identity", "identity", identity.name());
    }
    String key = CiliumIdentities.labels(identity).key();
    Set<String> names = namesOfKey.get(key);
    if (names != null) {
      names.remove(identity.name());
      if (names.isEmpty()) {
        namesOfKey.remove(key);
      }
    }
    ensure(key);
  }

  // ---- allocation

  private void ensure(String key) {
    SecurityLabels labels = labelsOfKey.get(key);
    if (labels == null || allocating.contains(key) || !synced.containsAll(WATCHED) || has(key)) {
      return;
    }
    allocating.add(key);
    getContext()
        .pipeToSelf(
            allocation.allocate(labels),
            (outcome, failure) ->
                failure == null
                    ? new Ended(key, outcome, "")
                    : new Ended(key, null, String.valueOf(failure.getMessage())));
  }

  private boolean has(String key) {
    for (String name : namesOfKey.getOrDefault(key, Set.of())) {
      KubeObject identity = identities.get(name);
      if (identity != null && !CiliumIdentities.isReleasing(identity)) {
        return true;
      }
    }
    return false;
  }

  private void onEnded(Ended ended) {
    allocating.remove(ended.key());
    Outcome outcome = ended.outcome();
    switch (outcome) {
      case Outcome.Allocated(KubeObject identity) -> {
        KubeObject seen = identities.get(identity.name());
        if (seen == null || seen.resourceVersion() < identity.resourceVersion()) {
          onIdentity(identity);
        }
        log.info("Allocated identity", "identity", identity.name(), "labels", ended.key());
      }
      case Outcome.Later(String why) -> retry(ended.key(), why);
      case Outcome.Exhausted _ ->
          getContext()
              .getLog()
              .error(
                  "no identity number is left for {}: 256 to 65535 are all taken; use fewer"
                      + " different label sets",
                  ended.key());
      case null -> retry(ended.key(), ended.error());
    }
  }

  private void retry(String key, String why) {
    getContext().getLog().info("identity of {} is not allocated yet: {}", key, why);
    timers.startSingleTimer(key, new Retry(key), RETRY);
  }

  // ---- release

  private void collect() {
    if (!synced.containsAll(WATCHED)) {
      return;
    }
    Instant now = clock.instant();
    Set<String> used = new HashSet<>(identityOfEndpoint.values());
    for (KubeObject identity : List.copyOf(identities.values())) {
      boolean inUse =
          used.contains(identity.name())
              || podsOfKey.containsKey(CiliumIdentities.labels(identity).key())
              || CiliumIdentities.number(identity) < 0;
      if (inUse) {
        unusedSince.remove(identity.name());
        continue;
      }
      Instant since = unusedSince.computeIfAbsent(identity.name(), _ -> now);
      if (!now.isBefore(since.plus(config.identityGrace()))) {
        release(identity);
      }
    }
  }

  private void release(KubeObject identity) {
    if (CiliumIdentities.isPassed(identity) || !releasing.add(identity.name())) {
      return;
    }
    getContext().pipeToSelf(allocation.release(identity), (_, _) -> new Released(identity.name()));
  }
}
