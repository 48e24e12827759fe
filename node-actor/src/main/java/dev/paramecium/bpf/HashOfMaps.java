package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_HASH_OF_MAPS of maps that live on their own. Userland reads an inner map as its id.
 * Any thread may use it.
 *
 * @param <K> an immutable key; {@code equals} is equality of the encoded bytes
 * @param <M> the typed view of an inner map
 */
public final class HashOfMaps<K, M> extends AttributedMap {

  private final Function<K, byte[]> encode;
  private final Function<byte[], K> decode;
  private final Function<M, BpfMap> map;
  private final Map<K, M> inner = new ConcurrentHashMap<>();

  public HashOfMaps(
      int id,
      String name,
      int keySize,
      int maxEntries,
      Function<K, byte[]> encode,
      Function<byte[], K> decode,
      Function<M, BpfMap> map) {
    super(id, name, Type.HASH_OF_MAPS, keySize, Integer.BYTES, maxEntries);
    this.encode = encode;
    this.decode = decode;
    this.map = map;
  }

  /** The map under a key, or null. */
  public @Nullable M find(K key) {
    return inner.get(key);
  }

  /** Puts a map in, in place of what is there; E2BIG if the outer map is full. */
  public synchronized @Nullable Errno put(K key, M value) {
    if (inner.size() >= maxEntries && !inner.containsKey(key)) {
      return Errno.E2BIG;
    }
    inner.put(key, value);
    return null;
  }

  /** Takes a map out from under every key. */
  public synchronized void removeAll(M value) {
    inner.values().removeIf(value::equals);
  }

  @Override
  public int size() {
    return inner.size();
  }

  @Override
  public byte @Nullable [] lookup(byte[] key) {
    M found = key.length == keySize ? find(decode.apply(key)) : null;
    return found == null ? null : Words.bytes(map.apply(found).id());
  }

  /** EINVAL: a value would have to be a file descriptor of the caller's. */
  @Override
  public @Nullable Errno update(byte[] key, byte[] value) {
    return Errno.EINVAL;
  }

  @Override
  public synchronized boolean delete(byte[] key) {
    return key.length == keySize && inner.remove(decode.apply(key)) != null;
  }

  @Override
  public void forEach(BiConsumer<byte[], byte[]> entry) {
    inner.forEach(
        (key, value) -> entry.accept(encode.apply(key), Words.bytes(map.apply(value).id())));
  }
}
