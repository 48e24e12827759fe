package dev.paramecium.container.stack;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.SocketInfo;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets.Acceptor;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.TcpListener;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Wire;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * TCP (RFC 9293): which connection a segment belongs to, and what has none.
 *
 * <pre>
 *   segment --four-tuple--> TcpSocket | TimeWait
 *           --local port--> TcpListenSocket (SYN)
 *           --nothing-----> RST
 * </pre>
 */
final class Tcp implements Transport {

  /** net.ipv4.tcp_challenge_ack_limit: a second, over all connections. */
  private static final int CHALLENGES_PER_SECOND = 1000;

  /** TIME-WAIT is reused by a new connection of ours after a second, as tcp_tw_reuse has it. */
  private static final long REUSE_AFTER = Context.SECOND;

  final TcpOutput output;

  private final Context context;
  private final Routes routes;
  private final Ipv4 ipv4;
  private final SipHash secret;
  private final PortSequence ports;
  private final ConnectionTable table;
  private final TimeWaits timeWaits;
  private final Map<SocketAddress, TcpListenSocket> listeners = new HashMap<>();
  private final Map<Integer, Integer> listeningPorts = new HashMap<>();
  private final List<TcpSocket> ackAtEnd = new ArrayList<>();
  private final TcpSegment segment = new TcpSegment();
  private boolean batching;
  private long challengeSecond = -1;
  private int challenges;

  Tcp(Context context, Routes routes, Ipv4 ipv4) {
    this.context = context;
    this.routes = routes;
    this.ipv4 = ipv4;
    this.secret = new SipHash(context.random);
    this.ports = new PortSequence(context);
    this.table = new ConnectionTable(context.random.nextInt());
    this.timeWaits = new TimeWaits(context, table);
    this.output = new TcpOutput(context, routes, ipv4);
  }

  // ---- socket calls ----

  TcpConnection connect(SocketAddress asked, int mark, TcpHandler handler) throws SocketException {
    long cookie = context.hooks.newCookie();
    SocketAddress source = new SocketAddress(sourceTo(asked.address()), 0);
    SocketAddress remote = context.hooks.connect(IpProtocol.TCP, cookie, source, asked);
    return connect(remote, cookie, mark, handler);
  }

  private TcpConnection connect(SocketAddress remote, long cookie, int mark, TcpHandler handler)
      throws SocketException {
    Destination path = path(remote);
    TcpSocket socket =
        ports.first(
            path.source,
            path.address,
            remote.port(),
            port ->
                listeningPorts.containsKey(port)
                    ? null
                    : open(path, path.source, port, remote.port(), mark, cookie, handler));
    if (socket != null) {
      return socket;
    }
    throw new SocketException(
        SocketError.ADDRESS_NOT_AVAILABLE,
        "connect to " + remote + ": all ports from 32768 to 60999 are in use");
  }

  /** With IP_TRANSPARENT and bound to an address that may be anybody's. */
  TcpConnection connect(SocketAddress local, SocketAddress remote, int mark, TcpHandler handler)
      throws SocketException {
    long cookie = context.hooks.newCookie();
    TcpSocket socket =
        open(
            path(remote),
            local.address().value(),
            local.port(),
            remote.port(),
            mark,
            cookie,
            handler);
    if (socket == null) {
      throw new SocketException(
          SocketError.ADDRESS_NOT_AVAILABLE,
          "connect to " + remote + ": there is a connection from " + local + " already");
    }
    return socket;
  }

  private Destination path(SocketAddress remote) throws SocketException {
    int address = remote.address().value() == 0 ? 0x7f00_0001 : remote.address().value();
    Destination path = routes.lookup(address);
    if (path == null || path.broadcast || Routes.isMulticast(address)) {
      throw new SocketException(
          SocketError.NETWORK_UNREACHABLE, "connect to " + remote + ": no route");
    }
    return path;
  }

