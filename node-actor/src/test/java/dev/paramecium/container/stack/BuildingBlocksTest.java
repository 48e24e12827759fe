package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.socket.SocketHooks;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Wire;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** The stack's data structures against naive ones. */
class BuildingBlocksTest {

  @Property(tries = 200)
  void timersFireInOrderOfTheirLastSetting(
      @ForAll @Size(min = 1, max = 200) List<@IntRange(min = 0, max = 9_999) Integer> script) {
    Timers timers = new Timers();
    List<Integer> fired = new ArrayList<>();
    Timers.Timer[] all = new Timers.Timer[20];
    Map<Integer, Long> model = new HashMap<>();
    for (int i = 0; i < all.length; i++) {
      int number = i;
      all[i] = new Timers.Timer(() -> fired.add(number));
    }
    long now = 0;
    for (int step : script) {
      int which = step % all.length;
      int what = step / 20 % 10;
      long at = now + step % 97;
      if (what < 6) {
        timers.set(all[which], at);
        model.put(which, at);
      } else if (what == 6) {
        timers.clear(all[which]);
        model.remove(which);
      } else if (what == 7) {
        timers.remove(all[which]);
        model.remove(which);
      } else {
        now += step % 50;
        timers.run(now);
        long time = now;
        assertThat(fired)
            .containsExactlyInAnyOrderElementsOf(
                model.entrySet().stream()
                    .filter(entry -> entry.getValue() <= time)
                    .map(Map.Entry::getKey)
                    .toList());
        for (int i = 1; i < fired.size(); i++) {
          assertThat(model.get(fired.get(i))).isGreaterThanOrEqualTo(model.get(fired.get(i - 1)));
        }
        fired.forEach(model::remove);
        fired.clear();
      }
      long first = model.values().stream().mapToLong(Long::longValue).min().orElse(Timers.NONE);
      assertThat(timers.next()).isEqualTo(first);
      assertThat(timers.pending()).isEqualTo(model.size());
    }
  }

  @Example
  void aTimerThatSetsItselfForNowDoesNotHoldTheStack() {
    Timers timers = new Timers();
    int[] runs = {0};
    Timers.Timer[] self = new Timers.Timer[1];
    self[0] =
        new Timers.Timer(
            () -> {
              runs[0]++;
              timers.set(self[0], 5);
            });
    timers.set(self[0], 5);
    timers.run(5);
    assertThat(runs[0]).isEqualTo(1);
    assertThat(timers.next()).isEqualTo(5);
    timers.run(5);
    assertThat(runs[0]).isEqualTo(2);
  }

  @Property(tries = 100)
  void theConnectionTableFindsWhatIsInItAndNothingElse(
      @ForAll int secret,
      @ForAll @Size(max = 600) List<@IntRange(min = 0, max = 400) Integer> keys) {
    ConnectionTable table = new ConnectionTable(secret);
    Map<Integer, Connection> model = new TreeMap<>();
    for (int key : keys) {
      Connection known = model.remove(key);
      if (known == null) {
        Connection added = connection(key);
        table.put(added);
        model.put(key, added);
      } else {
        assertThat(table.remove(known)).isTrue();
        assertThat(table.remove(known)).isFalse();
      }
    }
    assertThat(table.size()).isEqualTo(model.size());
    for (int key = 0; key <= 400; key++) {
      Connection asked = connection(key);
      assertThat(
              table.find(
                  asked.localAddress, asked.localPort, asked.remoteAddress, asked.remotePort))
          .isSameAs(model.get(key));
    }
    assertThat(table.list()).containsExactlyInAnyOrderElementsOf(model.values());
  }

  private static Connection connection(int key) {
    return new TimeWait(key % 3, 80 + key % 5, key / 7, key, 0, 0, 0, 0);
  }

  /** Random segments of a known stream, in any order, overlapping: the stream comes out. */
  @Property(tries = 300)
  void theReceiveBufferPutsTheStreamTogether(
      @ForAll int start, @ForAll long seed, @ForAll @IntRange(min = 1, max = 20_000) int length) {
    RandomSource random = RandomSource.seeded(seed);
    byte[] stream = TcpTransferTest.bytes(length, seed);
    ReceiveBuffer buffer = new ReceiveBuffer();
    buffer.reset(start);
    boolean[] has = new boolean[length];
    byte[] out = new byte[length];
    int read = 0;
    int[] left = new int[4];
    int[] right = new int[4];
    for (int step = 0; read < length && step < 100_000; step++) {
      int from = Math.floorMod(random.nextInt(), length);
      if (step % 3 == 0) {
        from = buffer.next() - start;
      }
      int count = Math.min(1 + Math.floorMod(random.nextInt(), 1500), length - from);
      int seq = start + from;
      int known = buffer.next() - seq;
      if (known >= count) {
        continue;
      }
      if (known >= 0) {
        buffer.append(stream, from + known, count - known);
      } else {
        int fresh = 0;
        for (int i = from; i < from + count; i++) {
          fresh += has[i] ? 0 : 1;
        }
        int stored = buffer.insert(seq, stream, from, count);
        assertThat(stored).isEqualTo(fresh);
        int blocks = buffer.blocks(left, right, 4);
        assertThat(blocks).isPositive();
        assertThat(left[0] - seq).as("the block of the latest segment first").isNotPositive();
        assertThat(right[0] - (seq + count)).isNotNegative();
      }
      Arrays.fill(has, from, from + count, true);
      while (buffer.contiguous() > 0) {
        int take = Math.min(buffer.contiguous(), 1 + Math.floorMod(random.nextInt(), 4_000));
        System.arraycopy(buffer.ring(), buffer.readAt(), out, read, take);
        buffer.consume(take);
        read += take;
      }
    }
    assertThat(out).isEqualTo(stream);
    assertThat(buffer.hasIslands()).isFalse();
  }

