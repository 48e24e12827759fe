package dev.paramecium.container;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Backlog;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.container.stack.NetworkStack;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.Result;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * The actor that runs one network namespace: its stack, the processes of its containers, exec
 * sessions and container logs. All of them run on this actor, one message at a time, and none
 * blocks.
 */
public final class NetworkNamespace {

  /** The most frames in one batch. */
  public static final int BATCH = 64;

  /** What the namespace can be asked. */
  public sealed interface Command {}

  /**
   * Frames arrived at the interface {@code ifindex}; they are given, array included.
   *
   * @param backlog gets {@code done(frames.length)} when the stack has taken them
   */
  public record Receive(int ifindex, SkBuff[] frames, Backlog backlog) implements Command {}

  /**
   * A device was moved into the namespace, up and without an address.
   *
   * @param noArp IFF_NOARP, as {@code cilium_host} and {@code cilium_net} have it
   */
  public record AttachInterface(LinkInfo link, boolean noArp, FrameSink sink) implements Command {}

  /**
   * Changes the stack's addresses, routes and settings on the namespace's actor, as netlink and
   * sysctl do. {@code change} must not keep the stack.
   */
  public record Configure(Consumer<NetworkStack> change) implements Command {}

  /** The device is gone, and with it its addresses, routes and neighbours. */
  public record DetachInterface(int ifindex) implements Command {}

  /**
   * {@code ADDRESS/32} on {@code ifname}, a link-scope route to {@code gateway} and a default route
   * through it, as the Cilium CNI plugin does. ENODEV if there is no such interface.
   */
  public record ConfigureInterface(
      String ifname,
      Ipv4Address address,
      Ipv4Address gateway,
      int mtu,
      ActorRef<Result<Done>> replyTo)
      implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.StartContainer}. */
  public record StartContainer(
      ContainerSpec spec, ActorRef<ContainerEvent> events, ActorRef<Result<Done>> replyTo)
      implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.StopContainer}. */
  public record StopContainer(String containerId, long graceMs, ActorRef<Result<Done>> replyTo)
      implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.RemoveContainer}. */
  public record RemoveContainer(String containerId, ActorRef<Result<Done>> replyTo)
      implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.Exec}. */
  public record Exec(ExecRequest request, ActorRef<ExecOutput> client) implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.ReadLog}. */
  public record ReadLog(LogRequest request, ActorRef<ExecOutput> client) implements Command {}

  /** Counters by name, this namespace's own. */
  public record ReadCounters(ActorRef<Map<String, Long>> replyTo) implements Command {}

  /** {@code ip netns del}: processes are killed, frames released; then the actor stops. */
  public record Stop(@Nullable ActorRef<Done> replyTo) implements Command {}

  private record Input(int session, ExecInput input) implements Command {}

  private NetworkNamespace() {}

  /** A namespace with nothing but {@code lo}. */
  public static Behavior<Command> create(NamespaceConfig config) {
    return Behaviors.receive(Command.class).onMessage(Stop.class, _ -> Behaviors.stopped()).build();
  }
}
