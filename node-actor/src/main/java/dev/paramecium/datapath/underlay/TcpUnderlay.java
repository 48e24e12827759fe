package dev.paramecium.datapath.underlay;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.FlowHash;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Frames on TCP connections, for networks that carry no UDP: each node listens on its VXLAN port
 * number and connects to those it sends to. A connection carries frames one way.
 *
 * <pre>
 *   | length u16 | frame, outer headers included | length u16 | frame | …
 * </pre>
 *
 * One thread does all; what waits for a peer is bounded, and what finds no room is dropped, as on a
 * wire. A connection that breaks is made again with the next frame.
 */
public final class TcpUnderlay implements Underlay {

  private static final int PREFIX = 2;
  private static final int WAITING_BATCHES = 1024;
  private static final int PEER_FRAMES = 4096;
  private static final int BUFFER = 256 << 10;

  private final Ipv4Address nodeIp;
  private final NodeResolver resolver;
  private final SkBuffPool pool;
  private final Selector selector;
  private final ServerSocketChannel server;
  private final ArrayBlockingQueue<PacketBatch> outbox = new ArrayBlockingQueue<>(WAITING_BATCHES);
  private final Map<Integer, Peer> peers = new HashMap<>();
  private final LongAdder sent = new LongAdder();
  private final LongAdder received = new LongAdder();
  private final LongAdder notSent = new LongAdder();
  private final LongAdder unknownNode = new LongAdder();
  private final LongAdder noBuffer = new LongAdder();
  private final LongAdder malformed = new LongAdder();
  private volatile boolean closed;
  private @Nullable Thread thread;

  /**
   * @throws UnderlayException if the port is taken or the address is not this machine's
   */
  TcpUnderlay(
      InetSocketAddress listen, Ipv4Address nodeIp, NodeResolver resolver, SkBuffPool pool) {
    this.nodeIp = nodeIp;
    this.resolver = resolver;
    this.pool = pool;
    try {
      selector = Selector.open();
      server = ServerSocketChannel.open();
    } catch (IOException e) {
      throw new UnderlayException("no TCP socket can be opened: " + e.getMessage(), e);
    }
    try {
      server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      server.bind(listen);
      server.configureBlocking(false);
      server.register(selector, SelectionKey.OP_ACCEPT);
    } catch (IOException e) {
      closeQuietly(server);
      closeQuietly(selector);
      throw Underlays.cannotBind("TCP", listen, e);
    }
  }

  @Override
  public void start(Receiver receiver) {
    thread = Thread.ofPlatform().daemon().name("underlay-" + nodeIp).start(() -> run(receiver));
  }

  @Override
  public int sourcePort(int flowHash) {
    return FlowHash.sourcePort(flowHash);
  }

  @Override
  public void send(PacketBatch frames) {
    if (closed || !outbox.offer(frames)) {
      notSent.add(frames.size());
      pool.releaseWithPackets(frames);
      return;
    }
    selector.wakeup();
  }

  @Override
  public String kind() {
    return "tcp";
  }

