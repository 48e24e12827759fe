package dev.paramecium.kernel;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.bpf.BpfMap;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes expired entries out of the conntrack maps, as cilium-agent does ({@code pkg/maps/ctmap}),
 * and says how soon to come again: sooner if much was expired, later if little was.
 */
final class ConntrackGc {

  static final Duration FIRST = Duration.ofMinutes(5);
  private static final Duration MIN = Duration.ofSeconds(10);

  /** Of LRU maps, which make room by themselves. */
  private static final Duration MAX = Duration.ofHours(12);

  private static final double MANY = 0.25;
  private static final double MOST = 0.9;
  private static final double FEW = 0.05;

  private Duration interval = FIRST;
  private long collected;

  /** Deletes what expired before {@code nowSeconds}; answers when to come again. */
  Duration collect(List<? extends BpfMap> maps, int nowSeconds) {
    double ratio = 0;
    for (BpfMap map : maps) {
      List<byte[]> expired = new ArrayList<>();
      int before = map.size();
      map.forEach(
          (key, value) -> {
            if (Integer.compareUnsigned(CtEntry.decode(value).lifetime(), nowSeconds) < 0) {
              expired.add(key);
            }
          });
      expired.forEach(map::delete);
      collected += expired.size();
      ratio = Math.max(ratio, before == 0 ? 0 : (double) expired.size() / before);
    }
    if (ratio > MANY) {
      long kept = Math.round(interval.toSeconds() * (1 - Math.min(ratio, MOST)));
      interval = max(MIN, Duration.ofSeconds(kept));
    } else if (ratio < FEW) {
      interval = min(MAX, interval.multipliedBy(3).dividedBy(2));
    }
    return interval;
  }

  /** How many entries it took away so far. */
  long collected() {
    return collected;
  }

  private static Duration max(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  private static Duration min(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }
}
