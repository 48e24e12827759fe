package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.kubelet.ContainerInputs.Missing;
import dev.paramecium.kubelet.ContainerInputs.Source;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Brings the files of a container's {@code configMap}, {@code secret}, {@code downwardAPI} and
 * {@code projected} volumes up to date while it runs. What is mounted by {@code subPath} stays as
 * it was at the start, and so does a volume whose source went away ({@code pkg/volume}).
 *
 * <pre>
 *   API server --ConfigMaps, Secrets--&gt; VolumeSync --files that differ--&gt; kernel
 *   worker -----pod as it is now-------^
 * </pre>
 */
final class VolumeSync extends AbstractBehavior<VolumeSync.Command> {

  /** What it can be told. */
  sealed interface Command {}

  /** The pod as the API server has it now. */
  record PodChanged(KubeObject pod) implements Command {}

  private record Heard(InformerEvent event) implements Command {}

  private record Written(Map<String, byte[]> files, String error) implements Command {}

  private enum Tick implements Command {
    RETRY
  }

  private final String containerId;
  private final JsonNode container;
  private final Function<KubeObject, PodFields> fields;
  private final KernelCalls kernel;
  private final TimerScheduler<Command> timers;
  private final Map<Source, Optional<KubeObject>> found = new HashMap<>();
  private final Backoff backoff = Backoff.forApi();
  private KubeObject pod;
  private int unheard;
  private boolean writing;

  /** What the container has of its volumes, as far as it was written by this. */
  private Map<String, byte[]> written = Map.of();

  /** Whether a container mounts anything that can change under it. */
  static boolean isWanted(KubeObject pod, JsonNode container) {
    for (JsonNode mount : followed(container).path("volumeMounts")) {
      JsonNode volume = VolumeFiles.volume(pod, mount.path("name").asText());
      if (volume.has("configMap")
          || volume.has("secret")
          || volume.has("downwardAPI")
          || volume.has("projected")) {
        return true;
      }
    }
    return false;
  }

  /** The container without what it mounts by a subPath. */
  private static JsonNode followed(JsonNode container) {
    ObjectNode copy = container.deepCopy();
    ArrayNode mounts = copy.putArray("volumeMounts");
    for (JsonNode mount : container.path("volumeMounts")) {
      if (!mount.has("subPath") && !mount.has("subPathExpr")) {
        mounts.add(mount);
      }
    }
    return copy;
  }

  /**
   * Follows what a run of a container mounts; stop it when that has ended.
   *
   * @param fields what the downward API shows of a pod
   */
  static Behavior<Command> create(
      KubeObject pod,
      ContainerRecord container,
      Function<KubeObject, PodFields> fields,
      KernelCalls kernel,
      ApiClient api) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> new VolumeSync(context, timers, pod, container, fields, kernel, api)));
  }

  private VolumeSync(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      KubeObject pod,
      ContainerRecord container,
      Function<KubeObject, PodFields> fields,
      KernelCalls kernel,
      ApiClient api) {
    super(context);
    this.timers = timers;
    this.pod = pod;
    this.containerId = container.id;
    this.container = followed(container.spec);
    this.fields = fields;
    this.kernel = kernel;
    ActorRef<InformerEvent> heard = context.messageAdapter(InformerEvent.class, Heard::new);
    for (Source source : new HashSet<>(ContainerInputs.ofVolumes(pod, this.container))) {
      found.put(source, Optional.empty());
      api.inform(source.type(), pod.namespace(), "", "metadata.name=" + source.name(), heard);
    }
    this.unheard = found.size();
    sync();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case PodChanged(KubeObject now) -> pod = now;
      case Heard(InformerEvent.Upserted told) -> remember(told.current(), true);
      case Heard(InformerEvent.Removed(KubeObject last)) -> remember(last, false);
      case Heard(InformerEvent.Synced _) -> unheard--;
      case Written done -> onWritten(done);
      case Tick.RETRY -> {}
    }
    sync();
    return this;
  }

  private void remember(KubeObject object, boolean there) {
    found.replaceAll(
        (source, old) ->
            source.type().kind().equals(object.kind()) && source.name().equals(object.name())
                ? Optional.of(object).filter(_ -> there)
                : old);
  }

  private void sync() {
    if (unheard > 0 || writing || timers.isTimerActive(Tick.RETRY)) {
      return;
    }
    Map<String, byte[]> files;
    try {
      files = new VolumeFiles(pod, fields.apply(pod), found).of(container);
    } catch (Missing e) {
      return;
    }
    Map<String, byte[]> changed = new HashMap<>(files);
    written.forEach(
        (path, bytes) ->
            changed.computeIfPresent(path, (_, now) -> Arrays.equals(now, bytes) ? null : now));
    Set<String> gone = new HashSet<>(written.keySet());
    gone.removeAll(files.keySet());
    if (changed.isEmpty() && gone.isEmpty()) {
      return;
    }
    writing = true;
    getContext()
        .pipeToSelf(
            kernel.writeFiles(containerId, changed, gone),
            (_, failure) ->
                new Written(files, failure == null ? "" : KernelCalls.message(failure)));
  }

  private void onWritten(Written done) {
    writing = false;
    if (done.error().isEmpty()) {
      written = done.files();
      backoff.reset();
    } else {
      getContext().getLog().info("volumes of {} are not up to date: {}", pod.name(), done.error());
      timers.startSingleTimer(Tick.RETRY, backoff.next());
    }
  }
}
