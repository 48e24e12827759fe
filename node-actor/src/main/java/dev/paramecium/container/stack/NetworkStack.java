package dev.paramecium.container.stack;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.TcpListener;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import dev.paramecium.syscall.LinkInfo;
import java.util.List;
import java.util.Map;
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
public final class NetworkStack implements Sockets, NamespaceView {

  /** No timer is pending. */
  public static final long NO_DEADLINE = Long.MAX_VALUE;

  /**
   * @param netns the namespace's name, empty for the host's
   * @param pool where the frames that the stack builds come from
   */
  public NetworkStack(
      String netns, Clock clock, RandomSource random, SkBuffPool pool, FrameSink sink) {
    throw new UnsupportedOperationException("the body follows");
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
    throw new UnsupportedOperationException("the body follows");
  }

  /**
   * Adds an interface that is up.
   *
   * @param noArp IFF_NOARP: no address resolution, frames carry the device's own MAC as destination
   *     unless a permanent neighbour says otherwise
   */
  public void addInterface(LinkInfo link, boolean noArp) {
    throw new UnsupportedOperationException("the body follows");
  }

  /** Takes an interface away with its addresses, routes and neighbours. */
  public void removeInterface(int ifindex) {
    throw new UnsupportedOperationException("the body follows");
  }

  /** Adds an address and, for a prefix shorter than 32, the link-scope route to its network. */
  public void addAddress(int ifindex, Ipv4Address address, int prefixLength) {
    throw new UnsupportedOperationException("the body follows");
  }

  public void removeAddress(int ifindex, Ipv4Address address) {
    throw new UnsupportedOperationException("the body follows");
  }

  /**
   * Adds or replaces the route to a destination.
   *
   * @param mtu the route's MTU, 0 for the device's
   */
  public void addRoute(Route route, int mtu) {
    throw new UnsupportedOperationException("the body follows");
  }

  public void removeRoute(Ipv4Prefix destination) {
    throw new UnsupportedOperationException("the body follows");
  }

  /** Adds a PERMANENT neighbour. */
  public void addNeighbour(int ifindex, Ipv4Address address, MacAddress mac) {
    throw new UnsupportedOperationException("the body follows");
  }

  /** net.ipv4.ip_forward, off by default. */
  public void setForwarding(boolean on) {
    throw new UnsupportedOperationException("the body follows");
  }

  /** Takes one frame from a device. Never throws on what is in it. */
  public void receive(int ifindex, SkBuff frame) {
    throw new UnsupportedOperationException("the body follows");
  }

  /**
   * Takes {@code count} frames of a batch; acknowledgements are sent once for the batch, as GRO has
   * them.
   */
  public void receive(int ifindex, SkBuff[] frames, int count) {
    throw new UnsupportedOperationException("the body follows");
  }

  /** When {@link #runTimers} is due, on {@link Clock#nanos}; {@link #NO_DEADLINE} if never. */
  public long nextDeadlineNanos() {
    throw new UnsupportedOperationException("the body follows");
  }

  /** Does what is due at the clock's time. */
  public void runTimers() {
    throw new UnsupportedOperationException("the body follows");
  }

  /**
   * Ends the namespace: connections are reset, sockets closed, timers dropped, buffers returned. No
   * handler is called any more.
   */
  public void close() {
    throw new UnsupportedOperationException("the body follows");
  }

  /** What the stack counted, by the names of {@code nstat} where it has one. */
  public Map<String, Long> counters() {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public TcpConnection connect(SocketAddress remote, TcpHandler handler) throws SocketException {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public TcpListener listen(Ipv4Address local, int port, int backlog, Acceptor acceptor)
      throws SocketException {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public UdpSocket bindUdp(Ipv4Address local, int port, UdpHandler handler) throws SocketException {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public PingSocket openPing(PingHandler handler) throws SocketException {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public Timer schedule(long delayMs, Runnable task) {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public List<LinkInfo> links() {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public List<Address> addresses() {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public List<Route> routes() {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public List<Neighbour> neighbours() {
    throw new UnsupportedOperationException("the body follows");
  }

  @Override
  public @Nullable Route routeTo(Ipv4Address destination) {
    throw new UnsupportedOperationException("the body follows");
  }
}
