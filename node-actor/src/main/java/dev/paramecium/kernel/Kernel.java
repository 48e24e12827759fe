package dev.paramecium.kernel;

import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.bpf.Backlog;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.NamespaceConfig;
import dev.paramecium.container.NetworkNamespace;
import dev.paramecium.container.image.Images;
import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.Probe;
import dev.paramecium.container.process.load.Load;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.DeviceTable;
import dev.paramecium.datapath.DropCounters;
import dev.paramecium.datapath.NamespacePort;
import dev.paramecium.datapath.NetDevice;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.ProgramTable;
import dev.paramecium.datapath.sock.Cgroup;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.datapath.trace.StackTracer;
import dev.paramecium.datapath.underlay.Underlay;
import dev.paramecium.datapath.underlay.Underlays;
import dev.paramecium.inspect.HostTools;
import dev.paramecium.inspect.PodTools;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.syscall.TraceFilter;
import dev.paramecium.syscall.VethPair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * A node's kernel: answers every {@link Syscall}, owns devices, programs, maps and namespaces.
 * Packets do not pass it.
 *
 * <pre>
 *   Kernel
 *     |-- device-N-NAME      one actor a device       on the datapath dispatcher
 *     |-- program-N-SECTION  one actor a hook         on the datapath dispatcher
 *     |-- netns-NAME         one actor a namespace    on the datapath dispatcher
 *     `-- perf-ring-N        one actor a subscriber
 * </pre>
 */
public final class Kernel extends AbstractBehavior<Object> {

  /** What the kernel tells itself. */
  private sealed interface Internal {}

  private record NetnsGone(ActorRef<Result<Done>> replyTo) implements Internal {}

  private record CountersRead(
      Result<Map<String, Long>> counters, ActorRef<Result<Map<String, Long>>> replyTo)
      implements Internal {}

  private static final String DISPATCHER = "paramecium.datapath-dispatcher";
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final KernelConfig config;
  private final RandomSource random;
  private final DispatcherSelector dispatcher = DispatcherSelector.fromConfig(DISPATCHER);
  private final Underlay underlay;
  private final NodeDatapath node;
  private final MapTable maps;
  private final HostView view;
  private final KnownIdentities identities = new KnownIdentities();
  private final AccessLog accessLog = new AccessLog();
  private final CiliumSocket agentSocket;
  private final Containers containers;
  private final ContainerRuntime runtime;
  private final Devices devices;
  private final Programs programs;
  private final HostNetwork hostNetwork;
  private final NodeCounters counters;
  private final ProxyProcess proxy;
  private final AtomicLong conntrackCollected = new AtomicLong();
  private @Nullable DatapathConfig datapath;
  private int perfReaders;
  private int namespacesMade;

  private Kernel(
      ActorContext<Object> context, KernelConfig config, SkBuffPool pool, Underlay underlay) {
    super(context);
    this.config = config;
    this.underlay = underlay;
    this.random = RandomSource.seeded(config.seed());
    ProgramTable table = new ProgramTable(config.clock());
    PacketTrace trace = new PacketTrace(config.nodeName(), config.clock());
    this.node =
        new NodeDatapath(
            pool,
            config.clock(),
            new DeviceTable(),
            table,
            new DropCounters(pool),
            trace,
            new Cgroup(trace));
    this.maps = new MapTable(config.possibleCpus(), table::program, config.maps());
    this.view = new HostView(config, node, maps, accessLog);
    this.agentSocket = new CiliumSocket(context.getSystem().scheduler());
    this.containers = new Containers(spawnNamespace("", config.nodeName()));
    this.runtime = new ContainerRuntime(context, containers);
    this.devices =
        new Devices(context, config, node, containers.host(), underlay, random, dispatcher);
    this.programs =
        new Programs(
            context,
            node,
            maps,
            new SocketPrograms(node, maps, node.cgroup()),
            config.objects(),
            new SharedRandom(random.nextLong()),
            dispatcher);
    this.hostNetwork =
        new HostNetwork(
            config, containers.host(), devices, new StackTracer(node.trace(), node.devices()));
    this.proxy =
        new ProxyProcess(
            containers.host().namespace(), maps.shared().ipcache(), accessLog, context.getSystem());
    this.counters = new NodeCounters(context.getSystem().scheduler(), node, underlay);
    hostNetwork.configure();
    // On the datapath's own thread, which then is the one that receives.
    context
        .getSystem()
        .dispatchers()
        .lookup(dispatcher)
        .execute(() -> underlay.start(devices.eth0()::receive));
    context.spawn(
        ConntrackCollector.create(maps.shared(), config.clock(), conntrackCollected),
        "conntrack-gc");
    publish();
  }

  /**
   * A node's kernel; opens the underlay's sockets at once.
   *
   * @throws dev.paramecium.datapath.underlay.UnderlayException if they cannot be opened, with a
   *     message for the user
   */
  public static Behavior<Syscall> create(KernelConfig config) {
    return create(config, _ -> {});
  }

  /** A kernel whose devices and programs can be reached past it, as soon as it runs. */
  static Behavior<Syscall> create(KernelConfig config, Consumer<NodeDatapath> started) {
    SkBuffPool pool =
        new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, config.buffers(), KernelConfig.LARGE_BUFFERS);
    KernelConfig.UnderlayFactory network = config.network();
    Underlay underlay =
        network != null
            ? network.open(pool)
            : Underlays.open(config.underlay(), config.nodeIp(), config.resolver(), pool);
    return Behaviors.<Object>setup(
            context -> {
              Kernel kernel = new Kernel(context, config, pool, underlay);
              started.accept(kernel.node);
              return kernel;
            })
        .narrow();
  }

  @Override
  public Receive<Object> createReceive() {
    return newReceiveBuilder()
        .onMessage(
            Syscall.class,
            call -> {
              answer(call);
              return this;
            })
        .onMessage(
            Internal.class,
            internal -> {
              handle(internal);
              return this;
            })
        .onMessage(
            ContainerRuntime.Removed.class,
            removed -> {
              runtime.removed(removed);
              return this;
            })
        .onSignal(
            Terminated.class,
            gone -> {
              node.trace().disarmAll(gone.getRef());
              agentSocket.ended(gone.getRef());
              proxy.ended(gone.getRef());
              return this;
            })
        .onSignal(
            PostStop.class,
            _ -> {
              underlay.close();
              return this;
            })
        .build();
  }

  private void answer(Syscall call) {
    switch (call) {
      case Syscall.CreateNetns(var netns, var replyTo) -> replyTo.tell(createNetns(netns));
      case Syscall.DeleteNetns(var netns, var replyTo) -> deleteNetns(netns, replyTo);
      case Syscall.CreateVeth create -> createVeth(create);
      case Syscall.DeleteLink(var name, var replyTo) -> replyTo.tell(deleteLink(name));
      case Syscall.ConfigurePodInterface configure -> configurePodInterface(configure);
      case Syscall.ReplaceRoute(var prefix, var gateway, var device, var replyTo) ->
          replyTo.tell(hostNetwork.replaceRoute(prefix, gateway, device));
      case Syscall.DeleteRoute(var prefix, var replyTo) -> {
        hostNetwork.removeRoute(prefix);
        replyTo.tell(done());
      }
      case Syscall.ReplaceLinkFaults replace ->
          replace.replyTo().tell(devices.replaceLinkFaults(replace));
      case Syscall.ListLinks(var replyTo) ->
          replyTo.tell(Result.ok(view.links().stream().map(link -> link.info()).toList()));
      case Syscall.LoadNodeDatapath(var wanted, var replyTo) ->
          replyTo.tell(loadNodeDatapath(wanted));
      case Syscall.LoadEndpointDatapath load -> loadEndpointDatapath(load);
      case Syscall.UnloadEndpointDatapath(var endpointId, var replyTo) -> {
        boolean found = programs.unloadEndpoint(endpointId);
        publish();
        replyTo.tell(
            found
                ? done()
                : Result.failed(
                    Errno.ENOENT, "endpoint " + endpointId + " has no programs loaded"));
      }
      case Syscall.UpdateMap update -> update.replyTo().tell(maps.update(update));
      case Syscall.FillMap(var map, var full, var replyTo) -> replyTo.tell(maps.fill(map, full));
      case Syscall.DumpMap(var map, var replyTo) -> replyTo.tell(maps.dump(map));
      case Syscall.ListMaps(var replyTo) -> replyTo.tell(Result.ok(maps.infos()));
      case Syscall.ConfigureProxy configure -> configureProxy(configure);
      case Syscall.ContainerCall container -> runtime.answer(container);
      case Syscall.NameIdentities(var labels, var replyTo) -> {
        identities.name(labels);
        replyTo.tell(done());
      }
      case Syscall.ServeAgentSocket(var agent, var replyTo) -> {
        getContext().watch(agent);
        agentSocket.listen(agent);
        replyTo.tell(done());
      }
      case Syscall.HttpGet(var request, var replyTo) ->
          containers.host().namespace().tell(new NetworkNamespace.Get(request, replyTo));
      case Syscall.ConnectTcp(var address, var port, var timeoutMs, var replyTo) ->
          containers
              .host()
              .namespace()
              .tell(
                  new NetworkNamespace.ConnectTcp(
                      new SocketAddress(address, port), timeoutMs, replyTo));
      case Syscall.Ping(var address, var timeoutMs, var replyTo) ->
          containers
              .host()
              .namespace()
              .tell(new NetworkNamespace.Ping(address, timeoutMs, replyTo));
      case Syscall.ArmTrace(var traceId, var filter, var observer, var replyTo) -> {
        getContext().watch(observer);
        List<TraceFilter> targets = TraceTargets.of(filter, maps.shared().services());
        node.trace().arm(traceId, targets, observer);
        replyTo.tell(done());
      }
      case Syscall.DisarmTrace(var traceId, var replyTo) ->
          replyTo.tell(
              node.trace().disarm(traceId)
                  ? done()
                  : Result.failed(Errno.ENOENT, "trace \"" + traceId + "\" is not armed"));
      case Syscall.OpenPerfRing(var reader, var replyTo) -> {
        getContext()
            .spawn(
                PerfRingReader.create(maps.shared().events(), reader),
                "perf-ring-" + ++perfReaders);
        replyTo.tell(done());
      }
      case Syscall.ReadCounters(var replyTo) -> readCounters(replyTo);
    }
  }

  private void configureProxy(Syscall.ConfigureProxy configure) {
    getContext().watch(configure.agent());
    proxy.configure(configure);
  }

  private void handle(Internal internal) {
    switch (internal) {
      case NetnsGone(var replyTo) -> replyTo.tell(done());
      case CountersRead(var read, var replyTo) -> replyTo.tell(read);
    }
  }

  private static Result<Done> done() {
    return Result.ok(Done.getInstance());
  }

  private void publish() {
    view.publish(datapath, containers.names(), programs.attachments());
  }

  // ---- namespaces

  private NamespacePort spawnNamespace(String name, String hostname) {
    boolean isHost = name.isEmpty();
    Map<String, Executable> podTools = new TreeMap<>(PodTools.create());
    podTools.put(Probe.NAME, new Probe());
    podTools.put(Load.NAME, new Load());
    Map<String, Executable> hostTools = new TreeMap<>();
    if (isHost) {
      hostTools.put(Probe.NAME, new Probe());
      hostTools.putAll(Images.tools());
      hostTools.putAll(HostTools.create(view, identities, agentSocket));
    }
    NamespaceConfig namespace =
        new NamespaceConfig(
            name,
            hostname,
            config.clock(),
            RandomSource.seeded(random.nextLong()),
            node.pool(),
            hostTools,
            podTools,
            node.cgroup().namespace(isHost));
    ActorRef<NetworkNamespace.Command> actor =
        getContext()
            .spawn(
                NetworkNamespace.create(namespace),
                "netns-" + ++namespacesMade + (isHost ? "-host" : ""),
                dispatcher);
    if (config.nodeIp().value() >>> 24 == 127) {
      // Nodes on one machine: what is between them is no loopback, neither for hosts nor for pods.
      Ipv4Prefix underlayNetwork = new Ipv4Prefix(config.nodeIp(), config.nodePrefixLength());
      actor.tell(new NetworkNamespace.Configure(stack -> stack.routeLocalnet(underlayNetwork)));
    }
    return new NamespacePort(actor, new Backlog(config.backlog()), node.pool());
  }

  private Result<Done> createNetns(String netns) {
    if (netns.isEmpty() || netns.contains("/")) {
      return Result.failed(
          Errno.EINVAL, "\"" + netns + "\" cannot name a namespace: use a name without a slash");
    }
    if (containers.namespace(netns) != null) {
      return Result.failed(Errno.EEXIST, "namespace " + netns + " exists");
    }
    NamespacePort namespace = spawnNamespace(netns, netns);
    containers.add(netns, namespace);
    devices.createLoopback(netns, namespace);
    publish();
    return done();
  }

  private void deleteNetns(String netns, ActorRef<Result<Done>> replyTo) {
    NamespacePort namespace = containers.namespace(netns);
    if (namespace == null || netns.isEmpty()) {
      replyTo.tell(Result.failed(Errno.ENOENT, "there is no namespace " + netns));
      return;
    }
    List<DevicePort> gone = new ArrayList<>();
    for (DevicePort port : node.devices().all()) {
      if (port.link().netns().equals(netns)) {
        gone.addAll(devices.withPeer(port));
      }
    }
    DevicePort loopback = devices.takeLoopback(netns);
    if (loopback != null) {
      gone.add(loopback);
    }
    containers.remove(netns);
    CompletionStage<Done> stopped =
        remove(gone)
            .thenCompose(
                _ ->
                    AskPattern.ask(
                        namespace.namespace(),
                        NetworkNamespace.Stop::new,
                        TIMEOUT,
                        getContext().getSystem().scheduler()));
    getContext().pipeToSelf(stopped, (_, _) -> new NetnsGone(replyTo));
    publish();
  }

  /** Takes devices away; done when nothing comes from them any more. */
  private CompletionStage<Void> remove(List<DevicePort> ports) {
    List<CompletableFuture<Done>> removed = new ArrayList<>();
    for (DevicePort port : ports) {
      devices.forget(port);
      programs.forgetDevice(port.ifindex());
      if (port.link().netns().isEmpty()) {
        containers.host().namespace().tell(new NetworkNamespace.DetachInterface(port.ifindex()));
      }
      ActorRef<NetDevice.Command> device = port.close();
      if (device != null) {
        removed.add(
            AskPattern.ask(
                    device, NetDevice.Remove::new, TIMEOUT, getContext().getSystem().scheduler())
                .toCompletableFuture());
      }
    }
    return CompletableFuture.allOf(removed.toArray(CompletableFuture[]::new));
  }

  // ---- links

  private void createVeth(Syscall.CreateVeth create) {
    Result<VethPair> made = devices.createVeth(create, containers.namespace(create.netns()));
    publish();
    create.replyTo().tell(made);
  }

  private Result<Done> deleteLink(String name) {
    DevicePort port = devices.onHost(name);
    if (port == null) {
      return Result.failed(Errno.ENODEV, "there is no device " + name);
    }
    if (port.link().kind() != LinkInfo.Kind.VETH || port.link().peerNetns().isEmpty()) {
      return Result.failed(Errno.EBUSY, "device " + name + " is the node's own and stays");
    }
    List<DevicePort> both = devices.withPeer(port);
    NamespacePort pod = containers.namespace(port.link().peerNetns());
    if (pod != null) {
      pod.namespace().tell(new NetworkNamespace.DetachInterface(port.link().peerIfindex()));
    }
    remove(both);
    publish();
    return done();
  }

  private void configurePodInterface(Syscall.ConfigurePodInterface configure) {
    NamespacePort pod = containers.namespace(configure.netns());
    if (pod == null) {
      configure
          .replyTo()
          .tell(Result.failed(Errno.ENOENT, "there is no namespace " + configure.netns()));
      return;
    }
    pod.namespace()
        .tell(
            new NetworkNamespace.ConfigureInterface(
                configure.ifname(),
                configure.address(),
                configure.gateway(),
                configure.mtu(),
                configure.replyTo()));
  }

  // ---- programs

  private Result<Done> loadNodeDatapath(DatapathConfig wanted) {
    if (!wanted.nodeIp().equals(config.nodeIp())) {
      return Result.failed(
          Errno.EINVAL,
          "node IP " + wanted.nodeIp() + " is not this node's: eth0 has " + config.nodeIp());
    }
    DevicePort host = devices.onHost(Devices.HOST);
    if (host == null) {
      host = devices.createHostPair(KernelConfig.UNDERLAY_MTU);
    }
    DevicePort vxlan = devices.onHost(Devices.VXLAN);
    if (vxlan == null && wanted.options().tunnel()) {
      vxlan = devices.createVxlan(KernelConfig.UNDERLAY_MTU);
    }
    DevicePort net = devices.onHost(Devices.NET);
    if (net == null) {
      return Result.failed(Errno.ENODEV, "cilium_host has lost its peer cilium_net");
    }
    programs.loadNode(
        wanted,
        hostNetwork.fib(),
        devices.eth0(),
        host,
        net,
        wanted.options().tunnel() ? vxlan : null);
    datapath = wanted;
    hostNetwork.routePods(wanted, host);
    publish();
    return done();
  }

  private void loadEndpointDatapath(Syscall.LoadEndpointDatapath load) {
    DevicePort lxc = devices.onHost(load.config().ifname());
    Result<Integer> result;
    if (!programs.isNodeLoaded()) {
      result =
          Result.failed(
              Errno.EINVAL,
              "endpoint "
                  + load.config().endpointId()
                  + ": load the node's datapath before an endpoint's");
    } else if (lxc == null) {
      result =
          Result.failed(
              Errno.ENODEV,
              "endpoint "
                  + load.config().endpointId()
                  + ": there is no device "
                  + load.config().ifname());
    } else if (load.config().endpointId() < 1 || load.config().endpointId() > 65535) {
      result =
          Result.failed(
              Errno.EINVAL,
              "endpoint id " + load.config().endpointId() + " is out of range: 1 to 65535");
    } else {
      result = Result.ok(programs.loadEndpoint(load.config(), lxc));
      publish();
    }
    load.replyTo().tell(result);
  }

  // ---- counters

  private void readCounters(ActorRef<Result<Map<String, Long>>> replyTo) {
    CompletionStage<Map<String, Long>> read =
        counters.read(containers.all(), containers.names().size(), conntrackCollected.get());
    getContext()
        .pipeToSelf(
            read,
            (counters, failure) ->
                new CountersRead(
                    failure == null
                        ? Result.ok(counters)
                        : Result.failed(Errno.EIO, String.valueOf(failure.getMessage())),
                    replyTo));
  }
}
