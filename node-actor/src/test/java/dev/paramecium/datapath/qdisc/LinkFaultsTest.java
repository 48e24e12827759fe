package dev.paramecium.datapath.qdisc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.syscall.Impairment;
import dev.paramecium.syscall.Impairment.Chance;
import dev.paramecium.syscall.Impairment.Netem;
import dev.paramecium.syscall.LinkFault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** What faults do to packets, against a clock that the test moves. */
final class LinkFaultsTest {

  private static final long MILLI = 1_000_000;
  private static final int LENGTH = 100;
  private static final int ID = Ethernet.HEADER_LENGTH + Ipv4.IDENTIFICATION;

  /** A link with faults, and what became of its packets. */
  private static final class Link {
    final SkBuffPool pool = new SkBuffPool(2048, 4096, 16);
    final List<Integer> left = new ArrayList<>();
    final List<byte[]> bytes = new ArrayList<>();
    final List<Long> leftAt = new ArrayList<>();
    final List<String> drops = new ArrayList<>();
    final LinkFaults faults;
    long now;

    Link(long seed, LinkFault... faults) {
      this.faults =
          new LinkFaults(
              List.of(faults),
              seed,
              0,
              pool,
              this::leave,
              (packet, way, why) -> {
                drops.add(why);
                pool.release(packet);
              });
    }

    static Link with(long seed, Impairment impairment) {
      return new Link(seed, new LinkFault("test", LinkFault.Way.EGRESS, List.of(), impairment));
    }

    private void leave(PacketBatch packets) {
      for (int i = 0; i < packets.size(); i++) {
        SkBuff packet = packets.get(i);
        left.add(packet.u16(ID));
        leftAt.add(now);
        bytes.add(Arrays.copyOfRange(packet.bytes, packet.head, packet.head + packet.length));
      }
      pool.releaseWithPackets(packets);
    }

    PacketBatch batch(int id, String source, String destination) {
      SkBuff packet = pool.take();
      assertThat(packet).isNotNull();
      packet.length = LENGTH;
      Arrays.fill(packet.bytes, packet.head, packet.head + LENGTH, (byte) 0);
      packet.setU16(Ethernet.ETHER_TYPE, EtherType.IPV4);
      packet.setU16(ID, id);
      packet.setI32(
          Ethernet.HEADER_LENGTH + Ipv4.SOURCE, Ipv4Prefix.parse(source + "/32").address().value());
      packet.setI32(
          Ethernet.HEADER_LENGTH + Ipv4.DESTINATION,
          Ipv4Prefix.parse(destination + "/32").address().value());
      PacketBatch batch = pool.takeBatch();
      batch.add(packet);
      return batch;
    }

    void send(int id) {
      faults.transmit(batch(id, "10.0.0.1", "10.0.0.2"), now);
    }

    long runTo(long time) {
      now = time;
      return faults.run(time);
    }

    void runUntilIdle() {
      for (long next = faults.run(now); next != Qdisc.NOTHING_DUE; next = faults.run(now)) {
        now = next;
      }
    }
  }

  @Property(tries = 100)
  void everyPacketLeavesOrIsDroppedAndNoBufferStays(
      @ForAll long seed,
      @ForAll @DoubleRange(max = 100) double loss,
      @ForAll @DoubleRange(max = 100) double corrupt,
      @ForAll @DoubleRange(max = 100) double correlation,
      @ForAll @LongRange(max = 20 * MILLI) long delay,
      @ForAll @IntRange(min = 1, max = 300) int packets) {
    Link link =
        Link.with(
            seed,
            Netem.NONE
                .withLoss(new Chance(loss, correlation))
                .withCorrupt(new Chance(corrupt, correlation))
                .withDelay(delay, delay / 2, correlation));
    for (int i = 0; i < packets; i++) {
      link.send(i);
      link.runTo(link.now + MILLI / 10);
    }
    link.runUntilIdle();
    assertThat(link.left.size() + link.drops.size()).isEqualTo(packets);
    link.faults.close();
    assertThat(link.pool.inUse()).isZero();
  }

  @Test
  void theSameSeedDoesTheSameAndAnotherDoesNot() {
    Netem half = Netem.NONE.withLoss(new Chance(50, 0)).withDuplicate(new Chance(20, 0));
    assertThat(after(half, 7)).isEqualTo(after(half, 7)).isNotEqualTo(after(half, 8));
  }

