package dev.paramecium.datapath;

import dev.paramecium.bpf.Backlog;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.NetworkNamespace;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The way up into a namespace's stack, with a bounded queue.
 *
 * @param backlog how many frames may wait at the namespace
 */
public record NamespacePort(
    ActorRef<NetworkNamespace.Command> namespace, Backlog backlog, SkBuffPool pool) {

  /** Hands frames that arrived at a device to the stack. Gives them away. */
  public void receive(int ifindex, PacketBatch packets) {
    if (!backlog.reserve(packets.size())) {
      pool.releaseWithPackets(packets);
      return;
    }
    SkBuff[] frames = new SkBuff[packets.size()];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = packets.get(i);
    }
    packets.clear();
    pool.release(packets);
    namespace.tell(new NetworkNamespace.Receive(ifindex, frames, backlog));
  }

  /** The frames that a stack sends as a batch for a device. */
  public static PacketBatch batchOf(SkBuff[] frames, SkBuffPool pool) {
    PacketBatch batch = pool.takeBatch();
    for (SkBuff frame : frames) {
      batch.add(frame);
    }
    return batch;
  }
}
