package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_ARRAY: values by u32 index, all there from the start and zero. Values are
 * little-endian images of their bytes, each from a fresh 64-bit word; a value longer than 8 bytes
 * that is replaced while it is read may be seen in part, as in the kernel.
 */
public final class BpfArrayMap extends AttributedMap {

  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  private final int stride;
  private final long[] words;

  public BpfArrayMap(int id, String name, int valueSize, int maxEntries) {
    super(id, name, Type.ARRAY, Integer.BYTES, valueSize, maxEntries);
    if (valueSize < 1 || maxEntries < 1) {
      throw new IllegalArgumentException(
          name + " with values of " + valueSize + " bytes and max_entries " + maxEntries);
    }
    this.stride = Words.count(valueSize);
    this.words = new long[Math.multiplyExact(stride, maxEntries)];
  }

  /** The u8 at a byte offset of value {@code index}. */
  public int u8(int index, int offset) {
    return (int) (word(index, offset) >>> ((offset & 7) << 3)) & 0xff;
  }

  /** The little-endian 32 bits at a byte offset that is a multiple of 4. */
  public int i32(int index, int offset) {
    return (int) (word(index, offset) >>> ((offset & 7) << 3));
  }

  /** The little-endian 64 bits at a byte offset that is a multiple of 8. */
  public long i64(int index, int offset) {
    return word(index, offset);
  }

  private long word(int index, int offset) {
    return (long) WORD.getOpaque(words, index * stride + (offset >>> 3));
  }

  @Override
  public int size() {
    return maxEntries;
  }

  private int indexOf(byte[] key) {
    int index = key.length == Integer.BYTES ? Words.i32(key) : -1;
    return index < maxEntries ? index : -1;
  }

  @Override
  public byte @Nullable [] lookup(byte[] key) {
    int index = indexOf(key);
    return index < 0 ? null : value(index);
  }

  /** A copy of value {@code index}. */
  public byte[] value(int index) {
    byte[] value = new byte[valueSize];
    Words.copyOut(words, index * stride, value, 0, valueSize);
    return value;
  }

  /** E2BIG for an index beyond the array. */
  @Override
  public @Nullable Errno update(byte[] key, byte[] value) {
    if (key.length != Integer.BYTES || value.length != valueSize) {
      return Errno.EINVAL;
    }
    int index = indexOf(key);
    if (index < 0) {
      return Errno.E2BIG;
    }
    synchronized (this) {
      for (int i = 0; i < stride; i++) {
        WORD.setOpaque(words, index * stride + i, Words.word(value, 0, valueSize, i));
      }
    }
    return null;
  }

  /** Never: an array's entries cannot be deleted. */
  @Override
  public boolean delete(byte[] key) {
    return false;
  }

  @Override
  public void forEach(BiConsumer<byte[], byte[]> entry) {
    for (int index = 0; index < maxEntries; index++) {
      entry.accept(Words.bytes(index), value(index));
    }
  }
}