  @Property(tries = 200)
  void theSendBufferGivesBackWhatWasWritten(@ForAll int start, @ForAll long seed) {
    RandomSource random = RandomSource.seeded(seed);
    byte[] stream = TcpTransferTest.bytes(60_000, seed);
    SendBuffer buffer = new SendBuffer();
    buffer.reset(start);
    int written = 0;
    int dropped = 0;
    while (dropped < stream.length) {
      int wish = Math.min(stream.length - written, Math.floorMod(random.nextInt(), 9_000));
      int taken = buffer.write(stream, written, wish, 16_000);
      assertThat(taken).isEqualTo(Math.min(wish, 16_000 - (written - dropped)));
      written += taken;
      int size = written - dropped;
      if (size > 0) {
        int at = Math.floorMod(random.nextInt(), size);
        int count = Math.floorMod(random.nextInt(), size - at) + 1;
        byte[] copy = new byte[count];
        buffer.copy(start + dropped + at, copy, 0, count);
        assertThat(copy).isEqualTo(Arrays.copyOfRange(stream, dropped + at, dropped + at + count));
        dropped += Math.floorMod(random.nextInt(), size + 1);
        buffer.dropBefore(start + dropped);
      }
      assertThat(buffer.size()).isEqualTo(written - dropped);
    }
  }

  /** However segments are acknowledged, lost, cut and sent again, the counts stay true. */
  @Property(tries = 300)
  void segmentsInFlightAreCountedRight(@ForAll int start, @ForAll long seed) {
    RandomSource random = RandomSource.seeded(seed);
    SegmentQueue queue = new SegmentQueue();
    queue.reset(start);
    int next = start;
    int una = start;
    long now = 1_000;
    for (int step = 0; step < 400; step++) {
      now += Math.floorMod(random.nextInt(), 50);
      switch (Math.floorMod(random.nextInt(), 8)) {
        case 0, 1, 2 -> {
          int length = 1 + Math.floorMod(random.nextInt(), 1400);
          queue.add(next, next + length, now);
          next += length;
        }
        case 3 -> {
          queue.beginAcknowledgement();
          una += Math.floorMod(random.nextInt(), Math.min(3000, next - una + 1));
          queue.acknowledge(una, 0, now);
        }
        case 4 -> {
          if (queue.size() > 1) {
            queue.beginAcknowledgement();
            int index = Math.floorMod(random.nextInt(), queue.size());
            queue.sack(queue.seq(index), queue.end(queue.size() - 1), now);
          }
        }
        case 5 -> queue.detectLosses(now, true, 100);
        case 6 -> {
          int lost = queue.nextLost();
          if (lost >= 0) {
            queue.retransmitted(lost, now);
          }
        }
        default -> {
          switch (Math.floorMod(random.nextInt(), 6)) {
            case 0 -> queue.markAllLost();
            case 1 -> queue.split(200 + Math.floorMod(random.nextInt(), 800));
            case 2 -> queue.unmarkLost();
            default -> {}
          }
        }
      }
      assertThat(queue.outstanding()).isEqualTo(next - una);
      assertThat(queue.inFlight()).isBetween(0, next - una);
      int counted = 0;
      for (int i = 0; i < queue.size(); i++) {
        counted += queue.isInFlight(i) ? queue.end(i) - queue.seq(i) : 0;
      }
      assertThat(queue.inFlight()).isEqualTo(counted);
      assertThat(queue.isEmpty()).isEqualTo(next == una);
      if (!queue.isEmpty()) {
        assertThat(queue.seq(0)).isEqualTo(una);
        assertThat(queue.end(queue.size() - 1)).isEqualTo(next);
      }
    }
  }

  @Example
  void sipHashGivesItsAuthorsVector() {
    SipHash hash = new SipHash(0x0706050403020100L, 0x0f0e0d0c0b0a0908L);
    assertThat(hash.hash(0x0706050403020100L, 0x0f0e0d0c0b0a0908L)).isEqualTo(0x3f2acc7f57c29bdbL);
  }

