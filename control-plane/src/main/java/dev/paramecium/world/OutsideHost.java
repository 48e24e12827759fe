package dev.paramecium.world;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.Syscall;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;

/**
 * One host outside the cluster: makes it by syscalls of the gateway's kernel, keeps its programs
 * running, and runs what people ask for on it ({@link KubeletRequest.HostExec}), as soon as it is
 * up.
 *
 * <pre>
 *   gateway's kernel: netns NAME, veth worldN -- eth0, ADDRESS/32, a default route to the gateway
 *   containers:       NAME (a shell to run commands in), NAME-80/tcp (httpbin), NAME-7/udp (echo)
 * </pre>
 */
public final class OutsideHost extends AbstractBehavior<Object> {

  /** The network between gateway and host. */
  private static final int MTU = 1500;

  private sealed interface Internal {}

  private record Made(String error) implements Internal {}

  private record Begun(String containerId, String error) implements Internal {}

  private record Make() implements Internal {}

  private record Begin(String containerId) implements Internal {}

  private record FromContainer(ContainerEvent event) implements Internal {}

  private final HostSpec host;
  private final int number;
  private final Ipv4Address gateway;
  private final KernelCalls kernel;
  private final TimerScheduler<Object> timers;
  private final ActorRef<ContainerEvent> events;
  private final Backoff making = Backoff.forApi();
  private final Map<String, ContainerSpec> containers = new HashMap<>();
  private final Map<String, Backoff> backoffs = new HashMap<>();
  private final Set<String> pending = new HashSet<>();

  /**
   * A host.
   *
   * @param number one that no other host of the kernel has
   * @param gateway the kernel's own address
   */
  public static Behavior<KubeletRequest> create(
      HostSpec host, int number, Ipv4Address gateway, ActorRef<Syscall> kernel) {
    return Behaviors.<Object>withTimers(
            timers ->
                Behaviors.setup(
                    context -> new OutsideHost(context, timers, host, number, gateway, kernel)))
        .narrow();
  }

  private OutsideHost(
      ActorContext<Object> context,
      TimerScheduler<Object> timers,
      HostSpec host,
      int number,
      Ipv4Address gateway,
      ActorRef<Syscall> kernel) {
    super(context);
    this.host = host;
    this.number = number;
    this.gateway = gateway;
    this.timers = timers;
    this.kernel = new KernelCalls(kernel, context.getSystem().scheduler());
    this.events = context.messageAdapter(ContainerEvent.class, FromContainer::new);
    for (ContainerSpec spec : specs()) {
      containers.put(spec.id(), spec);
      pending.add(spec.id());
    }
    make();
  }

  private List<ContainerSpec> specs() {
    List<ContainerSpec> specs = new ArrayList<>();
    specs.add(container(host.name(), "nicolaka/netshoot", List.of("sleep", "infinity"), List.of()));
    for (HostSpec.Listener listener : host.listeners()) {
      String id = host.name() + "-" + listener.where();
      specs.add(
          switch (listener.program()) {
            case HTTPBIN ->
                container(
                    id,
                    "kennethreitz/httpbin",
                    List.of(),
                    List.of("gunicorn", "-b", "0.0.0.0:" + listener.port(), "httpbin:app"));
            case ECHO -> container(id, "paramecium/echo", List.of(), List.of(listener.where()));
          });
    }
    return specs;
  }

  private ContainerSpec container(
      String id, String image, List<String> command, List<String> arguments) {
    return new ContainerSpec(
        id,
        host.name(),
        host.name(),
        "",
        id,
        0,
        image,
        command,
        arguments,
        Map.of(),
        List.of(),
        WorldNames.resolvConf(gateway),
        List.of(),
        ContainerSpec.Stdin.CLOSED,
        false,
        "",
        false);
  }

  @Override
  public Receive<Object> createReceive() {
    return newReceiveBuilder()
        .onMessage(KubeletRequest.class, this::answer)
        .onMessage(Internal.class, this::handle)
        .build();
  }

  private Behavior<Object> answer(KubeletRequest request) {
    if (request instanceof KubeletRequest.HostExec(var exec, var client)) {
      kernel.kernel().tell(new Syscall.Exec(exec.on(host.name()), client));
    } else {
      getContext().getLog().warn("{} is no node: it only runs commands", host.name());
    }
    return this;
  }

  private Behavior<Object> handle(Internal internal) {
    switch (internal) {
      case Make _ -> make();
      case Made(String error) -> {
        if (error.isEmpty()) {
          containers.keySet().forEach(this::begin);
        } else {
          getContext().getLog().warn("cannot make host {}: {}", host.name(), error);
          timers.startSingleTimer(new Make(), making.next());
        }
      }
      case Begin(String id) -> begin(id);
      case Begun(String id, String error) -> {
        if (!error.isEmpty()) {
          getContext().getLog().warn("cannot start {}: {}", id, error);
          again(id);
        } else if (pending.remove(id) && pending.isEmpty()) {
          getContext()
              .getSystem()
              .receptionist()
              .tell(
                  Receptionist.register(
                      KubeletRequest.worldKey(host.name()),
                      getContext().getSelf().<KubeletRequest>narrow()));
        }
      }
      case FromContainer(ContainerEvent.Started started) -> backoff(started.containerId()).reset();
      case FromContainer(ContainerEvent.Exited exited) -> again(exited.containerId());
    }
    return this;
  }

  /** From nothing, whatever an earlier attempt has left. */
  private void make() {
    String device = "world" + number;
    CompletionStage<Done> made =
        kernel
            .deleteNetns(host.name())
            .thenCompose(_ -> kernel.createNetns(host.name()))
            .thenCompose(_ -> kernel.createVeth(device, host.name(), "eth0", MTU))
            .thenCompose(
                _ ->
                    kernel.configurePodInterface(host.name(), "eth0", host.address(), gateway, MTU))
            .thenCompose(
                _ ->
                    kernel.replaceRoute(
                        new Ipv4Prefix(host.address(), 32), Ipv4Address.ANY, device));
    getContext()
        .pipeToSelf(
            made, (_, failure) -> new Made(failure == null ? "" : KernelCalls.message(failure)));
  }

  private void begin(String id) {
    ContainerSpec spec = containers.get(id);
    if (spec == null) {
      throw new IllegalArgumentException(host.name() + " has no container " + id);
    }
    CompletionStage<Done> begun =
        kernel
            .startContainer(spec, events)
            .exceptionallyCompose(
                failure ->
                    KernelCalls.errno(failure) == Errno.EEXIST
                        ? kernel
                            .removeContainer(id)
                            .thenCompose(_ -> kernel.startContainer(spec, events))
                        : CompletableFuture.failedFuture(failure));
    getContext()
        .pipeToSelf(
            begun,
            (_, failure) -> new Begun(id, failure == null ? "" : KernelCalls.message(failure)));
  }

  private void again(String id) {
    timers.startSingleTimer(id, new Begin(id), backoff(id).next());
  }

  private Backoff backoff(String id) {
    return backoffs.computeIfAbsent(id, _ -> Backoff.forApi());
  }
}
