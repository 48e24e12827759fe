package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_SOCKHASH: established sockets by a key that programs choose. A socket leaves the map
 * when it is closed; nobody else has to take it out.
 *
 * <p>The kernel answers userland's lookups with ENOSPC unless values have eight bytes, so the
 * values are empty here. Any thread may use the map.
 *
 * @param <K> an immutable key; {@code equals} is equality of the encoded bytes
 */
public final class SockHash<K> extends AttributedMap {

  private final Function<K, byte[]> encode;
  private final Function<byte[], K> decode;
  private final Map<K, Sock> sockets = new ConcurrentHashMap<>();
  private final AtomicInteger size = new AtomicInteger();

  public SockHash(
      int id,
      String name,
      int keySize,
      int valueSize,
      int maxEntries,
      Function<K, byte[]> encode,
      Function<byte[], K> decode) {
    super(id, name, Type.SOCKHASH, keySize, valueSize, maxEntries);
    this.encode = encode;
    this.decode = decode;
  }

  /**
   * {@code bpf_sock_hash_update} with BPF_NOEXIST.
   *
   * @return 0, -EEXIST, or -E2BIG if the map is full
   */
  public int add(K key, Sock socket) {
    if (size.incrementAndGet() > maxEntries) {
      size.decrementAndGet();
      return -Errno.E2BIG.number();
    }
    if (sockets.putIfAbsent(key, socket) != null) {
      size.decrementAndGet();
      return -Errno.EEXIST.number();
    }
    return 0;
  }

  /** The socket under a key, or null. */
  public @Nullable Sock find(K key) {
    return sockets.get(key);
  }

  /** The socket is closed: its entry goes, another socket's under the same key stays. */
  public void remove(K key, Sock socket) {
    if (sockets.remove(key, socket)) {
      size.decrementAndGet();
    }
  }

  @Override
  public int size() {
    return size.get();
  }

  @Override
  public byte @Nullable [] lookup(byte[] key) {
    return null;
  }

  /** EINVAL: a value would have to be a file descriptor of the caller's. */
  @Override
  public @Nullable Errno update(byte[] key, byte[] value) {
    return Errno.EINVAL;
  }

  @Override
  public boolean delete(byte[] key) {
    boolean found = key.length == keySize && sockets.remove(decode.apply(key)) != null;
    if (found) {
      size.decrementAndGet();
    }
    return found;
  }

  @Override
  public void forEach(BiConsumer<byte[], byte[]> entry) {
    byte[] unreadable = new byte[0];
    sockets.forEach((key, _) -> entry.accept(encode.apply(key), unreadable));
  }
}