  @Override
  public Map<String, Long> counters() {
    return Map.of(
        "underlay_sent", sent.sum(),
        "underlay_received", received.sum(),
        "underlay_drop_not_sent", notSent.sum(),
        "underlay_drop_unknown_node", unknownNode.sum(),
        "underlay_drop_no_buffer", noBuffer.sum(),
        "underlay_drop_malformed", malformed.sum());
  }

  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    Thread running = thread;
    if (running == null) {
      closeAll();
    } else if (running != Thread.currentThread()) {
      try {
        running.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void run(Receiver receiver) {
    try {
      while (!closed) {
        selector.select(key -> ready(key, receiver));
        for (PacketBatch batch = outbox.poll(); batch != null; batch = outbox.poll()) {
          distribute(batch);
        }
      }
    } catch (IOException _) {
      closed = true; // the selector itself failed
    }
    closeAll();
  }

  private void closeAll() {
    for (PacketBatch batch = outbox.poll(); batch != null; batch = outbox.poll()) {
      pool.releaseWithPackets(batch);
    }
    peers.values().forEach(Peer::discard);
    for (SelectionKey key : selector.keys()) {
      closeQuietly(key.channel());
    }
    closeQuietly(selector);
  }

  private void ready(SelectionKey key, Receiver receiver) {
    if (!key.isValid()) {
      return;
    }
    switch (key.attachment()) {
      case null -> accept();
      case Peer peer -> peer.ready();
      case Incoming incoming -> incoming.ready(receiver);
      default -> throw new IllegalStateException("unknown attachment " + key.attachment());
    }
  }

  private void accept() {
    try {
      SocketChannel channel = server.accept();
      if (channel != null) {
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.register(selector, SelectionKey.OP_READ, new Incoming(channel));
      }
    } catch (IOException _) {
      // The other side went away between its connect and our accept.
    }
  }

  private void distribute(PacketBatch batch) {
    for (int i = 0; i < batch.size(); i++) {
      SkBuff frame = batch.get(i);
      int node = OuterHeaders.nodeOf(frame.mac(Ethernet.DESTINATION));
      Peer peer = peers.get(node);
      if (peer == null) {
        InetSocketAddress address = resolver.listenAddress(new Ipv4Address(node));
        if (address == null) {
          unknownNode.increment();
          pool.release(frame);
          continue;
        }
        peer = new Peer(address);
        peers.put(node, peer);
      }
      peer.add(frame);
    }
    batch.clear();
    pool.release(batch);
    peers.values().forEach(Peer::push);
  }

  private static void closeQuietly(java.io.Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException _) {
      // Nothing is left to be done about what cannot be closed.
    }
  }

  /** The connection to a node that frames are sent to. */
  private final class Peer {

    private final InetSocketAddress address;
    private final ArrayDeque<SkBuff> frames = new ArrayDeque<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER).flip();
    private @Nullable SocketChannel channel;

    Peer(InetSocketAddress address) {
      this.address = address;
    }

    void add(SkBuff frame) {
      if (frames.size() == PEER_FRAMES) {
        notSent.increment();
        pool.release(frame);
      } else {
        frames.add(frame);
      }
    }

    void push() {
      if (frames.isEmpty() && !buffer.hasRemaining()) {
        return;
      }
      try {
        if (channel == null) {
          connect();
        } else if (channel.isConnected()) {
          write();
        }
      } catch (IOException _) {
        disconnect();
      }
    }

    private void connect() throws IOException {
      SocketChannel opened = SocketChannel.open();
      channel = opened;
      opened.configureBlocking(false);
      opened.setOption(StandardSocketOptions.TCP_NODELAY, true);
      boolean done = opened.connect(address);
      opened.register(selector, SelectionKey.OP_CONNECT, this);
      if (done) {
        write();
      }
    }

    void ready() {
      SocketChannel ready = channel;
      if (ready == null) {
        return;
      }
      try {
        if (!ready.isConnected()) {
          ready.finishConnect();
        }
        write();
      } catch (IOException _) {
        disconnect();
      }
    }

    private void write() throws IOException {
      SocketChannel open = channel;
      if (open == null) {
        return;
      }
      while (fill()) {
        open.write(buffer);
        if (buffer.hasRemaining()) {
          break;
        }
      }
      SelectionKey key = open.keyFor(selector);
      if (key != null) {
        key.interestOps(buffer.hasRemaining() ? SelectionKey.OP_WRITE : 0);
      }
    }

    /** Whether there is something to write. */
    private boolean fill() {
      buffer.compact();
      while (!frames.isEmpty() && buffer.remaining() >= PREFIX + frames.getFirst().length) {
        SkBuff frame = frames.removeFirst();
        buffer.putShort((short) frame.length);
        buffer.put(frame.bytes, frame.head, frame.length);
        pool.release(frame);
        sent.increment();
      }
      buffer.flip();
      return buffer.hasRemaining();
    }

    /** What was on its way is lost, as on a broken wire; the next frame connects again. */
    private void disconnect() {
      if (channel != null) {
        closeQuietly(channel);
      }
      channel = null;
      buffer.clear().flip();
      notSent.add(frames.size());
      discard();
    }

    void discard() {
      frames.forEach(pool::release);
      frames.clear();
    }
  }

  /** A connection on which another node's frames arrive. */
  private final class Incoming {

    private final SocketChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);

    Incoming(SocketChannel channel) {
      this.channel = channel;
    }

    void ready(Receiver receiver) {
      try {
        int count = channel.read(buffer);
        if (count < 0) {
          closeQuietly(channel);
          return;
        }
        buffer.flip();
        boolean sane = parse(receiver);
        buffer.compact();
        if (!sane) {
          malformed.increment();
          closeQuietly(channel);
        }
      } catch (IOException _) {
        closeQuietly(channel);
      }
    }

    /** False for a length that no frame has: the stream cannot be understood any more. */
    private boolean parse(Receiver receiver) {
      PacketBatch batch = pool.takeBatch();
      boolean sane = true;
      while (buffer.remaining() >= PREFIX) {
        int length = buffer.getShort(buffer.position()) & 0xffff;
        if (length < Ethernet.HEADER_LENGTH || length > pool.maxPacketLength()) {
          sane = false;
          break;
        }
        if (buffer.remaining() < PREFIX + length) {
          break;
        }
        buffer.position(buffer.position() + PREFIX);
        SkBuff packet = pool.take();
        if (packet == null) {
          noBuffer.increment();
          buffer.position(buffer.position() + length);
          continue;
        }
        packet.length = length;
        buffer.get(packet.bytes, packet.head, length);
        received.increment();
        batch.add(packet);
        if (batch.isFull()) {
          receiver.receive(batch);
          batch = pool.takeBatch();
        }
      }
      if (batch.isEmpty()) {
        pool.release(batch);
      } else {
        receiver.receive(batch);
      }
      return sane;
    }
  }
}