  /** Sends SYN from these ends; null if another connection has them. */
  private @Nullable TcpSocket open(
      Destination path,
      int local,
      int port,
      int remotePort,
      int mark,
      long cookie,
      TcpHandler handler) {
    Connection taken = table.find(local, port, path.address, remotePort);
    int iss = initialSequence(local, port, path.address, remotePort);
    if (taken instanceof TimeWait old && old.timestamps && context.now - old.since >= REUSE_AFTER) {
      iss = old.sendNext + 65537;
      timeWaits.remove(old);
      context.count(Counter.TCP_TIME_WAIT_RECYCLED);
    } else if (taken != null) {
      return null;
    }
    TcpSocket socket = new TcpSocket(this, context, path, local, port, remotePort, mark, cookie);
    table.put(socket);
    context.count(Counter.TCP_ACTIVE_OPENS);
    socket.open(iss, handler);
    return socket;
  }

  /** Where a packet to an address would come from; unspecified if there is no route. */
  private Ipv4Address sourceTo(Ipv4Address destination) {
    Destination path = routes.lookup(destination.value());
    return path == null ? Ipv4Address.ANY : new Ipv4Address(path.source);
  }

  TcpListener listen(Ipv4Address local, int port, int backlog, int mark, Acceptor acceptor)
      throws SocketException {
    if (local.value() != 0 && !routes.isLocal(local.value())) {
      throw new SocketException(
          SocketError.ADDRESS_NOT_AVAILABLE, local + " is not an address of this namespace");
    }
    int bound = port == 0 ? freePort(local) : port;
    SocketAddress address = new SocketAddress(local, bound);
    if (conflicts(address)) {
      throw new SocketException(SocketError.ADDRESS_IN_USE, "TCP " + address);
    }
    if (!context.hooks.mayBind(IpProtocol.TCP, context.hooks.newCookie(), address)) {
      throw new SocketException(SocketError.OPERATION_NOT_PERMITTED, "TCP " + address);
    }
    TcpListenSocket listener = new TcpListenSocket(this, address, backlog, acceptor, mark);
    listeners.put(address, listener);
    listeningPorts.merge(bound, 1, Integer::sum);
    return listener;
  }

  private int freePort(Ipv4Address local) throws SocketException {
    int start = context.random(Ports.COUNT);
    for (int i = 0; i < Ports.COUNT; i++) {
      int port = Ports.FIRST + (start + i) % Ports.COUNT;
      if (!conflicts(new SocketAddress(local, port))) {
        return port;
      }
    }
    throw new SocketException(
        SocketError.ADDRESS_IN_USE, "all ports from 32768 to 60999 are listened on");
  }

  /** An unspecified address conflicts with every other one on the same port. */
  private boolean conflicts(SocketAddress address) {
    if (!listeningPorts.containsKey(address.port())) {
      return false;
    }
    return address.address().value() == 0
        || listeners.containsKey(address)
        || listeners.containsKey(new SocketAddress(Ipv4Address.ANY, address.port()));
  }

  void removeListener(TcpListenSocket listener) {
    if (listeners.remove(listener.local(), listener)) {
      listeningPorts.computeIfPresent(
          listener.local().port(), (_, count) -> count == 1 ? null : count - 1);
    }
  }

  // ---- segments in ----

  /** Whether a packet of these ends would be one of this host's own connections. */
  boolean hearsReply(Masquerade.Tuple of) {
    return of.protocol == IpProtocol.TCP
        && table.find(of.destination, of.destinationPort, of.source, of.sourcePort) != null;
  }

  @Override
  public boolean holds(Datagram in) {
    if (in.payloadLength < Headers.TCP || in.fragmentOffset() != 0) {
      return false;
    }
    int ports = Wire.i32(in.bytes, in.payloadAt);
    return table.find(in.destination, ports & 0xffff, in.source, ports >>> 16) != null;
  }

