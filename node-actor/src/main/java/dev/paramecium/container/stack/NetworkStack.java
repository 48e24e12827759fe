package dev.paramecium.container.stack;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.process.SocketInfo;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.RawSocket;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.SocketHooks;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.TcpListener;
import dev.paramecium.container.socket.TransparentSockets;
import dev.paramecium.container.socket.TransparentUdpSocket;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import dev.paramecium.packet.EtherType;
import dev.paramecium.syscall.LinkInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A network namespace's stack. Not for several threads at once; its owner (an actor) drives it:
 *
 * <pre>
 *   frames from a device    receive(ifindex, frame)         the stack owns the frame from now on
 *   frames to a device      FrameSink.transmit              the sink owns the frame from now on
 *   time                    nextDeadlineNanos, runTimers    ask after every event; run when due
 * </pre>
 *
 * Handlers of sockets are called only out of {@code receive} and {@code runTimers}, never out of a
 * socket call, so a process may call any socket from any handler. What a socket call wants done at
 * once on {@code lo} is a deadline that is due: the owner asks {@link #nextDeadlineNanos} after it
 * has run a process, too.
 *
 * <p>A fresh stack has {@code lo} (ifindex 1) with 127.0.0.1/8 and nothing else.
 */
public final class NetworkStack implements Sockets, TransparentSockets, NamespaceView {

  /** No timer is pending. */
  public static final long NO_DEADLINE = Long.MAX_VALUE;

  /** What one call does at most for lo and for late calls; the rest is due at once. */
  private static final int DRAIN_LIMIT = 4096;

  private static final int LOOPBACK_BATCH = 64;

  private static final int LOOPBACK = 1;

  private final Context context;
  private final Routes routes;
  private final Ipv4 ipv4;
  private final Udp udp;
  private final Tcp tcp;
  private boolean closed;

  /**
   * @param netns the namespace's name, empty for the host's
   * @param pool where the frames that the stack builds come from
   */
  public NetworkStack(
      String netns, Clock clock, RandomSource random, SkBuffPool pool, FrameSink sink) {
    this(netns, clock, random, pool, sink, _ -> SocketHooks.none(), Runnable::run);
  }

  /**
   * A stack whose sockets have hooks.
   *
   * @param netns the namespace's name, empty for the host's
   * @param pool where the frames that the stack builds come from
   * @param executor runs tasks on the stack's owner, from any thread
   */
  public NetworkStack(
      String netns,
      Clock clock,
      RandomSource random,
      SkBuffPool pool,
      FrameSink sink,
      SocketHooks.Factory hooks,
      Executor executor) {
    context = new Context(clock, random, pool, hooks.of(this::isBound), executor);
    LinkInfo lo =
        new LinkInfo(1, "lo", LinkInfo.Kind.LOOPBACK, MacAddress.ZERO, 65536, 0, netns, "");
    NetDevice loopback = device(lo, true);
    routes = new Routes(loopback);
    routes.addAddress(loopback, new Ipv4Address(0x7f00_0001), 8);
    ipv4 = new Ipv4(context, routes, sink);
    udp = new Udp(context, routes, ipv4);
    tcp = new Tcp(context, routes, ipv4);
    ipv4.register(IpProtocol.UDP, udp);
    ipv4.register(IpProtocol.TCP, tcp);
  }

  /**
   * A pod's stack: {@code lo}, and {@code eth0} with ADDRESS/32, a link-scope route to the gateway
   * and a default route via it, as the CNI plugin sets them.
   *
   * @param routeMtu the default route's MTU, 0 for the device's
   */
  public static NetworkStack ofPod(
      LinkInfo eth0,
      Ipv4Address address,
      Ipv4Address gateway,
      int routeMtu,
      Clock clock,
      RandomSource random,
      SkBuffPool pool,
      FrameSink sink) {
    NetworkStack stack = new NetworkStack(eth0.netns(), clock, random, pool, sink);
    stack.addInterface(eth0, false);
    stack.addAddress(eth0.ifindex(), address, 32);
    Ipv4Prefix router = new Ipv4Prefix(gateway, 32);
    Ipv4Prefix everywhere = new Ipv4Prefix(Ipv4Address.ANY, 0);
    stack.addRoute(new Route(router, null, eth0.name(), null, "link", "boot"), 0);
    stack.addRoute(new Route(everywhere, gateway, eth0.name(), null, "global", "boot"), routeMtu);
    return stack;
  }

  private boolean isBound(int protocol, int address, int port) {
    return switch (protocol) {
      case IpProtocol.TCP -> tcp.isListening(address, port);
      case IpProtocol.UDP -> udp.isBound(address, port);
      default -> false;
    };
  }

  private NetDevice device(LinkInfo link, boolean noArp) {
    return new NetDevice(
        link,
        noArp,
        Math.min(link.mtu(), context.largestDatagram()),
        link.kind() == LinkInfo.Kind.VETH && context.hasLarge());
  }

  private NetDevice device(int ifindex) {
    NetDevice device = routes.device(ifindex);
    if (device == null) {
      throw new IllegalArgumentException(
          "this namespace has no interface " + ifindex + "; add it first");
    }
    return device;
  }

  /**
   * Adds an interface that is up.
   *
   * @param noArp IFF_NOARP: no address resolution, frames carry the device's own MAC as destination
   *     unless a permanent neighbour says otherwise
   */
  public void addInterface(LinkInfo link, boolean noArp) {
    addInterface(link, noArp, () -> Statistics.ZERO);
  }

  /** As above, for a device that counts. */
  public void addInterface(LinkInfo link, boolean noArp, Supplier<Statistics> statistics) {
    NetDevice device = device(link, noArp);
    device.statistics = statistics;
    routes.addDevice(device);
  }

  /** From now on what is sent on {@code lo} goes to a device; before, the stack loops it itself. */
  public void attachLoopback(Supplier<Statistics> statistics) {
    device(LOOPBACK).statistics = statistics;
    ipv4.attachLoopback();
  }

  /** Takes an interface away with its addresses, routes and neighbours. */
  public void removeInterface(int ifindex) {
    ipv4.neighbours().removeDevice(device(ifindex));
    routes.removeDevice(ifindex);
  }

  /** Adds an address and, for a prefix shorter than 32, the link-scope route to its network. */
  public void addAddress(int ifindex, Ipv4Address address, int prefixLength) {
    routes.addAddress(device(ifindex), address, prefixLength);
  }

  public void removeAddress(int ifindex, Ipv4Address address) {
    routes.removeAddress(device(ifindex), address);
  }

  /**
   * Adds or replaces the route to a destination.
   *
   * @param mtu the route's MTU, 0 for the device's
   */
  public void addRoute(Route route, int mtu) {
    NetDevice device = routes.deviceByName(route.device());
    if (device == null) {
      throw new IllegalArgumentException(
          "route "
              + route.destination()
              + ": this namespace has no interface \""
              + route.device()
              + "\"; add it first");
    }
    routes.addRoute(route, device, mtu);
  }

  public void removeRoute(Ipv4Prefix destination) {
    routes.removeRoute(destination);
  }

  /** Adds a PERMANENT neighbour. */
  public void addNeighbour(int ifindex, Ipv4Address address, MacAddress mac) {
    context.tick();
    ipv4.neighbours().addPermanent(device(ifindex), address.value(), mac.value());
  }

  /** net.ipv4.ip_forward, off by default. */
  public void setForwarding(boolean on) {
    ipv4.setForwarding(on);
  }

  /**
   * {@code iptables -A CILIUM_OUTPUT -j MARK --set-xmark MARK/0xf00}: what begins here carries it,
   * so that cilium_host's program knows the node itself from what the node forwards. 0 for none.
   */
  public void markOutput(int mark) {
    ipv4.setOutputMark(mark);
  }

  /**
   * {@code iptables -t nat -s PODS ! -d EXCLUSION ! -o cilium_+ -j MASQUERADE}, in the place of any
   * such rule before.
   */
  public void masquerade(Ipv4Prefix pods, Ipv4Prefix exclusion) {
    ipv4.setMasquerade(new Masquerade(context, pods, exclusion, tcp::hearsReply));
  }

  /** Takes that rule away; connections that it translated are cut. */
  public void noMasquerade() {
    ipv4.setMasquerade(null);
  }

  /**
   * net.ipv4.conf.all.route_localnet for one part of 127.0.0.0/8, where nodes on one machine have
   * their addresses.
   */
  public void routeLocalnet(Ipv4Prefix network) {
    routes.routeLocalnet(network);
  }

  /** Tells {@code observer} what becomes of packets that are traced. */
  public void observeRouting(RoutingObserver observer) {
    ipv4.observeRouting(observer);
  }

  /** Takes one frame from a device. Never throws on what is in it. */
  public void receive(int ifindex, SkBuff frame) {
    context.tick();
    take(ifindex, frame);
    drain();
  }

  /**
   * Takes the first {@code count} frames of a batch; the array stays the caller's. Acknowledgements
   * are sent once for the batch, as GRO has them.
   */
  public void receive(int ifindex, SkBuff[] frames, int count) {
    context.tick();
    tcp.beginBatch();
    int taken = 0;
    try {
      while (taken < count) {
        take(ifindex, frames[taken++]);
      }
    } finally {
      while (taken < count) {
        context.release(frames[taken++]); // a process threw: no frame is lost with it
      }
    }
    tcp.endBatch();
    drain();
  }

  private void take(int ifindex, SkBuff frame) {
    context.count(Counter.FRAMES_IN);
    NetDevice device = closed ? null : routes.device(ifindex);
    boolean kept = false;
    try {
      if (device == null) {
        context.count(Counter.DROP_NO_DEVICE);
      } else {
        kept = handle(device, frame);
      }
    } finally {
      if (!kept) {
        context.release(frame);
      }
    }
  }

  /** Answers whether the frame went on and is no longer ours. */
  private boolean handle(NetDevice device, SkBuff frame) {
    if (frame.length < Headers.ETHERNET) {
      context.count(Counter.DROP_TOO_SHORT);
      return false;
    }
    long to = frame.mac(0);
    boolean group = (to & 0x0100_0000_0000L) != 0;
    boolean ours = to == device.mac() || device.isLoopback() || frame.forHost;
    frame.forHost = false;
    if (!group && !ours) {
      context.count(Counter.DROP_OTHER_HOST);
      return false;
    }
    return switch (frame.u16(12)) {
      case EtherType.IPV4 -> ipv4.receive(device, frame, group);
      case EtherType.ARP -> {
        ipv4.neighbours().receive(device, frame, !group);
        yield false;
      }
      default -> {
        context.count(Counter.DROP_UNKNOWN_ETHERTYPE);
        yield false;
      }
    };
  }

  /** Delivers what waits on lo, and the calls into processes that socket calls left behind. */
  private void drain() {
    int left = DRAIN_LIMIT;
    while (left > 0 && (ipv4.hasLoopback() || !context.deferred.isEmpty())) {
      for (int calls = context.deferred.size(); calls > 0 && left > 0; calls--, left--) {
        Runnable call = context.deferred.poll();
        if (call != null) {
          call.run();
        }
      }
      int frames = Math.min(left, Math.min(LOOPBACK_BATCH, ipv4.loopbackWaiting()));
      tcp.beginBatch();
      for (int i = 0; i < frames; i++, left--) {
        SkBuff frame = ipv4.pollLoopback();
        if (frame != null) {
          take(LOOPBACK, frame);
        }
      }
      tcp.endBatch();
    }
  }

  /** When {@link #runTimers} is due, on {@link Clock#nanos}; {@link #NO_DEADLINE} if never. */
  public long nextDeadlineNanos() {
    if (ipv4.hasLoopback() || !context.deferred.isEmpty()) {
      return Math.min(context.now, context.timers.next());
    }
    return context.timers.next();
  }

  /** Does what is due at the clock's time. */
  public void runTimers() {
    context.tick();
    drain();
    context.timers.run(context.now);
    drain();
  }

  /**
   * Ends the namespace: connections are reset, sockets closed, timers dropped, buffers returned. No
   * handler is called any more.
   */
  public void close() {
    context.tick();
    tcp.close();
    udp.close();
    ipv4.icmp().close();
    ipv4.raws().close();
    ipv4.close();
    context.timers.removeAll();
    context.deferred.clear();
    closed = true;
  }

  /**
   * What the stack counted, by the names of {@code nstat} where it has one, and what is in use now:
   * {@code Sock…} for sockets, {@code Timers}, {@code Neighbours}.
   */
  public Map<String, Long> counters() {
    Map<String, Long> values = new LinkedHashMap<>();
    for (Counter counter : Counter.values()) {
      values.put(counter.key(), context.value(counter));
    }
    long established = 0;
    for (Connection connection : tcp.list()) {
      if (connection instanceof TcpSocket socket
          && (socket.state() == TcpState.ESTABLISHED || socket.state() == TcpState.CLOSE_WAIT)) {
        established++;
      }
    }
    values.put("TcpCurrEstab", established);
    values.put("SockTcpInuse", (long) tcp.connections());
    values.put("SockTcpTimeWait", (long) tcp.timeWaits());
    values.put("SockTcpListen", (long) tcp.listeners());
    values.put("SockUdpInuse", (long) udp.sockets());
    values.put("SockPingInuse", (long) ipv4.icmp().sockets());
    values.put("SockRawInuse", (long) ipv4.raws().sockets());
    values.put("SockFragInuse", (long) ipv4.reassembly().pending());
    values.put("Neighbours", (long) ipv4.neighbours().list().size());
    values.put("Timers", (long) context.timers.pending());
    return values;
  }

  private void checkOpen() throws SocketException {
    context.tick();
    if (closed) {
      throw new SocketException(SocketError.NETWORK_UNREACHABLE, "the namespace is gone");
    }
  }

  @Override
  public TcpConnection connect(SocketAddress remote, TcpHandler handler) throws SocketException {
    checkOpen();
    return tcp.connect(remote, 0, handler);
  }

  @Override
  public TcpListener listen(Ipv4Address local, int port, int backlog, Acceptor acceptor)
      throws SocketException {
    checkOpen();
    return tcp.listen(local, port, backlog, 0, acceptor);
  }

  @Override
  public UdpSocket bindUdp(Ipv4Address local, int port, UdpHandler handler) throws SocketException {
    checkOpen();
    return udp.bind(local, port, 0, handler);
  }

  @Override
  public void enableTransparentProxy() {
    ipv4.setProxying();
  }

  @Override
  public TcpListener listenTransparent(int port, int backlog, int mark, Acceptor acceptor)
      throws SocketException {
    checkOpen();
    return tcp.listen(Ipv4Address.ANY, port, backlog, mark, acceptor);
  }

  @Override
  public TcpConnection connectFrom(
      SocketAddress local, SocketAddress remote, int mark, TcpHandler handler)
      throws SocketException {
    checkOpen();
    return tcp.connect(local, remote, mark, handler);
  }

  @Override
  public TcpConnection connectMarked(SocketAddress remote, int mark, TcpHandler handler)
      throws SocketException {
    checkOpen();
    return tcp.connect(remote, mark, handler);
  }

  @Override
  public UdpSocket bindMarked(int mark, UdpHandler handler) throws SocketException {
    checkOpen();
    return udp.bind(Ipv4Address.ANY, 0, mark, handler);
  }

  @Override
  public TransparentUdpSocket bindTransparent(
      int port, int mark, TransparentUdpSocket.Handler handler) throws SocketException {
    checkOpen();
    return udp.bindTransparent(port, mark, handler);
  }

  @Override
  public PingSocket openPing(PingHandler handler) throws SocketException {
    checkOpen();
    return ipv4.icmp().open(handler);
  }

  @Override
  public RawSocket openRaw(int protocol, RawSocket.Handler handler) throws SocketException {
    checkOpen();
    return ipv4.raws().open(protocol, handler);
  }

  @Override
  public Timer schedule(long delayMs, Runnable task) {
    context.tick();
    Timers.Timer timer = new Timers.Timer(task);
    if (!closed) {
      long delay = Math.min(Math.max(0, delayMs), Long.MAX_VALUE / 2 / Context.MILLISECOND);
      context.timers.set(timer, context.now + delay * Context.MILLISECOND);
    }
    return () -> context.timers.remove(timer);
  }

  @Override
  public List<LinkInfo> links() {
    List<LinkInfo> links = new ArrayList<>();
    for (NetDevice device : routes.devices()) {
      links.add(device.link);
    }
    return links;
  }

  @Override
  public List<SocketInfo> sockets() {
    List<SocketInfo> all = new ArrayList<>(tcp.infos());
    all.addAll(udp.infos());
    return all;
  }

  @Override
  public Statistics statistics(int ifindex) {
    NetDevice device = routes.device(ifindex);
    return device == null ? Statistics.ZERO : device.statistics.get();
  }

  @Override
  public List<Address> addresses() {
    List<Address> addresses = new ArrayList<>();
    for (NetDevice device : routes.devices()) {
      for (NetDevice.Assigned assigned : device.addresses) {
        addresses.add(
            new Address(
                device.name(),
                assigned.address(),
                assigned.prefixLength(),
                device.scopeOf(assigned)));
      }
    }
    return addresses;
  }

  @Override
  public List<Route> routes() {
    return routes.list();
  }

  @Override
  public List<Neighbour> neighbours() {
    List<Neighbour> shown = new ArrayList<>();
    for (dev.paramecium.container.stack.Neighbour neighbour : ipv4.neighbours().list()) {
      shown.add(
          new Neighbour(
              new Ipv4Address(neighbour.address),
              neighbour.device.name(),
              neighbour.macKnown ? new MacAddress(neighbour.mac) : null,
              neighbour.state.name()));
    }
    return shown;
  }

  @Override
  public @Nullable Route routeTo(Ipv4Address destination) {
    return routes.routeTo(destination);
  }
}
