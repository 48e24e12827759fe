package dev.paramecium.operator;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.log.LogBook;
import dev.paramecium.log.LogWriter;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Gives each CiliumNode a pod CIDR, once, and repeats it on the Node ({@code
 * pkg/ipam/allocator/podcidr}). What is taken is what the CiliumNodes say; a CIDR that was written,
 * or whose write has an unknown outcome, is never offered to another node while the first exists.
 */
final class NodeIpam extends AbstractBehavior<NodeIpam.Command> {

  private static final Duration RETRY = Duration.ofSeconds(1);

  /** What it hears. */
  sealed interface Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Written(String what, String node, @Nullable KubeObject stored, String error)
      implements Command {}

  private record Retry() implements Command {}

  private final ApiClient api;
  private final OperatorConfig config;
  private final LogWriter log;
  private final TimerScheduler<Command> timers;
  private final PodCidrPool pool;
  private final Map<String, KubeObject> ciliumNodes = new HashMap<>();
  private final Map<String, KubeObject> nodes = new HashMap<>();
  private final Map<String, Ipv4Prefix> given = new HashMap<>();
  private final Set<String> writing = new HashSet<>();
  private final Set<String> refused = new HashSet<>();
  private final Set<ResourceType> synced = new HashSet<>();

  static Behavior<Command> create(
      ApiClient api, OperatorConfig config, ActorRef<LogBook.Command> log) {
    return Behaviors.withTimers(
        timers -> Behaviors.setup(context -> new NodeIpam(context, timers, api, config, log)));
  }

