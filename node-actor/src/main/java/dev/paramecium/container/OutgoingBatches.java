package dev.paramecium.container;

import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Collects what the stack sends during one event, so that a device gets it as batches. */
final class OutgoingBatches {

  private static final class Batch {
    final int ifindex;
    final FrameSink sink;
    final SkBuff[] frames = new SkBuff[NetworkNamespace.BATCH];
    int count;

    Batch(int ifindex, FrameSink sink) {
      this.ifindex = ifindex;
      this.sink = sink;
    }

    void send() {
      SkBuff[] given = Arrays.copyOf(frames, count);
      count = 0;
      sink.transmit(given);
    }
  }

  private final Map<Integer, Batch> batches = new HashMap<>();
  private Batch[] all = {};

  void attach(int ifindex, FrameSink sink) {
    batches.put(ifindex, new Batch(ifindex, sink));
    all = batches.values().toArray(Batch[]::new);
  }

  /** Forgets an interface; what waits for it ends here. */
  void detach(int ifindex, SkBuffPool pool) {
    Batch batch = batches.remove(ifindex);
    all = batches.values().toArray(Batch[]::new);
    if (batch != null) {
      release(batch, pool);
    }
  }

  /** Takes a frame from the stack. */
  void add(int ifindex, SkBuff frame) {
    for (Batch batch : all) {
      if (batch.ifindex == ifindex) {
        batch.frames[batch.count++] = frame;
        if (batch.count == NetworkNamespace.BATCH) {
          batch.send();
        }
        return;
      }
    }
    throw new IllegalStateException(
        "the stack sent on interface " + ifindex + ", which is not attached");
  }

  /** Sends what waits. */
  void flush() {
    for (Batch batch : all) {
      if (batch.count > 0) {
        batch.send();
      }
    }
  }

  void release(SkBuffPool pool) {
    for (Batch batch : all) {
      release(batch, pool);
    }
  }

  private static void release(Batch batch, SkBuffPool pool) {
    for (int i = 0; i < batch.count; i++) {
      pool.release(batch.frames[i]);
    }
    batch.count = 0;
  }
}