  private static List<Integer> after(Netem netem, long seed) {
    Link link = Link.with(seed, netem);
    IntStream.range(0, 200).forEach(link::send);
    return link.left;
  }

  @Test
  void aTenthOfThePacketsIsLostAndEachDropSaysWhoAskedForIt() {
    Link link = Link.with(1, Netem.NONE.withLoss(new Chance(10, 0)));
    IntStream.range(0, 10_000).forEach(link::send);
    assertThat(link.drops.size()).isBetween(850, 1150); // five standard deviations
    assertThat(link.drops).allMatch("test: netem loss 10%"::equals);
  }

  @Test
  void correlatedLossesComeInRuns() {
    assertThat(longestRun(new Chance(50, 90))).isGreaterThan(2 * longestRun(new Chance(50, 0)));
  }

  private static int longestRun(Chance loss) {
    Link link = Link.with(3, Netem.NONE.withLoss(loss));
    IntStream.range(0, 10_000).forEach(link::send);
    int longest = 0;
    for (int i = 1; i < link.left.size(); i++) {
      longest = Math.max(longest, link.left.get(i) - link.left.get(i - 1));
    }
    return longest;
  }

  @Test
  void aRepeatedPacketIsTheSamePacketTwice() {
    Link link = Link.with(1, Netem.NONE.withDuplicate(new Chance(100, 0)));
    link.send(1);
    link.send(2);
    assertThat(link.left).containsExactly(1, 1, 2, 2);
    assertThat(link.bytes.get(0)).isEqualTo(link.bytes.get(1));
    assertThat(link.pool.inUse()).isEqualTo(0);
  }

  @Test
  void corruptionFlipsOneBit() {
    Link link = Link.with(1, Netem.NONE.withCorrupt(new Chance(100, 0)));
    Link clean = Link.with(1, Netem.NONE);
    for (int i = 0; i < 100; i++) {
      link.send(i);
      clean.send(i);
    }
    for (int i = 0; i < 100; i++) {
      int bits = 0;
      for (int at = 0; at < LENGTH; at++) {
        bits += Integer.bitCount((link.bytes.get(i)[at] ^ clean.bytes.get(i)[at]) & 0xff);
      }
      assertThat(bits).isEqualTo(1);
    }
  }

  @Test
  void aPacketIsHeldBackForItsDelayAndNotLonger() {
    Link link = Link.with(1, Netem.NONE.withDelay(10 * MILLI, 0, 0));
    link.send(1);
    assertThat(link.runTo(10 * MILLI - 1)).isEqualTo(10 * MILLI);
    assertThat(link.left).isEmpty();
    assertThat(link.runTo(10 * MILLI)).isEqualTo(Qdisc.NOTHING_DUE);
    assertThat(link.left).containsExactly(1);
  }

  @Property(tries = 100)
  void jitterStaysWithinItsBoundsAndEqualTimesKeepTheirOrder(
      @ForAll long seed, @ForAll @LongRange(min = 1, max = 5 * MILLI) long jitter) {
    Link link = Link.with(seed, Netem.NONE.withDelay(5 * MILLI, jitter, 0));
    IntStream.range(0, 100).forEach(link::send);
    link.runUntilIdle();
    assertThat(link.left).hasSize(100);
    assertThat(link.leftAt).isSorted();
    assertThat(link.leftAt).allMatch(t -> t >= 5 * MILLI - jitter && t <= 5 * MILLI + jitter);

    Link steady = Link.with(seed, Netem.NONE.withDelay(5 * MILLI, 0, 0));
    IntStream.range(0, 100).forEach(steady::send);
    steady.runUntilIdle();
    assertThat(steady.left).isSorted();
  }

  @Test
  void everyFifthPacketMayOvertakeThoseHeldBack() {
    Link link = Link.with(1, Netem.NONE.withDelay(MILLI, 0, 0).withReorder(new Chance(100, 0), 5));
    IntStream.range(0, 10).forEach(link::send);
    assertThat(link.left).containsExactly(4, 9);
    link.runUntilIdle();
    assertThat(link.left).containsExactly(4, 9, 0, 1, 2, 3, 5, 6, 7, 8);
  }

  @Test
  void aThousandPacketsWaitAtMost() {
    Link link = Link.with(1, Netem.NONE.withDelay(MILLI, 0, 0));
    IntStream.range(0, 1001).forEach(link::send);
    assertThat(link.drops).containsExactly("test: netem limit 1000");
    link.faults.close();
    assertThat(link.drops).hasSize(1001).contains("test: the fault ended");
    assertThat(link.pool.inUse()).isZero();
  }

