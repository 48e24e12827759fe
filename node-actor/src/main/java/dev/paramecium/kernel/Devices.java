package dev.paramecium.kernel;

import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.NetworkNamespace;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.datapath.DeviceCounters;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.NamespacePort;
import dev.paramecium.datapath.NetDevice;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.container.PodInterface;
import dev.paramecium.datapath.host.HostDevice;
import dev.paramecium.datapath.host.LoopbackDevice;
import dev.paramecium.datapath.lxc.LxcDevice;
import dev.paramecium.datapath.netdev.NativeDevice;
import dev.paramecium.datapath.overlay.VxlanDevice;
import dev.paramecium.datapath.underlay.OuterHeaders;
import dev.paramecium.datapath.underlay.Underlay;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.syscall.VethPair;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Makes the node's devices: allocates indexes and MACs, starts the actors, wires them to their
 * peers and namespaces. Used by the kernel's actor only.
 */
final class Devices {

  static final String ETH0 = "eth0";
  static final String HOST = "cilium_host";
  static final String NET = "cilium_net";
  static final String VXLAN = "cilium_vxlan";

  private static final int LOOPBACK_IFINDEX = 1;

  private static final int LOOPBACK_MTU = 65536;

  /** The node's own eth0 is the second device, after lo. */
  private static final int ETH0_IFINDEX = 2;

  /** What VXLAN takes from the underlay's MTU; pods get the rest. */
  static final int TUNNEL_OVERHEAD = 50;

  /** IFNAMSIZ without the final zero. */
  private static final int MAX_NAME = 15;

  private static final int MIN_MTU = 68;

  private final ActorContext<Object> context;
  private final KernelConfig config;
  private final NodeDatapath node;
  private final NamespacePort host;
  private final Underlay underlay;
  private final RandomSource random;
  private final DispatcherSelector dispatcher;
  private final Map<String, DevicePort> loopbacks = new HashMap<>();
  private final DevicePort eth0;
  private int lastIfindex = ETH0_IFINDEX;
  private int loopbacksMade;

  Devices(
      ActorContext<Object> context,
      KernelConfig config,
      NodeDatapath node,
      NamespacePort host,
      Underlay underlay,
      RandomSource random,
      DispatcherSelector dispatcher) {
    this.context = context;
    this.config = config;
    this.node = node;
    this.host = host;
    this.underlay = underlay;
    this.random = random;
    this.dispatcher = dispatcher;
    createLoopback("", host);
    this.eth0 =
        port(
            new LinkInfo(
                ETH0_IFINDEX,
                ETH0,
                LinkInfo.Kind.ETHERNET,
                OuterHeaders.macOf(config.nodeIp()),
                KernelConfig.UNDERLAY_MTU,
                0,
                "",
                ""));
    start(eth0, NativeDevice.create(eth0, config.nodeIp(), host, underlay, node));
    attachToHost(eth0, false);
  }

  DevicePort eth0() {
    return eth0;
  }

  /** The device of that name in the host's namespace, or null. */
  @Nullable DevicePort onHost(String name) {
    return in("", name);
  }

  /** The device of that name in a namespace, or null. */
  @Nullable DevicePort in(String netns, String name) {
    for (DevicePort port : node.devices().all()) {
      if (port.link().name().equals(name) && port.link().netns().equals(netns)) {
        return port;
      }
    }
    return null;
  }

  /** cilium_host and cilium_net. The peer is made first, so its index is the lower one. */
  DevicePort createHostPair(int mtu) {
    int net = ++lastIfindex;
    int ciliumHost = ++lastIfindex;
    DevicePort netPort = port(veth(net, NET, ciliumHost, mtu, "", ""));
    DevicePort hostPort = port(veth(ciliumHost, HOST, net, mtu, "", ""));
    start(netPort, HostDevice.create(netPort, hostPort, host, node));
    start(hostPort, HostDevice.create(hostPort, netPort, host, node));
    attachToHost(netPort, true);
    attachToHost(hostPort, true);
    return hostPort;
  }

  DevicePort createVxlan(int mtu) {
    DevicePort vxlan =
        port(
            new LinkInfo(
                ++lastIfindex,
                VXLAN,
                LinkInfo.Kind.VXLAN,
                MacAddress.locallyAdministered(random.nextLong()),
                mtu,
                0,
                "",
                ""));
    start(vxlan, VxlanDevice.create(vxlan, config.nodeIp(), eth0, host, underlay, node));
    attachToHost(vxlan, false);
    eth0.tell(new NativeDevice.OpenTunnel(vxlan));
    return vxlan;
  }

  /**
   * A pod's veth pair, if the names are free and the MTU is possible.
   *
   * @param pod the namespace that the request names; null if there is none
   */
  Result<VethPair> createVeth(Syscall.CreateVeth create, @Nullable NamespacePort pod) {
    int maxMtu = node.pool().maxPacketLength() - TUNNEL_OVERHEAD;
    if (pod == null) {
      return Result.failed(Errno.ENOENT, "there is no namespace " + create.netns());
    }
    if (!isName(create.name()) || !isName(create.peerName())) {
      return Result.failed(
          Errno.EINVAL,
          "\""
              + create.name()
              + "\" and \""
              + create.peerName()
              + "\" must be names of 1 to "
              + MAX_NAME
              + " characters without slash or space");
    }
    if (create.mtu() < MIN_MTU || create.mtu() > maxMtu) {
      return Result.failed(
          Errno.EINVAL, "mtu " + create.mtu() + " is out of range: " + MIN_MTU + " to " + maxMtu);
    }
    if (create.name().equals("lo") || onHost(create.name()) != null) {
      return Result.failed(Errno.EEXIST, "device " + create.name() + " exists on the node");
    }
    if (create.peerName().equals("lo") || in(create.netns(), create.peerName()) != null) {
      return Result.failed(
          Errno.EEXIST, "device " + create.peerName() + " exists in " + create.netns());
    }
    return Result.ok(
        createVeth(create.name(), create.netns(), pod, create.peerName(), create.mtu()));
  }

