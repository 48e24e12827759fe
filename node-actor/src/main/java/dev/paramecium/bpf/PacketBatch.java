package dev.paramecium.bpf;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Up to {@value #CAPACITY} packets that move between actors together, so that a hop costs a
 * fraction of a packet. It never waits to fill: a device with one packet sends a batch of one.
 *
 * <p>A batch has one owner, as a packet has: sending it gives it and its packets away. The last
 * owner moves the packets on, {@link #clear}s it and returns it with {@link
 * SkBuffPool#release(PacketBatch)}.
 */
public final class PacketBatch {

  public static final int CAPACITY = 64;

  static final int NOT_KEPT = -1;

  final int slot;
  private final @Nullable SkBuff[] packets = new @Nullable SkBuff[CAPACITY];
  private final AtomicBoolean free = new AtomicBoolean(true);
  private int size;

  PacketBatch(int slot) {
    this.slot = slot;
  }

  /**
   * @throws IllegalStateException if the batch is full: ask {@link #isFull} first
   */
  public void add(SkBuff packet) {
    if (size == CAPACITY) {
      throw new IllegalStateException("a batch holds " + CAPACITY + " packets");
    }
    packets[size++] = packet;
  }

  /**
   * @throws IndexOutOfBoundsException if {@code index} is not below {@link #size}
   */
  public SkBuff get(int index) {
    SkBuff packet = index < size ? packets[index] : null;
    if (packet == null) {
      throw new IndexOutOfBoundsException("packet " + index + " of a batch of " + size);
    }
    return packet;
  }

  /** Forgets the packets, which are others' by now. */
  public void clear() {
    for (int i = 0; i < size; i++) {
      packets[i] = null;
    }
    size = 0;
  }

  public int size() {
    return size;
  }

  public boolean isEmpty() {
    return size == 0;
  }

  public boolean isFull() {
    return size == CAPACITY;
  }

  void markTaken() {
    free.setPlain(false);
  }

  void markFree() {
    if (free.getAndSet(true)) {
      throw new IllegalStateException("a batch was released twice: who owns it?");
    }
  }
}
