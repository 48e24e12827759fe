package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiConsumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_HASH_OF_MAPS with keys of two bytes: each entry is an array of one value, which
 * bpf(2) shows as the inner map's id.
 *
 * <pre>
 *   u16 key --page, slot--&gt; inner map (id, one value of inner size)
 * </pre>
 *
 * Userland updates an entry with the whole value that its inner map shall have: that is
 * BPF_MAP_CREATE, BPF_MAP_UPDATE_ELEM on the new map and then on this one. A program that looks up
 * meanwhile therefore sees the old inner map or the new one, never half of each.
 */
public final class BpfHashOfMaps extends AttributedMap {

  public static final int KEY_SIZE = 2;

  private static final int PAGE = 256;

  private final IntSupplier ids;
  private final String innerName;
  private final AtomicInteger size = new AtomicInteger();
  private final AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable BpfArrayMap>> pages =
      new AtomicReferenceArray<>(PAGE);

  /**
   * @param ids gives each inner map its id
   * @param innerName of every inner map
   */
  public BpfHashOfMaps(int id, String name, int maxEntries, IntSupplier ids, String innerName) {
    super(id, name, Type.HASH_OF_MAPS, KEY_SIZE, Integer.BYTES, maxEntries);
    this.ids = ids;
    this.innerName = innerName;
  }

  /**
   * The inner map of a key, or null.
   *
   * @param key the two bytes as the machine reads them
   */
  public @Nullable BpfArrayMap find(int key) {
    AtomicReferenceArray<@Nullable BpfArrayMap> page = pages.getAcquire(key >>> 8 & 0xff);
    return page == null ? null : page.getAcquire(key & 0xff);
  }

  private static int raw(byte[] key) {
    return (key[0] & 0xff) | (key[1] & 0xff) << 8;
  }

  @Override
  public int size() {
    return size.get();
  }

  /** The inner map's id. */
  @Override
  public byte @Nullable [] lookup(byte[] key) {
    BpfArrayMap inner = key.length == KEY_SIZE ? find(raw(key)) : null;
    return inner == null ? null : idOf(inner);
  }

  private static byte[] idOf(BpfArrayMap inner) {
    int id = inner.id();
    return new byte[] {(byte) id, (byte) (id >>> 8), (byte) (id >>> 16), (byte) (id >>> 24)};
  }

  /**
   * Gives the entry a new inner map.
   *
   * @param content the inner map's value, a positive multiple of four bytes
   */
  @Override
  public synchronized @Nullable Errno update(byte[] key, byte[] content) {
    if (key.length != KEY_SIZE || content.length == 0 || content.length % Integer.BYTES != 0) {
      return Errno.EINVAL;
    }
    BpfArrayMap before = find(raw(key));
    if (before == null && size.get() >= maxEntries) {
      return Errno.E2BIG;
    }
    BpfArrayMap inner = new BpfArrayMap(ids.getAsInt(), innerName, content.length, 1);
    Errno failed = inner.update(new byte[Integer.BYTES], content);
    if (failed == null) {
      put(raw(key), inner);
      if (before == null) {
        size.incrementAndGet();
      }
    }
    return failed;
  }

  private void put(int key, @Nullable BpfArrayMap inner) {
    AtomicReferenceArray<@Nullable BpfArrayMap> page = pages.getAcquire(key >>> 8);
    if (page == null) {
      page = new AtomicReferenceArray<>(PAGE);
      pages.setRelease(key >>> 8, page);
    }
    page.setRelease(key & 0xff, inner);
  }

  @Override
  public synchronized boolean delete(byte[] key) {
    if (key.length != KEY_SIZE || find(raw(key)) == null) {
      return false;
    }
    put(raw(key), null);
    size.decrementAndGet();
    return true;
  }

  /** Keys and the ids of their inner maps. */
  @Override
  public void forEach(BiConsumer<byte[], byte[]> entry) {
    forEachInner((key, inner) -> entry.accept(key, idOf(inner)));
  }

  /** Keys and their inner maps, by key. */
  public void forEachInner(BiConsumer<byte[], BpfArrayMap> entry) {
    for (int high = 0; high < PAGE; high++) {
      AtomicReferenceArray<@Nullable BpfArrayMap> page = pages.getAcquire(high);
      for (int low = 0; page != null && low < PAGE; low++) {
        BpfArrayMap inner = page.getAcquire(low);
        if (inner != null) {
          entry.accept(new byte[] {(byte) low, (byte) high}, inner);
        }
      }
    }
  }
}
