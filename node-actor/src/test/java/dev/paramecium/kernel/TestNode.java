package dev.paramecium.kernel;

import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.EndpointConfig;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.MapEntry;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.syscall.VethPair;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** A node of a test cluster: a kernel, and the few things that kubelet and agent do with it. */
final class TestNode {

  /** What every pod of every node is known by on every node. */
  record Pod(
      TestNode node, String name, int endpointId, int identity, Ipv4Address ip, VethPair veth) {

    String containerId() {
      return name + "-c";
    }
  }

  /** What a command printed and how it ended. */
  record Outcome(int exitCode, String stdout, String stderr) {}

  static final Duration TIMEOUT = Duration.ofSeconds(30);
  static final Ipv4Prefix CLUSTER = Ipv4Prefix.parse("10.42.0.0/16");

  final String name;
  final Ipv4Address ip;
  final Ipv4Prefix podCidr;
  final Ipv4Address routerIp;
  final ActorRef<Syscall> kernel;
  private final ActorTestKit kit;
  private final CompletableFuture<NodeDatapath> datapath = new CompletableFuture<>();

  TestNode(ActorTestKit kit, KernelConfig config, String podCidr) {
    this(kit, config, podCidr, options -> options);
  }

  /**
   * @param features v1.12.3's defaults, changed as wanted
   */
  TestNode(
      ActorTestKit kit,
      KernelConfig config,
      String podCidr,
      UnaryOperator<DatapathOptions> features) {
    this.kit = kit;
    this.name = config.nodeName();
    this.ip = config.nodeIp();
    this.podCidr = Ipv4Prefix.parse(podCidr);
    this.routerIp = this.podCidr.address().plus(247);
    this.kernel = kit.spawn(Kernel.create(config, datapath::complete));
    load(features.apply(DatapathOptions.defaults(this.podCidr)));
    for (Ipv4Address own : List.of(ip, routerIp)) {
      update(MapNames.LXC, new EndpointKey(own).encode(), EndpointInfo.HOST.encode());
      update(
          MapNames.IPCACHE,
          new IpcacheKey(own).encode(),
          new RemoteEndpointInfo(1, Ipv4Address.ANY).encode());
    }
    update(
        MapNames.IPCACHE,
        new IpcacheKey(new Ipv4Prefix(Ipv4Address.ANY, 0)).encode(),
        new RemoteEndpointInfo(2, Ipv4Address.ANY).encode());
  }

  /** The devices and programs, for a test that is a driver or a raw socket. */
  NodeDatapath datapath() {
    return datapath.join();
  }

  /** Loads the node's programs with other options. */
  void load(DatapathOptions options) {
    perform(
        replyTo ->
            new Syscall.LoadNodeDatapath(
                new DatapathConfig(name, ip, routerIp, podCidr, CLUSTER, 1500, 0, options),
                replyTo));
  }

  <T> Result<T> tryCall(Function<ActorRef<Result<T>>, Syscall> request) {
    try {
      return AskPattern.<Syscall, Result<T>>ask(kernel, request::apply, TIMEOUT, kit.scheduler())
          .toCompletableFuture()
          .get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("the kernel did not answer", e);
    }
  }

  <T> T call(Function<ActorRef<Result<T>>, Syscall> request) {
    return switch (tryCall(request)) {
      case Result.Ok<T>(T value) -> value;
      case Result.Failed<T>(var errno, var message) ->
          throw new AssertionError(errno + ": " + message);
    };
  }

  void perform(Function<ActorRef<Result<Done>>, Syscall> request) {
    this.<Done>call(request);
  }

  void update(String map, byte[] key, byte[] value) {
    perform(
        replyTo ->
            new Syscall.UpdateMap(map, List.of(new MapEntry(key, value)), List.of(), replyTo));
  }

  Map<String, Long> counters() {
    return call(Syscall.ReadCounters::new);
  }

