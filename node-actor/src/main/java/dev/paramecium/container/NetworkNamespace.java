package dev.paramecium.container;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.bpf.Backlog;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.container.probe.Echo;
import dev.paramecium.container.probe.HttpGet;
import dev.paramecium.container.probe.TcpDial;
import dev.paramecium.container.process.CpuTime;
import dev.paramecium.container.process.ExecPort;
import dev.paramecium.container.process.NamespaceServices;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.proxy.DnsAnswers;
import dev.paramecium.container.proxy.L7Proxy;
import dev.paramecium.container.proxy.ProxyHost;
import dev.paramecium.container.proxy.ProxyServices;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.stack.NetworkStack;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerInfo;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.ExecResult;
import dev.paramecium.syscall.HttpReply;
import dev.paramecium.syscall.HttpRequest;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.ProxyConfig;
import dev.paramecium.syscall.Result;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
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
   * @param statistics what the device has counted; from any thread
   * @param noArp IFF_NOARP, as {@code cilium_host} and {@code cilium_net} have it
   */
  public record AttachInterface(
      LinkInfo link, boolean noArp, FrameSink sink, Supplier<NamespaceView.Statistics> statistics)
      implements Command {}

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
   *
   * @param mtu of the default route; 0 for the device's
   */
  public record ConfigureInterface(
      String ifname,
      Ipv4Address address,
      Ipv4Address gateway,
      int mtu,
      ActorRef<Result<Done>> replyTo)
      implements Command {}

  /**
   * As {@link dev.paramecium.syscall.Syscall.StartContainer}. A command that the image does not
   * have is ENOENT with the runtime's message (kubelet: StartError, exit code 128), and no event
   * follows.
   */
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

  /** As {@link dev.paramecium.syscall.Syscall.ForwardPort}. */
  public record ForwardPort(int port, ActorRef<ExecOutput> client) implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.ReadLog}. */
  public record ReadLog(LogRequest request, ActorRef<ExecOutput> client) implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.Attach}. */
  public record Attach(String containerId, ActorRef<ExecOutput> client) implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.ExecSync}. */
  public record ExecSync(
      String containerId, List<String> argv, long timeoutMs, ActorRef<Result<ExecResult>> replyTo)
      implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.WriteFiles}. */
  public record WriteFiles(
      String containerId,
      Map<String, byte[]> files,
      Set<String> removed,
      ActorRef<Result<Done>> replyTo)
      implements Command {}

  /** The containers that are in the namespace. */
  public record ListContainers(ActorRef<List<ContainerInfo>> replyTo) implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.WatchContainer}. */
  public record WatchContainer(
      String containerId, ActorRef<ContainerEvent> events, ActorRef<Result<Done>> replyTo)
      implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.HttpGet}, from this namespace. */
  public record Get(HttpRequest request, ActorRef<Result<HttpReply>> replyTo) implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.ConnectTcp}, from this namespace. */
  public record ConnectTcp(SocketAddress remote, long timeoutMs, ActorRef<Result<Done>> replyTo)
      implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.Ping}, from this namespace. */
  public record Ping(Ipv4Address address, long timeoutMs, ActorRef<Result<Long>> replyTo)
      implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.ConfigureProxy}; in the node's own namespace. */
  public record ConfigureProxy(ProxyConfig config, ProxyHost host, ActorRef<Result<Done>> replyTo)
      implements Command {}

  /** Counters by name, this namespace's own. */
  public record ReadCounters(ActorRef<Map<String, Long>> replyTo) implements Command {}

  /** {@code ip netns del}: processes are killed, frames released; then the actor stops. */
  public record Stop(@Nullable ActorRef<Done> replyTo) implements Command {}

  /** A client of a session spoke. */
  private record SessionInput(int session, ExecInput input) implements Command {}

  private record ClientGone(int session) implements Command {}

  /** A process hears from another thread. */
  private record Run(Runnable task) implements Command {}

  private enum Tick implements Command {
    TIMER,
    DUE,
    GONE
  }

  /** How long a deleted namespace's actor takes frames that come late. */
  private static final Duration LINGER = Duration.ofSeconds(2);

  /** How often timers that are due run in a row before other messages get their turn. */
  private static final int TIMER_ROUNDS = 8;

  /** Pekko refuses delays of more than some months; sleep 365d looks at the clock in between. */
  private static final long MAX_DELAY_NS = 3_600_000_000_000L;

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final NamespaceConfig config;
  private final NetworkStack stack;
  private final Containers containers;
  private final CpuTime cpu = new CpuTime();
  private final Executor executor;
  private @Nullable L7Proxy proxy;
  private final OutgoingBatches outgoing = new OutgoingBatches();
  private long timerAt = NetworkStack.NO_DEADLINE;
  private boolean dueQueued;

  private NetworkNamespace(
      ActorContext<Command> context, TimerScheduler<Command> timers, NamespaceConfig config) {
    this.context = context;
    this.timers = timers;
    this.config = config;
    ActorRef<Command> self = context.getSelf();
    this.executor = task -> self.tell(new Run(task));
    this.stack =
        new NetworkStack(
            config.name(),
            config.clock(),
            config.random(),
            config.pool(),
            outgoing::add,
            config.hooks(),
            executor);
    this.containers =
        new Containers(
            config,
            new NamespaceServices(stack, stack, config.clock(), config.random(), executor, cpu),
            new SessionPorts(context));
  }

  /** A namespace with nothing but {@code lo}. */
  public static Behavior<Command> create(NamespaceConfig config) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new NetworkNamespace(context, timers, config).running()));
  }

  private Behavior<Command> running() {
    return Behaviors.receive(Command.class)
        .onMessage(Stop.class, this::stop)
        .onAnyMessage(
            command -> {
              cpu.begin(config.clock().nanos());
              handle(command);
              settle();
              cpu.end(config.clock().nanos());
              return Behaviors.same();
            })
        .onSignal(
            PostStop.class,
            _ -> {
              close();
              return Behaviors.same();
            })
        .build();
  }

  private void close() {
    if (proxy != null) {
      proxy.close();
    }
    containers.killAll();
    stack.close();
    outgoing.release(config.pool());
  }

  private void handle(Command command) {
    switch (command) {
      case Receive(int ifindex, SkBuff[] frames, Backlog backlog) -> {
        int count = frames.length;
        stack.receive(ifindex, frames, count);
        backlog.done(count);
      }
      case AttachInterface(var link, var noArp, var sink, var statistics) -> {
        outgoing.attach(link.ifindex(), sink);
        if (link.kind() == LinkInfo.Kind.LOOPBACK) {
          stack.attachLoopback(statistics);
        } else {
          stack.addInterface(link, noArp, statistics);
        }
      }
      case Configure(var change) -> change.accept(stack);
      case DetachInterface(int ifindex) -> {
        stack.removeInterface(ifindex);
        outgoing.detach(ifindex, config.pool());
      }
      case ConfigureInterface configure -> configure(configure);
      case StartContainer(var spec, var events, var replyTo) ->
          replyTo.tell(containers.start(spec, events));
      case StopContainer(var id, var graceMs, var replyTo) ->
          replyTo.tell(containers.stop(id, graceMs));
      case RemoveContainer(var id, var replyTo) -> replyTo.tell(containers.remove(id));
      case WriteFiles(var id, var files, var removed, var replyTo) ->
          replyTo.tell(containers.write(id, files, removed));
      case Exec(var request, var client) -> containers.exec(request, client);
      case ForwardPort(int port, var client) -> containers.forwardPort(port, client);
      case ReadLog(var request, var client) -> containers.readLog(request, client);
      case Attach(var id, var client) -> containers.attach(id, client);
      case ExecSync(var id, var argv, var timeoutMs, var replyTo) ->
          containers.execSync(id, argv, timeoutMs, replyTo);
      case ListContainers(var replyTo) -> replyTo.tell(containers.list());
      case WatchContainer(var id, var events, var replyTo) ->
          replyTo.tell(containers.watch(id, events));
      case Get(var request, var replyTo) -> HttpGet.start(stack, config.random(), request, replyTo);
      case ConnectTcp(var remote, var timeoutMs, var replyTo) ->
          TcpDial.start(stack, remote, timeoutMs, replyTo);
      case Ping(var address, var timeoutMs, var replyTo) ->
          Echo.start(stack, config.clock(), address, timeoutMs, replyTo);
      case ConfigureProxy configure -> configure(configure);
      case ReadCounters(var replyTo) -> replyTo.tell(counters());
      case SessionInput(int session, ExecInput input) -> containers.input(session, input);
      case ClientGone(int session) -> containers.clientGone(session);
      case Run(Runnable task) -> task.run();
      case Tick.TIMER -> timerAt = NetworkStack.NO_DEADLINE;
      case Tick.DUE -> dueQueued = false;
      case Tick.GONE -> throw unexpected(command);
      case Stop _ -> throw unexpected(command);
    }
  }

  private static IllegalStateException unexpected(Command command) {
    return new IllegalStateException(command + " comes only to a namespace that is being deleted");
  }

  private void configure(ConfigureInterface configure) {
    LinkInfo link =
        stack.links().stream()
            .filter(candidate -> candidate.name().equals(configure.ifname()))
            .findFirst()
            .orElse(null);
    if (link == null) {
      configure
          .replyTo()
          .tell(
              Result.failed(
                  Errno.ENODEV,
                  "namespace "
                      + config.name()
                      + " has no interface "
                      + configure.ifname()
                      + ": create the veth pair first"));
      return;
    }
    stack.addAddress(link.ifindex(), configure.address(), 32);
    stack.addRoute(
        new NamespaceView.Route(
            new Ipv4Prefix(configure.gateway(), 32), null, link.name(), null, "link", "boot"),
        0);
    stack.addRoute(
        new NamespaceView.Route(
            new Ipv4Prefix(Ipv4Address.ANY, 0),
            configure.gateway(),
            link.name(),
            null,
            "global",
            "boot"),
        configure.mtu());
    configure.replyTo().tell(Result.ok(Done.getInstance()));
  }

  private void configure(ConfigureProxy configure) {
    L7Proxy running = proxy;
    if (running == null) {
      running = new L7Proxy(services(configure.host()), onThisActor(configure.host().answers()));
      proxy = running;
    }
    try {
      running.configure(configure.config());
      configure.replyTo().tell(Result.ok(Done.getInstance()));
    } catch (SocketException e) {
      configure.replyTo().tell(Result.failed(Errno.EADDRINUSE, String.valueOf(e.getMessage())));
    }
  }

  private ProxyServices services(ProxyHost host) {
    return new ProxyServices(
        stack, stack, config.clock(), config.random(), host.identities(), host.log());
  }

  private DnsAnswers onThisActor(DnsAnswers answers) {
    return (answer, released) -> answers.heard(answer, () -> executor.execute(released));
  }

  private Map<String, Long> counters() {
    Map<String, Long> counters = new TreeMap<>(stack.counters());
    counters.putAll(containers.counters());
    return counters;
  }

  /** After every event: timers that are due run, frames leave, and the next deadline is armed. */
  private void settle() {
    long now = config.clock().nanos();
    long deadline = stack.nextDeadlineNanos();
    for (int round = 0; round < TIMER_ROUNDS && deadline <= now; round++) {
      stack.runTimers();
      now = config.clock().nanos();
      deadline = stack.nextDeadlineNanos();
    }
    outgoing.flush();
    if (deadline <= now) {
      if (!dueQueued) {
        dueQueued = true;
        context.getSelf().tell(Tick.DUE);
      }
    } else if (deadline < timerAt) {
      long delay = Math.min(deadline - now, MAX_DELAY_NS);
      timerAt = now + delay;
      timers.startSingleTimer(Tick.TIMER, Tick.TIMER, Duration.ofNanos(delay));
    }
  }

  /**
   * The namespace is gone at once; the actor stays for a moment, because frames that are on their
   * way to it must find someone who gives their buffers back.
   */
  private Behavior<Command> stop(Stop command) {
    close();
    timers.cancelAll();
    if (command.replyTo() != null) {
      command.replyTo().tell(Done.getInstance());
    }
    timers.startSingleTimer(Tick.GONE, Tick.GONE, LINGER);
    return Behaviors.receive(Command.class).onAnyMessage(this::late).build();
  }

  private Behavior<Command> late(Command command) {
    switch (command) {
      case Receive(int _, SkBuff[] frames, Backlog backlog) -> {
        for (SkBuff frame : frames) {
          config.pool().release(frame);
        }
        backlog.done(frames.length);
      }
      case ConfigureInterface(var _, var _, var _, var _, var replyTo) -> replyTo.tell(gone());
      case StartContainer(var _, var _, var replyTo) -> replyTo.tell(gone());
      case StopContainer(var _, var _, var replyTo) -> replyTo.tell(gone());
      case RemoveContainer(var _, var replyTo) -> replyTo.tell(gone());
      case WriteFiles(var _, var _, var _, var replyTo) -> replyTo.tell(gone());
      case ForwardPort(int _, var client) ->
          client.tell(new ExecOutput.Refused(Errno.ENOENT, goneText()));
      case Exec(var _, var client) -> client.tell(new ExecOutput.Refused(Errno.ENOENT, goneText()));
      case ReadLog(var _, var client) ->
          client.tell(new ExecOutput.Refused(Errno.ENOENT, goneText()));
      case Attach(var _, var client) ->
          client.tell(new ExecOutput.Refused(Errno.ENOENT, goneText()));
      case ExecSync(var _, var _, var _, var replyTo) -> replyTo.tell(gone());
      case ListContainers(var replyTo) -> replyTo.tell(List.of());
      case WatchContainer(var _, var _, var replyTo) -> replyTo.tell(gone());
      case Get(var _, var replyTo) -> replyTo.tell(gone());
      case ConnectTcp(var _, var _, var replyTo) -> replyTo.tell(gone());
      case Ping(var _, var _, var replyTo) -> replyTo.tell(gone());
      case ConfigureProxy(var _, var _, var replyTo) -> replyTo.tell(gone());
      case ReadCounters(var replyTo) -> replyTo.tell(Map.of());
      case Stop(var replyTo) -> {
        if (replyTo != null) {
          replyTo.tell(Done.getInstance());
        }
      }
      case Tick.GONE -> {
        return Behaviors.stopped();
      }
      case AttachInterface _, DetachInterface _, Configure _ -> {}
      case SessionInput _, ClientGone _, Run _, Tick _ -> {}
    }
    return Behaviors.same();
  }

  private <T> Result<T> gone() {
    return Result.failed(Errno.ENOENT, goneText());
  }

  private String goneText() {
    return "namespace " + config.name() + " was deleted";
  }

  /** The actors at which clients reach their sessions. */
  private record SessionPorts(ActorContext<Command> context) implements Containers.Ports {
    @Override
    public ActorRef<ExecInput> open(int session, ActorRef<ExecOutput> client) {
      return context.spawn(
          ExecPort.create(
              client,
              context.getSelf(),
              input -> new SessionInput(session, input),
              new ClientGone(session)),
          "session-" + session);
    }

    @Override
    public void close(ActorRef<ExecInput> port) {
      context.stop(port);
    }
  }
}