  @Override
  public void receive(Datagram in) {
    context.count(Counter.TCP_IN);
    TcpSegment s = segment;
    if (in.broadcast || !s.parse(in)) {
      context.count(Counter.TCP_IN_ERRORS);
      return;
    }
    long pseudo =
        Checksum.pseudoHeader(in.source, in.destination, IpProtocol.TCP, in.payloadLength);
    if (!in.checksumVerified
        && !Checksum.isValid(in.bytes, in.payloadAt, in.payloadLength, pseudo)) {
      context.count(Counter.TCP_IN_ERRORS);
      context.count(Counter.TCP_IN_CHECKSUM_ERRORS);
      return;
    }
    Connection connection = table.find(s.destination, s.destinationPort, s.source, s.sourcePort);
    switch (connection) {
      case TcpSocket socket -> socket.receive(s);
      case TimeWait old -> timeWait(old, s, in.proxyPort);
      case null -> unconnected(s, in.proxyPort, initialSequence(s));
    }
  }

  /** RFC 9293, 3.10.7.1 and 3.10.7.2: no connection, perhaps a listener. */
  private void unconnected(TcpSegment s, int proxyPort, int iss) {
    if (s.has(TcpSegment.RST)) {
      return;
    }
    TcpListenSocket listener =
        proxyPort == 0
            ? listener(s.destination, s.destinationPort)
            : listener(Ipv4Address.ANY.value(), proxyPort);
    if (listener == null && proxyPort != 0) {
      return; // TPROXY drops what no proxy waits for
    }
    if (listener == null || s.has(TcpSegment.ACK)) {
      output.resetFor(s);
      return;
    }
    if (!s.has(TcpSegment.SYN) || s.has(TcpSegment.FIN)) {
      return;
    }
    Destination back = routes.lookup(s.source);
    if (listener.isFull() || back == null) {
      context.count(Counter.TCP_LISTEN_OVERFLOWS);
      return;
    }
    TcpSocket socket =
        new TcpSocket(
            this,
            context,
            back,
            s.destination,
            s.destinationPort,
            s.sourcePort,
            listener.mark,
            context.hooks.newCookie());
    table.put(socket);
    listener.remember(socket);
    socket.accept(listener, iss, s);
  }

  boolean isListening(int address, int port) {
    return listener(address, port) != null;
  }

  private @Nullable TcpListenSocket listener(int address, int port) {
    if (!listeningPorts.containsKey(port)) {
      return null;
    }
    TcpListenSocket exact = listeners.get(new SocketAddress(new Ipv4Address(address), port));
    return exact != null ? exact : listeners.get(new SocketAddress(Ipv4Address.ANY, port));
  }

  /** RFC 9293, 3.10.7.4 for TIME-WAIT, and RFC 6191 for a new SYN. */
  private void timeWait(TimeWait old, TcpSegment s, int proxyPort) {
    boolean stale =
        old.timestamps && s.hasTimestamps && Seq.before(s.timestamp, old.recentTimestamp);
    if (s.has(TcpSegment.RST)) {
      if (s.seq == old.receiveNext && !stale) {
        timeWaits.remove(old);
      }
      return;
    }
    boolean newer =
        Seq.after(s.seq, old.receiveNext)
            || (old.timestamps && s.hasTimestamps && Seq.after(s.timestamp, old.recentTimestamp));
    if (s.has(TcpSegment.SYN) && !s.has(TcpSegment.ACK) && !stale && newer) {
      timeWaits.remove(old);
      context.count(Counter.TCP_TIME_WAIT_RECYCLED);
      unconnected(s, proxyPort, old.sendNext + 65537);
      return;
    }
    if (s.length() > 0 || s.seq != old.receiveNext) {
      if (s.has(TcpSegment.FIN) && !stale && s.end() == old.receiveNext) {
        timeWaits.restart(old);
      }
      if (mayChallenge()) {
        output.timeWaitAck(old);
      }
    }
  }

  @Override
  public void error(IcmpError error) {
    Datagram about = error.quoted();
    int ports = Wire.i32(about.bytes, about.payloadAt);
    Connection connection =
        table.find(about.source, ports >>> 16, about.destination, ports & 0xffff);
    if (connection instanceof TcpSocket socket) {
      socket.icmpError(error, Wire.i32(about.bytes, about.payloadAt + 4));
    } else {
      context.count(Counter.ICMP_IN_IGNORED);
    }
  }

