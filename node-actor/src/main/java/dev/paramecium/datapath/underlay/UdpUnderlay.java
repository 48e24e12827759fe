package dev.paramecium.datapath.underlay;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Vxlan;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Frames as UDP datagrams between the nodes' own addresses.
 *
 * <pre>
 *   VXLAN   the datagram is the VXLAN packet, from one of 16 source ports by flow, to PORT
 *   other   the datagram is the frame, from PORT+1 to PORT+1
 * </pre>
 *
 * Where a frame goes follows from its destination MAC ({@link OuterHeaders#nodeOf}). What arrives
 * as VXLAN gets its outer headers back from the datagram's own addresses, whoever sent it: a Linux
 * VXLAN device is as welcome as another node.
 */
public final class UdpUnderlay implements Underlay {

  /** The TTL that a real datagram's header most likely has; sockets do not tell. */
  private static final int ASSUMED_TTL = 64;

  private static final int CACHE_MASK = 255;

  private final DatagramSockets sockets;
  private final Ipv4Address nodeIp;
  private final NodeResolver resolver;
  private final SkBuffPool pool;
  private final int[] flowPorts;
  private final LongAdder sent = new LongAdder();
  private final LongAdder received = new LongAdder();
  private final LongAdder notSent = new LongAdder();
  private final LongAdder unknownNode = new LongAdder();
  private final LongAdder noBuffer = new LongAdder();
  private final LongAdder tooLong = new LongAdder();
  private final LongAdder tooShort = new LongAdder();

  // Direct-mapped cache of where nodes listen: node, real address, port; the sender's alone.
  private final int[] cachedNode = new int[CACHE_MASK + 1];
  private final int[] cachedAddress = new int[CACHE_MASK + 1];
  private final int[] cachedPort = new int[CACHE_MASK + 1];
  private @Nullable Receiving receiving;
  private boolean closed;

  UdpUnderlay(DatagramSockets sockets, Ipv4Address nodeIp, NodeResolver resolver, SkBuffPool pool) {
    this.sockets = sockets;
    this.nodeIp = nodeIp;
    this.resolver = resolver;
    this.pool = pool;
    this.flowPorts = sockets.flowPorts();
  }

  /** On a {@link DatapathLoop}, that loop receives; elsewhere a thread of the underlay's own. */
  @Override
  public synchronized void start(Receiver frames) {
    if (closed) {
      return;
    }
    Inbox inbox = new Inbox(frames);
    DatapathLoop loop = DatapathLoop.current();
    receiving =
        loop != null && sockets instanceof PolledSockets polled
            ? new LoopReceiving(loop, polled, inbox)
            : new ThreadReceiving(inbox);
  }

  @Override
  public int sourcePort(int flowHash) {
    return flowPorts[flowOf(flowHash)];
  }

  private static int flowOf(int hash) {
    return (hash ^ hash >>> 16) & (DatagramSockets.FLOWS - 1);
  }

  @Override
  public void send(PacketBatch frames) {
    int count = frames.size();
    for (int i = 0; i < count; i++) {
      SkBuff frame = frames.get(i);
      int at = find(OuterHeaders.nodeOf(frame.mac(Ethernet.DESTINATION)));
      if (at < 0) {
        unknownNode.increment();
      } else if (OuterHeaders.isUdpTo(frame, Vxlan.LINUX_PORT)) {
        sockets.send(
            DatagramSockets.FLOW + flowOfPort(OuterHeaders.sourcePort(frame), frame.hash),
            cachedAddress[at],
            cachedPort[at],
            frame.bytes,
            frame.head + OuterHeaders.LENGTH,
            frame.length - OuterHeaders.LENGTH);
      } else {
        sockets.send(
            DatagramSockets.FRAMES,
            cachedAddress[at],
            cachedPort[at] + 1,
            frame.bytes,
            frame.head,
            frame.length);
      }
    }
    int failed = sockets.flush();
    notSent.add(failed);
    sent.add(count - failed);
    pool.releaseWithPackets(frames);
  }

  /** The socket that is bound to the port, which {@link #sourcePort} gave out. */
  private int flowOfPort(int port, int hash) {
    int expected = flowOf(hash);
    if (flowPorts[expected] == port) {
      return expected;
    }
    for (int i = 0; i < flowPorts.length; i++) {
      if (flowPorts[i] == port) {
        return i;
      }
    }
    return expected; // a process of the node's own wrote this packet: any port is as good
  }

  /** The cache line of a node, or -1 if there is no such node. */
  private int find(int node) {
    int at = (node ^ node >>> 8) & CACHE_MASK;
    if (cachedNode[at] == node && cachedPort[at] != 0) {
      return at;
    }
    InetSocketAddress address = resolver.listenAddress(new Ipv4Address(node));
    if (address == null) {
      return -1;
    }
    cachedNode[at] = node;
    cachedAddress[at] = SocketAddresses.value(address.getAddress());
    cachedPort[at] = address.getPort();
    return at;
  }

  @Override
  public String kind() {
    return sockets.kind();
  }

  @Override
  public Map<String, Long> counters() {
    return Map.of(
        "underlay_sent", sent.sum(),
        "underlay_received", received.sum(),
        "underlay_drop_not_sent", notSent.sum(),
        "underlay_drop_unknown_node", unknownNode.sum(),
        "underlay_drop_no_buffer", noBuffer.sum(),
        "underlay_drop_too_long", tooLong.sum(),
        "underlay_drop_too_short", tooShort.sum());
  }

  @Override
  public void close() {
    Receiving started;
    synchronized (this) {
      closed = true;
      started = receiving;
    }
    if (started == null) {
      sockets.close();
      sockets.receive(Nobody.INSTANCE); // closes what no receiver will
    } else {
      started.end();
    }
  }

  /** Who receives; ends once, and then the sockets are closed. */
  private sealed interface Receiving {
    void end();
  }

  private final class ThreadReceiving implements Receiving {

    private final Thread thread;

    ThreadReceiving(Inbox inbox) {
      thread =
          Thread.ofPlatform()
              .daemon()
              .name("underlay-" + nodeIp)
              .start(
                  () -> {
                    while (sockets.receive(inbox)) {
                      inbox.flush();
                    }
                    inbox.discard();
                  });
    }

    @Override
    public void end() {
      sockets.close();
      if (thread != Thread.currentThread()) {
        try {
          thread.join();
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  private static final class LoopReceiving implements Receiving, DatapathLoop.Source {

    private final DatapathLoop loop;
    private final PolledSockets sockets;
    private final Inbox inbox;
    private final CountDownLatch ended = new CountDownLatch(1);

    LoopReceiving(DatapathLoop loop, PolledSockets sockets, Inbox inbox) {
      this.loop = loop;
      this.sockets = sockets;
      this.inbox = inbox;
      loop.add(this);
    }

    @Override
    public int[] descriptors() {
      return sockets.receiving();
    }

    @Override
    public boolean poll(boolean all) {
      boolean arrived = sockets.receiveNow(inbox, all);
      inbox.flush();
      return arrived;
    }

    @Override
    public void ended() {
      inbox.discard();
      sockets.release();
      ended.countDown();
    }

    @Override
    public void end() {
      loop.remove(this);
      if (DatapathLoop.current() != loop) {
        try {
          ended.await();
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  /** Takes nothing. */
  private enum Nobody implements DatagramSockets.Sink {
    INSTANCE;

    @Override
    public @Nullable SkBuff room(int length) {
      return null;
    }

    @Override
    public void arrived(SkBuff packet, int socket, int sourceAddress, int sourcePort) {
      throw new IllegalStateException("a datagram without room");
    }

    @Override
    public void flush() {
      // Nothing is ever collected.
    }
  }

  /** Collects what arrives into batches; lives on the receiving thread. */
  private final class Inbox implements DatagramSockets.Sink {

    private final Receiver frames;
    private final int maxDatagram = pool.maxPacketLength();
    private final ReceiveOffload offload = new ReceiveOffload(pool);
    private PacketBatch batch = pool.takeBatch();
    private int arrived;
    private int identification;
    private int lastReal;
    private int lastNode;

    Inbox(Receiver frames) {
      this.frames = frames;
    }

    @Override
    public @Nullable SkBuff room(int length) {
      if (length > maxDatagram) {
        tooLong.increment();
        return null;
      }
      if (length < Vxlan.HEADER_LENGTH) {
        tooShort.increment();
        return null;
      }
      SkBuff packet = pool.take();
      if (packet == null) {
        noBuffer.increment();
        return null;
      }
      packet.length = length;
      return packet;
    }

    @Override
    public void burst(int datagrams) {
      offload.burst(datagrams);
    }

    @Override
    public void arrived(SkBuff packet, int socket, int sourceAddress, int sourcePort) {
      arrived++;
      if (socket == DatagramSockets.VXLAN) {
        OuterHeaders.push(
            packet,
            nodeAt(sourceAddress),
            nodeIp.value(),
            ASSUMED_TTL,
            identification++ & 0xffff,
            sourcePort,
            Vxlan.LINUX_PORT);
        if (offload.merge(packet)) {
          return;
        }
        deliverHeld();
        if (offload.hold(packet)) {
          return;
        }
      }
      deliver(packet);
    }

    /** What is held goes before what came later, and at the latest with the batch. */
    private void deliverHeld() {
      SkBuff packet = offload.take();
      if (packet != null) {
        deliver(packet);
      }
    }

    private void deliver(SkBuff packet) {
      batch.add(packet);
      if (batch.isFull()) {
        give();
      }
    }

    private int nodeAt(int real) {
      if (real != lastReal) {
        lastNode = resolver.nodeAt(new Ipv4Address(real)).value();
        lastReal = real;
      }
      return lastNode;
    }

    @Override
    public void flush() {
      deliverHeld();
      give();
    }

    private void give() {
      received.add(arrived);
      arrived = 0;
      if (!batch.isEmpty()) {
        PacketBatch full = batch;
        batch = pool.takeBatch();
        frames.receive(full);
      }
    }

    void discard() {
      SkBuff held = offload.take();
      if (held != null) {
        pool.release(held);
      }
      pool.releaseWithPackets(batch);
    }
  }
}