  private static boolean isName(String name) {
    return !name.isEmpty()
        && name.length() <= MAX_NAME
        && name.chars().noneMatch(c -> c == '/' || Character.isWhitespace(c));
  }

  /** The pod's end is made first, so its index is the lower one. */
  private VethPair createVeth(
      String name, String netns, NamespacePort pod, String peerName, int mtu) {
    int podIfindex = ++lastIfindex;
    int lxcIfindex = ++lastIfindex;
    DevicePort podPort = port(veth(podIfindex, peerName, lxcIfindex, mtu, netns, ""));
    DevicePort lxcPort = port(veth(lxcIfindex, name, podIfindex, mtu, "", netns));
    start(podPort, PodInterface.create(podPort, lxcPort, pod, node));
    start(lxcPort, LxcDevice.create(lxcPort, podPort, host, node));
    attach(pod, podPort, false);
    attachToHost(lxcPort, false);
    return new VethPair(lxcPort.link(), podPort.link());
  }

  private LinkInfo veth(
      int ifindex, String name, int peer, int mtu, String netns, String peerNetns) {
    return new LinkInfo(
        ifindex,
        name,
        LinkInfo.Kind.VETH,
        MacAddress.locallyAdministered(random.nextLong()),
        mtu,
        peer,
        netns,
        peerNetns);
  }

  private DevicePort port(LinkInfo link) {
    return new DevicePort(link, config.backlog(), node.drops());
  }

  /** Every namespace's lo has index 1; the node's table knows the node's own. */
  void createLoopback(String netns, NamespacePort namespace) {
    DevicePort lo =
        port(
            new LinkInfo(
                LOOPBACK_IFINDEX,
                "lo",
                LinkInfo.Kind.LOOPBACK,
                MacAddress.ZERO,
                LOOPBACK_MTU,
                0,
                netns,
                ""));
    spawn(lo, LoopbackDevice.create(lo, namespace, node));
    if (netns.isEmpty()) {
      node.devices().add(lo);
    } else {
      loopbacks.put(netns, lo);
    }
    attach(namespace, lo, false);
  }

  /** A pod's lo, which goes with its namespace; null if there is none. */
  @Nullable DevicePort takeLoopback(String netns) {
    return loopbacks.remove(netns);
  }

  private void start(DevicePort port, Behavior<NetDevice.Command> device) {
    spawn(port, device);
    node.devices().add(port);
  }

  private void spawn(DevicePort port, Behavior<NetDevice.Command> device) {
    port.open(
        context.spawn(
            Behaviors.supervise(device)
                .onFailure(RuntimeException.class, SupervisorStrategy.resume()),
            "device-"
                + port.ifindex()
                + "-"
                + port.link().name()
                + (port.ifindex() == LOOPBACK_IFINDEX ? "-" + ++loopbacksMade : ""),
            dispatcher));
  }

  private void attachToHost(DevicePort port, boolean noArp) {
    attach(host, port, noArp);
  }

  private void attach(NamespacePort namespace, DevicePort port, boolean noArp) {
    namespace
        .namespace()
        .tell(
            new NetworkNamespace.AttachInterface(
                port.link(),
                noArp,
                frames -> port.transmit(NamespacePort.batchOf(frames, node.pool())),
                () -> statistics(port)));
  }

  private static NamespaceView.Statistics statistics(DevicePort port) {
    DeviceCounters counters = port.counters();
    return new NamespaceView.Statistics(
        counters.rxPackets(),
        counters.rxBytes(),
        counters.rxDropped() + port.backlog().dropped(),
        counters.txPackets(),
        counters.txBytes(),
        counters.txDropped());
  }

  Result<Done> replaceLinkFaults(Syscall.ReplaceLinkFaults replace) {
    DevicePort port = in(replace.netns(), replace.device());
    if (port == null) {
      return Result.failed(
          Errno.ENODEV,
          "there is no device "
              + replace.device()
              + (replace.netns().isEmpty() ? " on the node" : " in " + replace.netns()));
    }
    port.tell(new NetDevice.ReplaceLinkFaults(replace.faults(), replace.seed()));
    return Result.ok(Done.getInstance());
  }

  /** A device and its veth peer, if it has one. */
  List<DevicePort> withPeer(DevicePort port) {
    List<DevicePort> both = new ArrayList<>(List.of(port));
    DevicePort peer = node.devices().get(port.link().peerIfindex());
    if (peer != null) {
      both.add(peer);
    }
    return both;
  }

  /** Takes a device out of the tables; its actor still has to be told {@link NetDevice.Remove}. */
  void forget(DevicePort port) {
    if (port.equals(node.devices().get(port.ifindex()))) {
      node.devices().remove(port.ifindex());
    }
  }
}