  // ---- what connections need ----

  boolean isBatching() {
    return batching;
  }

  void beginBatch() {
    batching = true;
  }

  void ackAtEndOfBatch(TcpSocket socket) {
    ackAtEnd.add(socket);
  }

  void endBatch() {
    batching = false;
    for (int i = 0; i < ackAtEnd.size(); i++) {
      ackAtEnd.get(i).endOfBatch();
    }
    ackAtEnd.clear();
  }

  Neighbours neighbours() {
    return ipv4.neighbours();
  }

  /** The path as the route table has it now; null if there is no route any more. */
  @Nullable Destination refresh(Destination path) {
    return routes.isCurrent(path) ? path : routes.lookup(path.address);
  }

  boolean learnPathMtu(IcmpError error) {
    return ipv4.icmp().learnPathMtu(error);
  }

  boolean mayChallenge() {
    long second = context.now / Context.SECOND;
    if (second != challengeSecond) {
      challengeSecond = second;
      challenges = 0;
    }
    return challenges++ < CHALLENGES_PER_SECOND;
  }

  void remove(TcpSocket socket) {
    table.remove(socket);
  }

  void enterTimeWait(TcpSocket socket) {
    if (timeWaits.isFull()) {
      context.count(Counter.TCP_TIME_WAIT_OVERFLOW);
      table.remove(socket);
    } else {
      context.count(Counter.TCP_TIME_WAIT);
      timeWaits.add(TimeWait.of(socket, context.now));
    }
  }

  /** RFC 6528: a clock of 64 ns ticks plus a secret function of the four-tuple. */
  private int initialSequence(int local, int localPort, int remote, int remotePort) {
    long addresses = (long) local << 32 | (remote & 0xffff_ffffL);
    return (int) (context.now >>> 6)
        + (int) secret.hash(addresses, (long) localPort << 16 | remotePort);
  }

  private int initialSequence(TcpSegment s) {
    return initialSequence(s.destination, s.destinationPort, s.source, s.sourcePort);
  }

  /** One offset for a pair of hosts, so that timestamps grow from connection to connection. */
  int timestampOffset(int local, int remote) {
    return (int) secret.hash((long) local << 32 | (remote & 0xffff_ffffL), -1);
  }

  // ---- inspection ----

  int timeWaits() {
    return timeWaits.size();
  }

  int listeners() {
    return listeners.size();
  }

  /** Connections that are not in TIME-WAIT. */
  int connections() {
    return table.size() - timeWaits.size();
  }

  /** For {@code netstat}: listeners, then connections. */
  List<SocketInfo> infos() {
    List<SocketInfo> infos = new ArrayList<>();
    for (TcpListenSocket listener : listeners.values()) {
      infos.add(listener.info());
    }
    for (Connection connection : table.list()) {
      infos.add(
          switch (connection) {
            case TcpSocket socket ->
                info(
                    socket,
                    socket.state().shown(),
                    socket.receiver.unread(),
                    socket.sender.buffered());
            case TimeWait over -> info(over, SocketInfo.State.TIME_WAIT, 0, 0);
          });
    }
    return infos;
  }

  private static SocketInfo info(
      Connection connection, SocketInfo.State state, int unread, int unsent) {
    return new SocketInfo(
        SocketInfo.Protocol.TCP,
        state,
        new SocketAddress(new Ipv4Address(connection.localAddress), connection.localPort),
        new SocketAddress(new Ipv4Address(connection.remoteAddress), connection.remotePort),
        unread,
        unsent);
  }

  List<Connection> list() {
    return table.list();
  }

  /** Resets every connection and forgets everything. */
  void close() {
    listeners.clear();
    listeningPorts.clear();
    for (Connection connection : table.list()) {
      if (connection instanceof TcpSocket socket) {
        socket.abort();
      }
    }
    timeWaits.close();
    table.clear();
    ackAtEnd.clear();
  }
}
