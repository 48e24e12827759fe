package dev.paramecium.bpf;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A node's packet buffers and the batches that they travel in. Any thread may take and release.
 *
 * <pre>
 *   take() ---> owner ---> given in a message ---> owner ---> release()
 *     ^                                                          |
 *     +------------------------ free stack <---------------------+
 * </pre>
 *
 * The pool is bounded: {@link #take} answers null when {@code limit} buffers are out, and the
 * caller counts a drop. Buffers are made when first needed and kept afterwards; {@link #inUse}
 * going back to what it was is how a test proves that nothing leaked. A buffer that is released
 * twice, by whatever thread, is found out by the second release.
 */
public final class SkBuffPool {

  /** Fits a 1500-byte frame with headroom and VLAN tag. */
  public static final int DEFAULT_CAPACITY = 2048;

  /**
   * Bytes of a large buffer: fits the largest IPv4 packet that still has room for another header
   * around it.
   */
  public static final int LARGE_CAPACITY = SkBuff.HEADROOM + 65_536;

  /** More batches than this are garbage when they end, not a fault. */
  private static final int KEPT_BATCHES = 1024;

  private final int capacity;
  private final int limit;
  private final AtomicReferenceArray<@Nullable SkBuff> buffers;
  private final AtomicInteger made = new AtomicInteger();
  private final FreeStack free;
  private final @Nullable SkBuffPool large;
  private final AtomicReferenceArray<@Nullable PacketBatch> batches =
      new AtomicReferenceArray<>(KEPT_BATCHES);
  private final AtomicInteger batchesMade = new AtomicInteger();
  private final FreeStack freeBatches = new FreeStack(KEPT_BATCHES);

  /**
   * @param capacity bytes in one buffer, headroom included
   * @param limit how many buffers may be out at once, 1 to 1,048,575
   */
  public SkBuffPool(int capacity, int limit) {
    this(capacity, limit, 0);
  }

  /**
   * @param capacity bytes in one buffer, headroom included
   * @param limit how many buffers may be out at once, 1 to 1,048,575
   * @param largeLimit how many buffers of {@link #LARGE_CAPACITY} may be out beside them
   */
  public SkBuffPool(int capacity, int limit, int largeLimit) {
    if (capacity < SkBuff.HEADROOM) {
      throw new IllegalArgumentException(
          "a buffer of "
              + capacity
              + " bytes has no room for packets: it needs more than the headroom of "
              + SkBuff.HEADROOM);
    }
    this.capacity = capacity;
    this.limit = limit;
    this.free = new FreeStack(limit);
    this.buffers = new AtomicReferenceArray<>(limit);
    this.large = largeLimit == 0 ? null : new SkBuffPool(LARGE_CAPACITY, largeLimit);
  }

  /** An empty packet that the caller owns, or null if all {@code limit} buffers are out. */
  public @Nullable SkBuff take() {
    int slot = free.pop();
    SkBuff buffer = slot >= 0 ? buffers.getPlain(slot) : make();
    if (buffer == null) {
      return null;
    }
    buffer.markTaken();
    buffer.reset();
    return buffer;
  }

  /**
   * An empty packet with room for many packets' payload, or null if there is none; the caller then
   * does with small ones.
   */
  public @Nullable SkBuff takeLarge() {
    return large == null ? null : large.take();
  }

  /** Whether {@link #takeLarge} can ever answer a packet. */
  public boolean hasLarge() {
    return large != null;
  }

  private @Nullable SkBuff make() {
    int slot = made.get();
    while (slot < limit) {
      if (made.compareAndSet(slot, slot + 1)) {
        SkBuff buffer = new SkBuff(this, slot, capacity);
        buffers.setPlain(slot, buffer); // seen by others after the release that publishes the slot
        return buffer;
      }
      slot = made.get();
    }
    // All are made: one may have come back while we looked.
    int back = free.pop();
    return back >= 0 ? buffers.getPlain(back) : null;
  }

  /** Ends a packet's life. The caller must own it and not touch it again. */
  public void release(SkBuff buffer) {
    if (buffer.pool != this) {
      if (large != null && buffer.pool == large) {
        large.release(buffer);
        return;
      }
      throw new IllegalStateException("a packet was released to a pool that it does not come from");
    }
    if (!buffer.markFree()) {
      throw new IllegalStateException("a packet was released twice: who owns it?");
    }
    free.push(buffer.slot);
  }

  /** An empty batch that the caller owns. */
  public PacketBatch takeBatch() {
    int slot = freeBatches.pop();
    PacketBatch batch = slot >= 0 ? batches.getPlain(slot) : null;
    if (batch == null) {
      batch = makeBatch();
    }
    batch.markTaken();
    return batch;
  }

  private PacketBatch makeBatch() {
    int slot = batchesMade.get();
    while (slot < KEPT_BATCHES) {
      if (batchesMade.compareAndSet(slot, slot + 1)) {
        PacketBatch batch = new PacketBatch(slot);
        batches.setPlain(slot, batch);
        return batch;
      }
      slot = batchesMade.get();
    }
    return new PacketBatch(PacketBatch.NOT_KEPT);
  }

  /**
   * Takes an empty batch back.
   *
   * @throws IllegalStateException if packets are in it, or if it was released before
   */
  public void release(PacketBatch batch) {
    if (!batch.isEmpty()) {
      throw new IllegalStateException(
          "a batch with " + batch.size() + " packets was released: give or release them first");
    }
    batch.markFree();
    if (batch.slot != PacketBatch.NOT_KEPT) {
      freeBatches.push(batch.slot);
    }
  }

  /** Takes a batch back with all packets that are in it. */
  public void releaseWithPackets(PacketBatch batch) {
    for (int i = 0; i < batch.size(); i++) {
      release(batch.get(i));
    }
    batch.clear();
    release(batch);
  }

  /** How many buffers are out; exact when no other thread takes or releases. */
  public int inUse() {
    return made.get() - free.size() + (large == null ? 0 : large.inUse());
  }

  public int limit() {
    return limit;
  }

  /** Bytes that a packet can have at most. */
  public int maxPacketLength() {
    return capacity - SkBuff.HEADROOM;
  }
}
