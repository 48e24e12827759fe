package dev.paramecium.datapath.qdisc;

import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.syscall.Impairment;
import dev.paramecium.syscall.LinkFault;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The faults of one device's link. A packet that leaves goes through those that concern it, one
 * after the other; one that arrives is dropped by the first that concerns it.
 *
 * <pre>
 *   egress   --&gt; fault 1 --&gt; fault 2 --&gt; … --&gt; the driver
 *                 `-- due later: run() --&gt; fault 2 …
 *   ingress  --&gt; drop? --&gt; the stack
 * </pre>
 *
 * What chance decides follows from the seed and the order of the packets. Used by the device's
 * actor only.
 */
public final class LinkFaults {

  /** What ends a packet's life: the device, which counts it and tells a trace. */
  public interface Drops {

    /**
     * Takes the packet.
     *
     * @param why for people: {@code default/lossy: netem loss 10%}
     */
    void drop(SkBuff packet, LinkFault.Way way, String why);
  }

  private record Stage(LinkFault fault, PeerFilter filter, Qdisc qdisc) {}

  private record Block(String source, PeerFilter filter) {}

  private final SkBuffPool pool;
  private final Consumer<PacketBatch> driver;
  private final Drops drops;
  private final List<Stage> stages = new ArrayList<>();
  private final List<Block> blocks = new ArrayList<>();
  private final List<StageExit> exits = new ArrayList<>();
  private long nowNanos;
  private PacketBatch leaving;

  /**
   * @param driver takes what leaves, in batches that are given
   * @param seed what chance follows from
   */
  public LinkFaults(
      List<LinkFault> faults,
      long seed,
      long nowNanos,
      SkBuffPool pool,
      Consumer<PacketBatch> driver,
      Drops drops) {
    this(faults, seed, nowNanos, pool, driver, drops, new ArrayList<>());
  }

  /**
   * @param kept stages that go on as they are; those that are used are taken out
   */
  private LinkFaults(
      List<LinkFault> faults,
      long seed,
      long nowNanos,
      SkBuffPool pool,
      Consumer<PacketBatch> driver,
      Drops drops,
      List<Stage> kept) {
    this.pool = pool;
    this.driver = driver;
    this.drops = drops;
    this.nowNanos = nowNanos;
    this.leaving = pool.takeBatch();
    RandomSource seeds = RandomSource.seeded(seed);
    for (LinkFault fault : faults) {
      switch (fault.way()) {
        case INGRESS ->
            blocks.add(new Block(fault.source(), new PeerFilter(fault.peers(), Ipv4.SOURCE)));
        case EGRESS -> {
          RandomSource random = RandomSource.seeded(seeds.nextLong());
          Stage known = take(kept, fault);
          stages.add(known == null ? stage(fault, random) : known);
          exits.add(new StageExit(exits.size()));
        }
      }
    }
  }

  private static @Nullable Stage take(List<Stage> kept, LinkFault fault) {
    for (int i = 0; i < kept.size(); i++) {
      if (kept.get(i).fault().equals(fault)) {
        return kept.remove(i);
      }
    }
    return null;
  }

  private Stage stage(LinkFault fault, RandomSource random) {
    return new Stage(
        fault, new PeerFilter(fault.peers(), Ipv4.DESTINATION), qdisc(fault.impairment(), random));
  }

  private Qdisc qdisc(Impairment impairment, RandomSource random) {
    return switch (impairment) {
      case Impairment.Drop _ -> new DropQdisc();
      case Impairment.Netem netem -> new NetemQdisc(netem, random, pool);
      case Impairment.Tbf tbf -> new TbfQdisc(tbf, nowNanos, pool);
    };
  }

  /** Takes what leaves; the batch is given. */
  public void transmit(PacketBatch packets, long nowNanos) {
    this.nowNanos = nowNanos;
    for (int i = 0; i < packets.size(); i++) {
      enter(0, packets.get(i));
    }
    packets.clear();
    pool.release(packets);
    flush();
  }

  /**
   * Lets go on what is due.
   *
   * @return when to call again; {@link Long#MAX_VALUE} if nothing is held back
   */
  public long run(long nowNanos) {
    this.nowNanos = nowNanos;
    long next = Qdisc.NOTHING_DUE;
    for (int i = 0; i < stages.size(); i++) {
      next = Math.min(next, stages.get(i).qdisc().release(nowNanos, exits.get(i)));
    }
    flush();
    return next;
  }

  /** What of a batch that arrived goes on; the batch itself, perhaps empty. */
  public PacketBatch receive(PacketBatch packets) {
    if (blocks.isEmpty()) {
      return packets;
    }
    PacketBatch rest = pool.takeBatch();
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      Block block = blocking(packet);
      if (block == null) {
        rest.add(packet);
      } else {
        drops.drop(packet, LinkFault.Way.INGRESS, block.source() + ": partition");
      }
    }
    packets.clear();
    pool.release(packets);
    return rest;
  }

  private @Nullable Block blocking(SkBuff packet) {
    for (Block block : blocks) {
      if (block.filter().matches(packet)) {
        return block;
      }
    }
    return null;
  }

  /**
   * Other faults in place of these, which may not be used any more. One that stays keeps what it
   * holds back and its place in the row of chance; one that ends drops what it held back.
   */
  public LinkFaults replace(List<LinkFault> faults, long seed, long nowNanos) {
    List<Stage> ending = new ArrayList<>(stages);
    LinkFaults next = new LinkFaults(faults, seed, nowNanos, pool, driver, drops, ending);
    for (int i = 0; i < stages.size(); i++) {
      if (ending.remove(stages.get(i))) {
        stages.get(i).qdisc().drain(exits.get(i));
      }
    }
    pool.releaseWithPackets(leaving);
    return next;
  }

  /** Drops what is held back; nothing may be given to it any more. */
  public void close() {
    for (int i = 0; i < stages.size(); i++) {
      stages.get(i).qdisc().drain(exits.get(i));
    }
    pool.releaseWithPackets(leaving);
  }

  /** Gives a packet to the first fault from number {@code from} on that concerns it. */
  private void enter(int from, SkBuff packet) {
    for (int i = from; i < stages.size(); i++) {
      if (stages.get(i).filter().matches(packet)) {
        stages.get(i).qdisc().take(packet, nowNanos, exits.get(i));
        return;
      }
    }
    if (leaving.isFull()) {
      flush();
    }
    leaving.add(packet);
  }

  private void flush() {
    if (!leaving.isEmpty()) {
      PacketBatch batch = leaving;
      leaving = pool.takeBatch();
      driver.accept(batch);
    }
  }

  /** After fault {@code number} comes the next. */
  private final class StageExit implements Qdisc.Exit {

    private final int number;

    StageExit(int number) {
      this.number = number;
    }

    @Override
    public void pass(SkBuff packet) {
      enter(number + 1, packet);
    }

    @Override
    public void drop(SkBuff packet, String why) {
      drops.drop(packet, LinkFault.Way.EGRESS, stages.get(number).fault().source() + ": " + why);
    }
  }
}