  /** Starts a pod that sleeps or serves, as its image says. */
  Pod startPod(String podName, int endpointId, int identity, String address, String image) {
    Ipv4Address podIp = Ipv4Address.parse(address);
    String netns = "cni-" + podName;
    String lxc = "lxc" + podName;
    perform(replyTo -> new Syscall.CreateNetns(netns, replyTo));
    VethPair veth = call(replyTo -> new Syscall.CreateVeth(lxc, netns, "eth0", 1450, replyTo));
    perform(
        replyTo ->
            new Syscall.ConfigurePodInterface(netns, "eth0", podIp, routerIp, 1450, replyTo));
    this.<Integer>call(
        replyTo ->
            new Syscall.LoadEndpointDatapath(
                new EndpointConfig(endpointId, identity, podIp, lxc), replyTo));
    for (boolean egress : List.of(true, false)) {
      update(
          MapNames.policyMapName(endpointId),
          new PolicyKey(0, 0, 0, egress).encode(),
          PolicyEntry.ALLOW.encode());
    }
    update(
        MapNames.LXC,
        new EndpointKey(podIp).encode(),
        new EndpointInfo(veth.host().ifindex(), endpointId, 0, veth.pod().mac(), veth.host().mac())
            .encode());
    update(
        MapNames.IPCACHE,
        new IpcacheKey(podIp).encode(),
        new RemoteEndpointInfo(identity, Ipv4Address.ANY).encode());
    Pod pod = new Pod(this, podName, endpointId, identity, podIp, veth);
    perform(
        replyTo ->
            new Syscall.StartContainer(
                new ContainerSpec(
                    pod.containerId(),
                    netns,
                    "default/" + podName,
                    podName,
                    image,
                    image.contains("curl") ? List.of("sleep", "365d") : List.of(),
                    List.of(),
                    Map.of(),
                    List.of()),
                kit.system().ignoreRef(),
                replyTo));
    return pod;
  }

  /** Loads a pod's programs again; answers the id of from-container. */
  int reload(Pod pod) {
    return this.<Integer>call(
        replyTo ->
            new Syscall.LoadEndpointDatapath(
                new EndpointConfig(
                    pod.endpointId(), pod.identity(), pod.ip(), pod.veth().host().name()),
                replyTo));
  }

  /** Takes a pod away, as kubelet and agent do. */
  void stopPod(Pod pod) {
    perform(replyTo -> new Syscall.UnloadEndpointDatapath(pod.endpointId(), replyTo));
    perform(
        replyTo ->
            new Syscall.UpdateMap(
                MapNames.LXC, List.of(), List.of(new EndpointKey(pod.ip()).encode()), replyTo));
    perform(replyTo -> new Syscall.DeleteNetns(pod.veth().pod().netns(), replyTo));
  }

  /** Learns of another node and its pods. */
  void learn(TestNode other, Pod... pods) {
    perform(replyTo -> new Syscall.ReplaceRoute(other.podCidr, routerIp, Devices.HOST, replyTo));
    update(
        MapNames.TUNNEL,
        new EndpointKey(other.podCidr.address()).encode(),
        new EndpointKey(other.ip).encode());
    update(
        MapNames.IPCACHE,
        new IpcacheKey(other.ip).encode(),
        new RemoteEndpointInfo(6, Ipv4Address.ANY).encode());
    update(
        MapNames.IPCACHE,
        new IpcacheKey(other.routerIp).encode(),
        new RemoteEndpointInfo(6, other.ip).encode());
    for (Pod pod : pods) {
      update(
          MapNames.IPCACHE,
          new IpcacheKey(pod.ip()).encode(),
          new RemoteEndpointInfo(pod.identity(), other.ip).encode());
    }
  }

  /** Runs a command on the node (an empty id) or in a container to its end. */
  Outcome exec(String containerId, String... argv) {
    TestProbe<ExecOutput> client = kit.createTestProbe();
    kernel.tell(
        new Syscall.Exec(
            new ExecRequest(containerId, List.of(argv), false, false), client.getRef()));
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    ActorRef<ExecInput> input = null;
    while (true) {
      switch (client.receiveMessage(TIMEOUT)) {
        case ExecOutput.Started(var started) -> input = started;
        case ExecOutput.Ack _ -> {}
        case ExecOutput.Data(int stream, byte[] bytes) -> {
          (stream == 1 ? stdout : stderr).writeBytes(bytes);
          if (input != null) {
            input.tell(new ExecInput.Ack(1));
          }
        }
        case ExecOutput.Exited(int exitCode) -> {
          return new Outcome(
              exitCode,
              stdout.toString(StandardCharsets.UTF_8),
              stderr.toString(StandardCharsets.UTF_8));
        }
        case ExecOutput.Refused(var errno, var message) ->
            throw new AssertionError(errno + ": " + message);
      }
    }
  }
}
