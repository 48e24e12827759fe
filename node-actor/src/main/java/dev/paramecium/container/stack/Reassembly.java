package dev.paramecium.container.stack;

import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Wire;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Puts IPv4 fragments together (RFC 791, RFC 815): bounded in memory and time. Fragments that
 * overlap discard the whole datagram, as Linux does since CVE-2018-5391.
 */
final class Reassembly {

  /** net.ipv4.ipfrag_time. */
  private static final long TIMEOUT = 30 * Context.SECOND;

  /** net.ipv4.ipfrag_high_thresh: bytes over all datagrams. */
  static final int MEMORY_LIMIT = 4 << 20;

  /** What an entry costs beside its payload. */
  private static final int OVERHEAD = 256;

  private static final int MAX_DATAGRAM = 65535;

  private record Key(int source, int destination, int protocolAndId) {}

  /** A datagram that is not whole. */
  private static final class Partial {
    final long deadline;
    byte[] header = new byte[0];
    byte[] payload = new byte[0];

    /** Pairs of start and end of what is there, ascending and disjoint. */
    int[] ranges = new int[8];

    int rangeCount;
    int total = -1;
    int received;

    Partial(long deadline) {
      this.deadline = deadline;
    }

    int cost() {
      return OVERHEAD + payload.length;
    }
  }

  private final Context context;
  private final Consumer<byte[]> timedOut;
  private final Map<Key, Partial> partials = new LinkedHashMap<>();
  private final Timers.Timer timer = new Timers.Timer(this::expire);
  private int memory;

  /**
   * @param timedOut takes the header and what is there of a datagram whose first fragment came but
   *     not the rest
   */
  Reassembly(Context context, Consumer<byte[]> timedOut) {
    this.context = context;
    this.timedOut = timedOut;
  }

  /** Takes a fragment; answers the whole datagram, header first, when it was the last piece. */
  byte @Nullable [] add(Datagram fragment) {
    context.count(Counter.IP_REASSEMBLY_NEEDED);
    int start = fragment.fragmentOffset();
    int length = fragment.payloadLength;
    int end = start + length;
    boolean more = fragment.moreFragments();
    Key key =
        new Key(
            fragment.source,
            fragment.destination,
            fragment.protocol << 16 | fragment.identification());
    if (length == 0 || (more && (length & 7) != 0) || end + fragment.headerLength > MAX_DATAGRAM) {
      context.count(Counter.IP_REASSEMBLY_FAILED);
      return null;
    }
    Partial partial = partials.get(key);
    if (partial == null) {
      partial = new Partial(context.now + TIMEOUT);
      partials.put(key, partial);
      memory += partial.cost();
      if (!timer.isSet()) {
        context.timers.set(timer, partial.deadline);
      }
    }
    if ((!more && partial.total >= 0 && partial.total != end)
        || (partial.total >= 0 && end > partial.total)
        || (!more && partial.rangeCount > 0 && partial.ranges[partial.rangeCount * 2 - 1] > end)) {
      discard(key, partial);
      return null;
    }
    int position = position(partial, start);
    if (position > 0 && partial.ranges[position * 2 - 1] >= end) {
      return null;
    }
    if ((position > 0 && partial.ranges[position * 2 - 1] > start)
        || (position < partial.rangeCount && partial.ranges[position * 2] < end)) {
      discard(key, partial);
      return null;
    }
    if (!more) {
      partial.total = end;
    }
    store(partial, fragment, start, end);
    insert(partial, position, start, end);
    if (partial.received == partial.total) {
      remove(key, partial);
      return whole(partial);
    }
    while (memory > MEMORY_LIMIT && !partials.isEmpty()) {
      Map.Entry<Key, Partial> oldest = partials.entrySet().iterator().next();
      discard(oldest.getKey(), oldest.getValue());
    }
    return null;
  }

  int pending() {
    return partials.size();
  }

  void close() {
    partials.clear();
    memory = 0;
    context.timers.remove(timer);
  }

  private static byte[] whole(Partial partial) {
    int header = partial.header.length;
    byte[] datagram = new byte[header + partial.total];
    System.arraycopy(partial.header, 0, datagram, 0, header);
    System.arraycopy(partial.payload, 0, datagram, header, partial.total);
    Wire.setU16(datagram, 2, datagram.length);
    Wire.setU16(datagram, 6, 0);
    Wire.setU16(datagram, 10, 0);
    Wire.setU16(datagram, 10, Checksum.finish(Checksum.sum(datagram, 0, header)));
    return datagram;
  }

  /** The index of the first range that starts behind {@code start}. */
  private static int position(Partial partial, int start) {
    int position = 0;
    while (position < partial.rangeCount && partial.ranges[position * 2] <= start) {
      position++;
    }
    return position;
  }

  private void store(Partial partial, Datagram fragment, int start, int end) {
    if (end > partial.payload.length) {
      memory -= partial.cost();
      int size = Math.max(end, Math.min(MAX_DATAGRAM, partial.payload.length * 2));
      partial.payload = Arrays.copyOf(partial.payload, size);
      memory += partial.cost();
    }
    System.arraycopy(fragment.bytes, fragment.payloadAt, partial.payload, start, end - start);
    partial.received += end - start;
    if (start == 0) {
      partial.header =
          Arrays.copyOfRange(fragment.bytes, fragment.at, fragment.at + fragment.headerLength);
    }
  }

  private static void insert(Partial partial, int position, int start, int end) {
    boolean joinsLeft = position > 0 && partial.ranges[position * 2 - 1] == start;
    boolean joinsRight = position < partial.rangeCount && partial.ranges[position * 2] == end;
    int[] ranges = partial.ranges;
    if (joinsLeft && joinsRight) {
      ranges[position * 2 - 1] = ranges[position * 2 + 1];
      System.arraycopy(
          ranges,
          (position + 1) * 2,
          ranges,
          position * 2,
          (partial.rangeCount - position - 1) * 2);
      partial.rangeCount--;
    } else if (joinsLeft) {
      ranges[position * 2 - 1] = end;
    } else if (joinsRight) {
      ranges[position * 2] = start;
    } else {
      if (partial.rangeCount * 2 == ranges.length) {
        ranges = Arrays.copyOf(ranges, ranges.length * 2);
        partial.ranges = ranges;
      }
      System.arraycopy(
          ranges, position * 2, ranges, (position + 1) * 2, (partial.rangeCount - position) * 2);
      ranges[position * 2] = start;
      ranges[position * 2 + 1] = end;
      partial.rangeCount++;
    }
  }

  private void expire() {
    Iterator<Partial> oldest = partials.values().iterator();
    while (oldest.hasNext()) {
      Partial partial = oldest.next();
      if (partial.deadline > context.now) {
        context.timers.set(timer, partial.deadline);
        return;
      }
      oldest.remove();
      memory -= partial.cost();
      context.count(Counter.IP_REASSEMBLY_TIMEOUT);
      context.count(Counter.IP_REASSEMBLY_FAILED);
      if (partial.header.length > 0) {
        byte[] first = Arrays.copyOf(partial.header, partial.header.length + partial.ranges[1]);
        System.arraycopy(partial.payload, 0, first, partial.header.length, partial.ranges[1]);
        timedOut.accept(first);
      }
    }
  }

  private void discard(Key key, Partial partial) {
    remove(key, partial);
    context.count(Counter.IP_REASSEMBLY_FAILED);
  }

  private void remove(Key key, Partial partial) {
    partials.remove(key);
    memory -= partial.cost();
  }
}
