package dev.paramecium.bpf;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A node's packet buffers. Any thread may take and release.
 *
 * <p>The pool is bounded: {@link #take} answers null when {@code limit} buffers are out, and the
 * caller counts a drop. Buffers are made when first needed and kept on a ring of slots afterwards;
 * {@link #inUse} going back to what it was is how a test proves that nothing leaked.
 */
public final class SkBuffPool {

  /** Fits a 1500-byte frame with headroom and VLAN tag. */
  public static final int DEFAULT_CAPACITY = 2048;

  private final int capacity;
  private final int limit;
  private final AtomicInteger inUse = new AtomicInteger();
  private final AtomicReferenceArray<@Nullable SkBuff> spare;
  private final AtomicInteger spares = new AtomicInteger();

  /**
   * @param capacity bytes in one buffer, headroom included
   * @param limit how many buffers may be out at once
   */
  public SkBuffPool(int capacity, int limit) {
    this.capacity = capacity;
    this.limit = limit;
    this.spare = new AtomicReferenceArray<>(limit);
  }

  /** An empty packet that the caller owns, or null if all {@code limit} buffers are out. */
  public @Nullable SkBuff take() {
    if (inUse.incrementAndGet() > limit) {
      inUse.decrementAndGet();
      return null;
    }
    SkBuff buffer = null;
    while (buffer == null) {
      int count = spares.get();
      if (count == 0) {
        buffer = new SkBuff(this, capacity);
      } else if (spares.compareAndSet(count, count - 1)) {
        buffer = spare.getAndSet(count - 1, null);
      }
    }
    buffer.free = false;
    buffer.reset();
    return buffer;
  }

  /** Ends a packet's life. The caller must own it and not touch it again. */
  public void release(SkBuff buffer) {
    if (buffer.pool != this || buffer.free) {
      throw new IllegalStateException("released twice, or to a pool that it does not come from");
    }
    buffer.free = true;
    int slot = spares.getAndIncrement();
    spare.set(slot, buffer);
    inUse.decrementAndGet();
  }

  public int inUse() {
    return inUse.get();
  }

  public int limit() {
    return limit;
  }
}
