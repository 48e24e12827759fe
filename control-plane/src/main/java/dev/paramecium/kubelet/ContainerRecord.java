package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.syscall.ContainerInfo;
import dev.paramecium.syscall.ContainerSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One container of a pod as the kubelet sees it: what it is doing, and what it did before. */
final class ContainerRecord {

  /** What a status has before the id of a run. */
  static final String RUNTIME = "containerd://";

  /** The first delay of CrashLoopBackOff, doubled up to the last; both as in the real kubelet. */
  private static final Duration FIRST_BACKOFF = Duration.ofSeconds(10);

  private static final Duration LAST_BACKOFF = Duration.ofMinutes(5);

  /** How long until it is looked again for what it lacks. */
  private static final Duration LACK_RETRY = Duration.ofSeconds(2);

  /** A container that ran this long is forgiven. */
  private static final Duration FORGIVEN_AFTER = Duration.ofMinutes(10);

  /** Which list of a pod's spec it stands in. */
  enum Role {
    INIT("initContainers", "initContainerStatuses"),
    MAIN("containers", "containerStatuses"),
    /** Added to a pod that runs, to look into it: started once, at any time, never again. */
    EPHEMERAL("ephemeralContainers", "ephemeralContainerStatuses");

    final String list;
    final String statuses;

    Role(String list, String statuses) {
      this.list = list;
      this.statuses = statuses;
    }
  }

  /** {@code state} and {@code lastState} of a container status. */
  sealed interface State {

    record Waiting(String reason, String message) implements State {}

    record Running(Instant startedAt) implements State {}

    /**
     * A run that is over.
     *
     * @param id of that run, as the runtime knew it; empty if it never had one
     */
    record Terminated(int exitCode, String reason, Instant startedAt, Instant finishedAt, String id)
        implements State {}
  }

  JsonNode spec;
  final Role role;
  State state = new State.Waiting("ContainerCreating", "");
  State.@Nullable Terminated last;
  int restartCount;
  String id = "";
  boolean starting;

  /** Whether its startup probe has succeeded since it runs, or it has none. */
  boolean started;

  /** What its readiness probe says. */
  private boolean passes;

  /** When it is killed, since somebody wants it to end. */
  @Nullable Instant killAt;

  /** The image of the run that is going on, or of the next one if there is none. */
  private String image;

  /** Whether its spec is another than that of its last run: it is started again in any case. */
  private boolean changed;

  private final Map<ProbeSpec.Kind, ProbeSpec> probes = new EnumMap<>(ProbeSpec.Kind.class);
  private int crashes;
  private @Nullable Instant retryAt;

  ContainerRecord(JsonNode spec, Role role) {
    this.spec = spec;
    this.role = role;
    this.image = spec.path("image").asText();
    for (ProbeSpec.Kind kind : ProbeSpec.Kind.values()) {
      ProbeSpec probe = ProbeSpec.of(spec, kind);
      if (probe != null) {
        probes.put(kind, probe);
      }
    }
  }

  @Nullable ProbeSpec probe(ProbeSpec.Kind kind) {
    return probes.get(kind);
  }

  /** Notes that it runs, since {@code startedAt}. */
  void running(Instant startedAt) {
    starting = false;
    state = new State.Running(startedAt);
    started = !probes.containsKey(ProbeSpec.Kind.STARTUP);
    passes = !probes.containsKey(ProbeSpec.Kind.READINESS);
    killAt = null;
  }

  /**
   * It runs already, or has ended while nobody looked, which the runtime then says.
   *
   * @param status what the API server has of it: probes that it had passed count on
   */
  void takeOver(ContainerInfo run, JsonNode status, Instant startedAt) {
    running(startedAt);
    id = run.spec().id();
    restartCount = run.spec().attempt();
    started |= status.path("started").asBoolean();
    passes |= status.path("ready").asBoolean();
  }

  /** Notes what the readiness probe says. */
  void passes(boolean ready) {
    passes = ready;
  }

  /** Whether it runs, has started up and says that it is ready. */
  boolean isReady() {
    return isRunning() && started && passes;
  }

  String name() {
    return spec.path("name").asText();
  }

  String image() {
    return image;
  }

  /**
   * Takes another image, the only field of a container that can be changed, for its next run, which
   * waits for nothing.
   *
   * @return whether it is another
   */
  boolean change(JsonNode wanted) {
    if (wanted.path("image").equals(spec.path("image"))) {
      return false;
    }
    spec = wanted;
    changed = true;
    crashes = 0;
    retryAt = null;
    return true;
  }

  boolean isChanged() {
    return changed;
  }

  /** A run begins: it is that of the spec. */
  void starting(String runId) {
    id = runId;
    starting = true;
    changed = false;
    image = spec.path("image").asText();
  }