  @Property(tries = 100)
  void noMoreThanTheRateAndTheBurstLeave(
      @ForAll @LongRange(min = 1_000, max = 1_000_000) long rate,
      @ForAll @LongRange(min = LENGTH, max = 10_000) long burst) {
    Link link = Link.with(1, new Impairment.Tbf(rate, 50_000, burst));
    IntStream.range(0, 400).forEach(link::send);
    link.runUntilIdle();
    assertThat(link.left).isSorted().hasSizeGreaterThan(1);
    for (int i = 0; i < link.left.size(); i++) {
      long sent = (i + 1L) * LENGTH;
      assertThat((double) sent).isLessThanOrEqualTo(burst + rate * (link.leftAt.get(i) / 1e9) + 1);
    }
    // And not less: the last one left as soon as the bucket held it.
    double last = link.leftAt.getLast() / 1e9;
    assertThat((double) link.left.size() * LENGTH).isGreaterThan(burst + rate * last - LENGTH - 1);
    assertThat(link.drops).allMatch("test: tbf limit 50000"::equals);
  }

  @Test
  void aFaultConcernsItsPeersOnly() {
    Link link =
        new Link(
            1,
            new LinkFault(
                "a",
                LinkFault.Way.EGRESS,
                List.of(Ipv4Prefix.parse("10.0.1.0/24")),
                new Impairment.Drop()),
            new LinkFault(
                "b",
                LinkFault.Way.INGRESS,
                List.of(Ipv4Prefix.parse("10.0.2.7/32")),
                new Impairment.Drop()));
    link.faults.transmit(link.batch(1, "10.0.0.1", "10.0.1.9"), 0);
    link.faults.transmit(link.batch(2, "10.0.0.1", "10.0.2.7"), 0);
    PacketBatch blocked = link.faults.receive(link.batch(3, "10.0.2.7", "10.0.0.1"));
    PacketBatch passed = link.faults.receive(link.batch(4, "10.0.1.9", "10.0.0.1"));
    assertThat(link.left).containsExactly(2);
    assertThat(link.drops).containsExactly("a: partition", "b: partition");
    assertThat(blocked.size()).isZero();
    assertThat(passed.size()).isEqualTo(1);
  }

  @Test
  void faultsActOneAfterTheOther() {
    Link link =
        new Link(
            1,
            new LinkFault(
                "slow", LinkFault.Way.EGRESS, List.of(), Netem.NONE.withDelay(MILLI, 0, 0)),
            new LinkFault("cut", LinkFault.Way.EGRESS, List.of(), new Impairment.Drop()));
    link.send(1);
    assertThat(link.drops).isEmpty();
    link.runUntilIdle();
    assertThat(link.drops).containsExactly("cut: partition");
  }

  @Test
  void whatOneFaultHoldsBackOutlivesAnother() {
    LinkFault slow =
        new LinkFault("slow", LinkFault.Way.EGRESS, List.of(), Netem.NONE.withDelay(MILLI, 0, 0));
    LinkFault slower =
        new LinkFault(
            "slower", LinkFault.Way.EGRESS, List.of(), Netem.NONE.withDelay(5 * MILLI, 0, 0));
    Link link = new Link(1, slower, slow);
    link.send(1);
    link.runTo(5 * MILLI); // from slower to slow
    link.send(2); // in slower
    LinkFaults rest = link.faults.replace(List.of(slow), 7, 5 * MILLI);
    assertThat(link.drops).containsExactly("slower: the fault ended");
    link.now = 6 * MILLI;
    assertThat(rest.run(link.now)).isEqualTo(Qdisc.NOTHING_DUE);
    assertThat(link.left).containsExactly(1);
    rest.close();
    assertThat(link.pool.inUse()).isZero();
  }

  @Test
  void aPeakRateSpreadsABurst() {
    Link link = Link.with(1, new Impairment.Tbf(100_000, 50_000, 10_000, 200_000, LENGTH));
    IntStream.range(0, 11).forEach(link::send);
    link.runUntilIdle();
    // One at once, then one each time that the peak rate's bucket of one packet is full again.
    assertThat(link.leftAt.getFirst()).isZero();
    assertThat(link.leftAt.getLast()).isBetween(4_999_990L, 5_000_010L);
  }
}