  private NodeIpam(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ApiClient api,
      OperatorConfig config,
      ActorRef<LogBook.Command> log) {
    super(context);
    this.api = api;
    this.log = new LogWriter(log, "ipam-allocator-clusterpool");
    this.config = config;
    this.timers = timers;
    this.pool = new PodCidrPool(config.clusterCidr(), config.nodeMaskSize());
    var subscriber = context.messageAdapter(InformerEvent.class, FromApi::new);
    api.inform(ResourceType.CILIUM_NODE, "", "", "", subscriber);
    api.inform(ResourceType.NODE, "", "", "", subscriber);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case Written written -> onWritten(written);
      case Retry _ -> assignAll();
    }
    return this;
  }

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced(ResourceType type) -> {
        synced.add(type);
        assignAll();
      }
      case InformerEvent.Upserted(KubeObject _, KubeObject current) -> {
        if (current.kind().equals(ResourceType.NODE.kind())) {
          nodes.put(current.name(), current);
        } else {
          ciliumNodes.put(current.name(), current);
          occupy(current);
        }
        assign(current.name());
      }
      case InformerEvent.Removed(KubeObject last) -> onRemoved(last);
    }
  }

  private void onRemoved(KubeObject last) {
    if (last.kind().equals(ResourceType.NODE.kind())) {
      nodes.remove(last.name());
      // As the Node's owner reference would have it: who is no node of the cluster has no CIDR.
      if (ciliumNodes.containsKey(last.name())) {
        write(
            "deletion of CiliumNode",
            last.name(),
            api.delete(ResourceType.CILIUM_NODE, "", last.name(), 0));
      }
    } else {
      ciliumNodes.remove(last.name());
      given.remove(last.name());
      pool.release(last.name());
      log.info("Released pod CIDR of removed CiliumNode", "node", last.name());
      assignAll();
    }
  }

  /** Learns from a CiliumNode what is taken. */
  private void occupy(KubeObject ciliumNode) {
    Ipv4Prefix podCidr = podCidr(ciliumNode);
    if (podCidr == null) {
      return;
    }
    if (pool.occupy(ciliumNode.name(), podCidr)) {
      given.put(ciliumNode.name(), podCidr);
    } else {
      getContext()
          .getLog()
          .error(
              "CiliumNode {} claims pod CIDR {}, which another node has: delete the CiliumNode that"
                  + " is wrong",
              ciliumNode.name(),
              podCidr);
    }
  }

  private static @Nullable Ipv4Prefix podCidr(KubeObject ciliumNode) {
    String text = ciliumNode.text("/spec/ipam/podCIDRs/0");
    try {
      return text.isEmpty() ? null : Ipv4Prefix.parse(text);
    } catch (IllegalArgumentException notOurs) {
      return null;
    }
  }

  private void assignAll() {
    // In the order of joining: the first node gets the lowest CIDR, whatever its name.
    ciliumNodes.values().stream()
        .sorted(
            Comparator.comparing((KubeObject n) -> n.text("/metadata/creationTimestamp"))
                .thenComparingLong(KubeObject::resourceVersion))
        .map(KubeObject::name)
        .toList()
        .forEach(this::assign);
  }

  private void assign(String name) {
    KubeObject ciliumNode = ciliumNodes.get(name);
    if (ciliumNode == null
        || writing.contains(name)
        || !synced.contains(ResourceType.CILIUM_NODE)) {
      return;
    }
    if (ciliumNode.at("/spec/ipam/podCIDRs/0").isMissingNode()) {
      Ipv4Prefix podCidr = given.get(name);
      if (podCidr == null) {
        Optional<Ipv4Prefix> free = pool.allocate(name);
        if (free.isEmpty()) {
          refuse(name);
          return;
        }
        podCidr = free.get();
        refused.remove(name);
        given.put(name, podCidr);
        log.info("Allocated pod CIDR", "node", name, "podCIDR", podCidr.toString());
      }
      write("pod CIDR of CiliumNode", name, writeCiliumNode(ciliumNode, podCidr));
      return;
    }
    KubeObject node = nodes.get(name);
    Ipv4Prefix podCidr = given.get(name);
    if (node != null && podCidr != null && node.text("/spec/podCIDR").isEmpty()) {
      write("pod CIDR of Node", name, writeNode(name, podCidr));
    }
  }

  private CompletionStage<ApiReply> writeCiliumNode(KubeObject seen, Ipv4Prefix podCidr) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    // Conditional on what was seen: a second operator that was faster is not overwritten.
    patch.putObject("metadata").put("resourceVersion", Long.toString(seen.resourceVersion()));
    patch.putObject("spec").putObject("ipam").putArray("podCIDRs").add(podCidr.toString());
    return api.mergePatch(ResourceType.CILIUM_NODE, "", seen.name(), "", patch.toString());
  }

  private CompletionStage<ApiReply> writeNode(String name, Ipv4Prefix podCidr) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    ObjectNode spec = patch.putObject("spec");
    spec.put("podCIDR", podCidr.toString());
    spec.putArray("podCIDRs").add(podCidr.toString());
    return api.mergePatch(ResourceType.NODE, "", name, "", patch.toString());
  }

  private void refuse(String name) {
    if (refused.add(name)) {
      String error =
          "no pod CIDR is left for node "
              + name
              + ": "
              + config.clusterCidr()
              + " has "
              + pool
              + "; use a larger cluster CIDR or a longer node mask";
      getContext().getLog().error(error);
      log.error(error);
      ObjectNode patch = JsonNodeFactory.instance.objectNode();
      patch.putObject("status").putObject("ipam").putObject("operator-status").put("error", error);
      write(
          "status of CiliumNode",
          name,
          api.mergePatch(ResourceType.CILIUM_NODE, "", name, "status", patch.toString()));
    }
  }

  private void write(String what, String node, CompletionStage<ApiReply> call) {
    writing.add(node);
    getContext()
        .pipeToSelf(
            call,
            (reply, failure) ->
                new Written(
                    what,
                    node,
                    reply instanceof ApiReply.Stored(KubeObject stored, boolean _) ? stored : null,
                    failure != null
                        ? String.valueOf(failure.getMessage())
                        : reply instanceof ApiReply.Failed failed && failed.code() != 404
                            ? failed.message()
                            : ""));
  }

  private void onWritten(Written written) {
    writing.remove(written.node());
    if (!written.error().isEmpty()) {
      getContext()
          .getLog()
          .info("{} {} is not written yet: {}", written.what(), written.node(), written.error());
      timers.startSingleTimer(new Retry(), RETRY);
      return;
    }
    KubeObject stored = written.stored();
    if (stored != null) {
      // Our own write, before the watch tells it: the next step must not repeat it.
      Map<String, KubeObject> known =
          stored.kind().equals(ResourceType.NODE.kind()) ? nodes : ciliumNodes;
      known.computeIfPresent(
          stored.name(),
          (_, seen) -> seen.resourceVersion() < stored.resourceVersion() ? stored : seen);
    }
    assign(written.node());
  }
}