  /**
   * What the runtime is asked to run, in a pod's network namespace.
   *
   * @param inputs its environment, and what is mounted into it
   * @param pidsOf the run whose processes it sees, empty for its own only
   * @param podPids whether it sees those of the whole pod
   */
  ContainerSpec runIn(
      String netns, PodRef pod, ContainerInputs.Inputs inputs, String pidsOf, boolean podPids) {
    List<String> command = new ArrayList<>();
    Map<String, String> env = inputs.env();
    spec.path("command").forEach(word -> command.add(Environment.expand(word.asText(), env)));
    List<String> args = new ArrayList<>();
    spec.path("args").forEach(word -> args.add(Environment.expand(word.asText(), env)));
    List<ContainerSpec.Port> ports = new ArrayList<>();
    for (JsonNode port : spec.path("ports")) {
      ports.add(
          new ContainerSpec.Port(
              port.path("name").asText(),
              port.path("containerPort").asInt(),
              port.path("protocol").asText("TCP")));
    }
    return new ContainerSpec(
        id,
        netns,
        pod.namespace() + "/" + pod.name(),
        pod.uid(),
        name(),
        restartCount,
        image(),
        command,
        args,
        env,
        ports,
        inputs.files(),
        inputs.mounts(),
        stdin(),
        spec.path("tty").asBoolean(),
        pidsOf,
        podPids);
  }

  private ContainerSpec.Stdin stdin() {
    if (!spec.path("stdin").asBoolean()) {
      return ContainerSpec.Stdin.CLOSED;
    }
    return spec.path("stdinOnce").asBoolean() ? ContainerSpec.Stdin.ONCE : ContainerSpec.Stdin.OPEN;
  }

  /** The id of the run that is going on, or else of the one before; empty if none ever was. */
  String shownId() {
    return !id.isEmpty()
        ? id
        : state instanceof State.Terminated now ? now.id() : last == null ? "" : last.id();
  }

  boolean isRunning() {
    return state instanceof State.Running;
  }

  boolean hasSucceeded() {
    return state instanceof State.Terminated terminated && terminated.exitCode() == 0;
  }

  /** Notes the end of a run. */
  void exited(int exitCode, String reason, Instant now) {
    Instant startedAt = state instanceof State.Running running ? running.startedAt() : now;
    if (Duration.between(startedAt, now).compareTo(FORGIVEN_AFTER) > 0) {
      crashes = 0;
    }
    String why = reason.isEmpty() ? (exitCode == 0 ? "Completed" : "Error") : reason;
    State.Terminated end = new State.Terminated(exitCode, why, startedAt, now, id);
    state = end;
    starting = false;
    started = false;
    killAt = null;
    id = "";
    // The first restart is at once, the next ones wait longer and longer.
    retryAt = crashes == 0 ? now : now.plus(delay(crashes));
    crashes++;
  }

  /** A start that did not succeed. */
  void failedToStart(String message, Instant now) {
    starting = false;
    id = "";
    state = new State.Waiting("CreateContainerError", message);
    crashes++;
    retryAt = now.plus(delay(crashes));
  }

  /** Something that it needs is not there: it waits, and nothing is held against it. */
  void lacks(String reason, String message, Instant now) {
    starting = false;
    id = "";
    state = new State.Waiting(reason, message);
    retryAt = now.plus(LACK_RETRY);
  }

  private static Duration delay(int crashes) {
    Duration delay = FIRST_BACKOFF.multipliedBy(1L << Math.min(crashes - 1, 20));
    return delay.compareTo(LAST_BACKOFF) < 0 ? delay : LAST_BACKOFF;
  }

  /** How long the next start has to wait; zero if it may happen now. */
  Duration waitUntilStart(Instant now) {
    Instant at = retryAt;
    return at == null || !at.isAfter(now) ? Duration.ZERO : Duration.between(now, at);
  }

  /** The delay that {@code kubectl} shows: {@code back-off 40s restarting failed container}. */
  Duration backoff() {
    return delay(Math.max(1, crashes - 1));
  }

  /** The terminated run becomes the last one, and the container waits for its next. */
  void prepareRestart() {
    if (state instanceof State.Terminated terminated) {
      last = terminated;
      restartCount++;
      state = new State.Waiting("ContainerCreating", "");
    }
  }

  void crashLoop(String pod, String uid) {
    if (state instanceof State.Terminated terminated) {
      last = terminated;
      restartCount++;
    }
    state =
        new State.Waiting(
            "CrashLoopBackOff",
            "back-off "
                + format(backoff())
                + " restarting failed container="
                + name()
                + " pod="
                + pod
                + "("
                + uid
                + ")");
  }

  /** As Go prints a duration: {@code 10s}, {@code 1m20s}, {@code 5m0s}. */
  private static String format(Duration duration) {
    return duration.toMinutes() == 0
        ? duration.toSeconds() + "s"
        : duration.toMinutes() + "m" + duration.toSecondsPart() + "s";
  }
}
