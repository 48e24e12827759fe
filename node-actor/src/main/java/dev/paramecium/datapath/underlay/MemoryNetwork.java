package dev.paramecium.datapath.underlay;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.FlowHash;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * An underlay within one JVM, without sockets or threads: for a cluster that runs on one thread and
 * virtual time. A frame is copied from the sender's buffers to the receiver's in the sender's call.
 */
public final class MemoryNetwork {

  private final Map<Integer, Port> ports = new ConcurrentHashMap<>();

  /** A node's way to the network. */
  public Underlay attach(Ipv4Address node, SkBuffPool pool) {
    Port port = new Port(node.value(), pool);
    if (ports.putIfAbsent(node.value(), port) != null) {
      throw new UnderlayException(
          "node " + node + " is on the network already: give this one another address", null);
    }
    return port;
  }

  private final class Port implements Underlay {

    private final int node;
    private final SkBuffPool pool;
    private final LongAdder sent = new LongAdder();
    private final LongAdder unknownNode = new LongAdder();
    private final LongAdder noBuffer = new LongAdder();
    private volatile @Nullable Receiver receiver;

    Port(int node, SkBuffPool pool) {
      this.node = node;
      this.pool = pool;
    }

    @Override
    public void start(Receiver frames) {
      receiver = frames;
    }

    @Override
    public int sourcePort(int flowHash) {
      return FlowHash.sourcePort(flowHash);
    }

    @Override
    public void send(PacketBatch frames) {
      for (int i = 0; i < frames.size(); i++) {
        SkBuff frame = frames.get(i);
        Port to = ports.get(OuterHeaders.nodeOf(frame.mac(Ethernet.DESTINATION)));
        if (to == null) {
          unknownNode.increment();
        } else {
          to.take(frame);
        }
      }
      sent.add(frames.size());
      pool.releaseWithPackets(frames);
    }

    private void take(SkBuff frame) {
      Receiver to = receiver;
      SkBuff copy = to == null ? null : pool.take();
      if (to == null || copy == null) {
        noBuffer.increment();
        return;
      }
      copy.setBytes(frame.bytes, frame.head, frame.length);
      PacketBatch batch = pool.takeBatch();
      batch.add(copy);
      to.receive(batch);
    }

    @Override
    public String kind() {
      return "memory";
    }

    @Override
    public Map<String, Long> counters() {
      return Map.of(
          "underlay_sent", sent.sum(),
          "underlay_drop_unknown_node", unknownNode.sum(),
          "underlay_drop_no_buffer", noBuffer.sum());
    }

    @Override
    public void close() {
      ports.remove(node, this);
    }
  }
}