  @Example
  void theRetransmissionTimeoutFollowsRfc6298WithLinuxFloor() {
    RoundTrip roundTrip = new RoundTrip();
    assertThat(roundTrip.rto()).isEqualTo(1_000_000_000L);
    roundTrip.sample(100_000_000L);
    assertThat(roundTrip.rto()).as("4 x half of the first sample").isEqualTo(300_000_000L);
    roundTrip.sample(500_000_000L);
    // SRTT 100 + 400/8 = 150 ms, RTTVAR 50 + (400 - 50)/4 = 137.5 ms.
    assertThat(roundTrip.rto()).isEqualTo(700_000_000L);
    for (int i = 0; i < 200; i++) {
      roundTrip.sample(10_000_000L);
    }
    assertThat(roundTrip.rto()).isBetween(210_000_000L, 211_000_000L);
    assertThat(roundTrip.rto(1)).isEqualTo(2 * roundTrip.rto());
    assertThat(roundTrip.rto(12)).isEqualTo(120_000_000_000L);
    assertThat(roundTrip.rto(63)).isEqualTo(120_000_000_000L);
  }

  @Example
  void cubicReducesByThreeTenthsAndComesBackToItsOldWindow() {
    Cubic cubic = new Cubic(1000);
    assertThat(cubic.window()).isEqualTo(10_000);
    cubic.acknowledged(90_000, 0, 100_000_000);
    assertThat(cubic.window()).isEqualTo(100_000);
    cubic.reduce();
    assertThat(cubic.window()).isEqualTo(70_000);
    long now = 0;
    while (cubic.window() < 99_000 && now < 60_000_000_000L) {
      now += 100_000_000;
      cubic.acknowledged(cubic.window(), now, 100_000_000);
    }
    // K = cbrt(30 / 0.4) = 4.2 s; one segment below the old window is cbrt(1 / 0.4) = 1.4 s
    // earlier.
    assertThat(now).isBetween(2_600_000_000L, 3_000_000_000L);
    cubic.timeout(true);
    assertThat(cubic.window()).isEqualTo(1000);
    assertThat(cubic.inSlowStart()).isTrue();
    cubic.undo();
    assertThat(cubic.window()).isGreaterThan(98_000);
  }

  @Property(tries = 100)
  void fragmentsInAnyOrderMakeTheDatagram(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 60_000) int length) {
    Context context =
        new Context(
            Clock.system(),
            RandomSource.seeded(seed),
            new SkBuffPool(2048, 16),
            SocketHooks.none(),
            Runnable::run);
    Reassembly reassembly = new Reassembly(context, _ -> {});
    byte[] payload = TcpTransferTest.bytes(length, seed);
    RandomSource random = RandomSource.seeded(seed);
    List<int[]> pieces = new ArrayList<>();
    for (int at = 0; at < length; ) {
      int count = Math.min(length - at, 8 * (1 + Math.floorMod(random.nextInt(), 180)));
      pieces.add(new int[] {at, count});
      at += count;
    }
    for (int i = pieces.size() - 1; i > 0; i--) {
      int other = Math.floorMod(random.nextInt(), i + 1);
      int[] swapped = pieces.get(i);
      pieces.set(i, pieces.get(other));
      pieces.set(other, swapped);
    }
    byte[] whole = null;
    for (int[] piece : pieces) {
      assertThat(whole).isNull();
      whole = reassembly.add(fragment(payload, piece[0], piece[1]));
    }
    assertThat(whole).isNotNull();
    assertThat(Arrays.copyOfRange(whole, 20, whole.length)).isEqualTo(payload);
    assertThat(reassembly.pending()).isZero();
  }

  @Example
  void overlappingFragmentsDiscardTheDatagram() {
    Context context =
        new Context(
            Clock.system(),
            RandomSource.seeded(1),
            new SkBuffPool(2048, 16),
            SocketHooks.none(),
            Runnable::run);
    Reassembly reassembly = new Reassembly(context, _ -> {});
    byte[] payload = new byte[64];
    assertThat(reassembly.add(fragment(payload, 0, 32))).isNull();
    assertThat(reassembly.add(fragment(payload, 0, 32))).as("a duplicate").isNull();
    assertThat(reassembly.pending()).isEqualTo(1);
    assertThat(reassembly.add(fragment(payload, 24, 16))).isNull();
    assertThat(reassembly.pending()).isZero();
  }

  private static Datagram fragment(byte[] payload, int at, int count) {
    Datagram datagram = new Datagram();
    byte[] bytes = new byte[20 + count];
    bytes[0] = 0x45;
    Wire.setU16(bytes, 2, bytes.length);
    int more = at + count < payload.length ? 0x2000 : 0;
    Wire.setU16(bytes, 6, more | at / 8);
    System.arraycopy(payload, at, bytes, 20, count);
    Wire.setU16(bytes, 10, Checksum.finish(Checksum.sum(bytes, 0, 20)));
    assertThat(datagram.parse(bytes, 0, bytes.length)).isEqualTo(Datagram.Fault.NONE);
    return datagram;
  }
}
