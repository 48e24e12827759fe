package dev.paramecium.datapath.trace;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The traces that are armed on a node. A packet is recognised where it enters the node, by what it
 * carries; from there one bit beside it says that its steps are to be told.
 *
 * <pre>
 *   enters: isArmed? --&gt; mark --&gt; packet.traced     at each step: packet.traced? --&gt; observe --&gt; observer
 * </pre>
 *
 * While nothing is armed a device pays one read of a boolean a batch, and a program one of a
 * packet.
 */
public final class PacketTrace {

  private record Armed(String traceId, TraceFilter filter, ActorRef<Observation> observer) {}

  private final String nodeName;
  private final Clock clock;
  private final AtomicLong sequence = new AtomicLong();
  private volatile List<Armed> armed = List.of();
  private volatile boolean isArmed;

  public PacketTrace(String nodeName, Clock clock) {
    this.nodeName = nodeName;
    this.clock = clock;
  }

  /** Whether any trace waits for packets. */
  public boolean isArmed() {
    return isArmed;
  }

  /**
   * Arms a trace, in place of one with the same id.
   *
   * @param filters of which a packet has to match one
   */
  public synchronized void arm(
      String traceId, List<TraceFilter> filters, ActorRef<Observation> observer) {
    List<Armed> next = without(traceId);
    filters.forEach(filter -> next.add(new Armed(traceId, filter, observer)));
    armed = List.copyOf(next);
    isArmed = true;
  }

  /** Whether there was such a trace. */
  public synchronized boolean disarm(String traceId) {
    List<Armed> next = without(traceId);
    boolean found = next.size() < armed.size();
    armed = List.copyOf(next);
    isArmed = !armed.isEmpty();
    return found;
  }

  /** Ends all traces of an observer that is gone. */
  public synchronized void disarmAll(ActorRef<?> observer) {
    List<Armed> next = new ArrayList<>(armed);
    next.removeIf(trace -> trace.observer().path().equals(observer.path()));
    armed = List.copyOf(next);
    isArmed = !armed.isEmpty();
  }

  private List<Armed> without(String traceId) {
    List<Armed> others = new ArrayList<>(armed);
    others.removeIf(trace -> trace.traceId().equals(traceId));
    return others;
  }

  /** Sets the trace bit of the packets that an armed trace follows. */
  public void mark(PacketBatch packets) {
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      PacketDigest digest = PacketDigest.of(packet);
      packet.traced = digest != null && isFollowed(digest);
    }
  }

  /** As {@link #mark}, for packets that may carry the bit already. */
  public void markNew(PacketBatch packets) {
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      if (!packet.traced) {
        PacketDigest digest = PacketDigest.of(packet);
        packet.traced = digest != null && isFollowed(digest);
      }
    }
  }

  /** Whether any armed trace follows what two sockets say to each other. */
  public boolean follows(Sight sight) {
    PacketDigest digest = sight.digest();
    return digest != null && isFollowed(digest);
  }

  /**
   * A socket's call was given another destination before there was a packet: those who follow the
   * call follow what comes of it, too.
   */
  public synchronized void followTranslated(Sight sight, Ipv4Address destination, int port) {
    PacketDigest digest = sight.digest();
    List<Armed> next = new ArrayList<>(armed);
    for (Armed trace : armed) {
      TraceFilter asked = trace.filter();
      if (digest != null && digest.isRequestOf(asked)) {
        TraceFilter translated =
            new TraceFilter(
                asked.source(), destination, asked.protocol(), asked.sourcePort(), port);
        Armed more = new Armed(trace.traceId(), translated, trace.observer());
        if (!next.contains(more)) {
          next.add(more);
        }
      }
    }
    armed = List.copyOf(next);
  }

  private boolean isFollowed(PacketDigest digest) {
    for (Armed trace : armed) {
      if (digest.isRequestOf(trace.filter()) || digest.isReplyOf(trace.filter())) {
        return true;
      }
    }
    return false;
  }

  /** The packet as it is now, before a step may change it. */
  public Sight look(SkBuff packet) {
    PacketDigest digest = PacketDigest.of(packet);
    PacketDigest outer = digest == null ? null : PacketDigest.at(packet, 0, -1);
    int vni =
        digest != null && digest.vni() >= 0
            ? digest.vni()
            : packet.hasTunnelKey ? packet.tunnelId : -1;
    return new Sight(digest, outer == null ? null : outer.summary(packet), vni);
  }

  /** Begins to listen to what the programs that this thread runs tell about a packet. */
  public Recording begin(SkBuff packet) {
    return Recording.begin(this, packet);
  }

  /** Tells of a step, to everyone who follows the packet. */
  public void observe(Sight sight, Step step) {
    PacketDigest digest = sight.digest();
    Observation.PacketSummary summary = sight.summary();
    if (digest == null || summary == null) {
      return; // no IPv4 packet any more: nobody can have asked for it
    }
    for (Armed trace : armed) {
      boolean request = digest.isRequestOf(trace.filter());
      if (request || digest.isReplyOf(trace.filter())) {
        trace
            .observer()
            .tell(
                new Observation(
                    nodeName,
                    clock.epochMs() * 1_000_000L,
                    sequence.incrementAndGet(),
                    digest.identityOf(request),
                    step.number(),
                    step.device(),
                    step.ifindex(),
                    step.place(),
                    step.program(),
                    step.programId(),
                    step.functions(),
                    step.lookups(),
                    step.verdict(),
                    step.reason(),
                    step.rule(),
                    !request,
                    summary,
                    sight.vni()));
      }
    }
  }
}
