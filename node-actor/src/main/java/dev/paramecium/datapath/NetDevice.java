package dev.paramecium.datapath;

import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.datapath.qdisc.LinkFaults;
import dev.paramecium.datapath.trace.PacketTrace;
import dev.paramecium.datapath.trace.Step;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Vlan;
import dev.paramecium.syscall.LinkFault;
import dev.paramecium.syscall.LinkInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * What every device does: count, show its frames to packet taps, and have its programs run. A kind
 * of device says what is below it ({@link #driverTransmit}) and above it ({@link #stackReceive}).
 *
 * <pre>
 *   Transmit --&gt; tc egress program --&gt; EgressPassed --&gt; link faults --&gt; taps --&gt; driverTransmit
 *   Receive  --&gt; XDP program --&gt; XdpPassed --&gt; taps --&gt; tc ingress program --&gt; IngressPassed --&gt; link faults --&gt; stackReceive
 *   XdpTransmit --&gt; driverTransmit
 * </pre>
 *
 * Without a program on the hook the batch goes straight on. A program's redirect or drop is carried
 * out by its {@link ProgramActor}; the device only sees what passed.
 */
public abstract class NetDevice extends AbstractBehavior<NetDevice.Command> {

  /** What a device can be told. Batches are given. */
  public interface Command {}

  /** Frames leave through the device. Sent by {@link DevicePort#transmit}. */
  record Transmit(PacketBatch packets) implements Command {}

  /** Frames arrived at the device. Sent by {@link DevicePort#receive}. */
  record Receive(PacketBatch packets) implements Command {}

  /** The egress program let these pass. */
  record EgressPassed(PacketBatch packets) implements Command {}

  /** The ingress program let these pass. */
  record IngressPassed(PacketBatch packets) implements Command {}

  /** The XDP program let these pass. */
  record XdpPassed(PacketBatch packets) implements Command {}

  /** An XDP program's XDP_TX or XDP_REDIRECT. Sent by {@link DevicePort#transmitXdp}. */
  record XdpTransmit(PacketBatch packets) implements Command {}

  /**
   * {@code tc filter replace dev … ingress|egress bpf da}, {@code ip link set dev … xdp}: null
   * takes the program of that hook away.
   */
  public record Attach(Hook hook, @Nullable ActorRef<ProgramActor.Command> program)
      implements Command {}

  /** A packet socket is bound to the device. */
  public record OpenTap(PacketTap tap) implements Command {}

  public record CloseTap(PacketTap tap) implements Command {}

  /** As {@link dev.paramecium.syscall.Syscall.ReplaceLinkFaults}. */
  public record ReplaceLinkFaults(List<LinkFault> faults, long seed) implements Command {}

  /** Something that the link holds back may go on. */
  private record LinkDue(LinkFaults faults) implements Command {}

  /** The device goes; its programs too. What is still under way to it is dropped. */
  public record Remove(ActorRef<Done> replyTo) implements Command {}

  private enum Drained implements Command {
    INSTANCE
  }

  /** How long a removed device still takes what was sent to it before its port was closed. */
  private static final Duration DRAIN = Duration.ofSeconds(1);

  private static final int ETHERNET_HEADER = Ethernet.HEADER_LENGTH;

  /** A VLAN tag and a little: what a frame may have beyond header and MTU. */
  private static final int SLACK = 8;

  protected final DevicePort port;
  protected final NodeDatapath node;
  private final int maxFrame;
  private @Nullable ActorRef<ProgramActor.Command> xdp;
  private @Nullable ActorRef<ProgramActor.Command> ingress;
  private @Nullable ActorRef<ProgramActor.Command> egress;
  private List<PacketTap> taps = List.of();
  private @Nullable LinkFaults faults;
  private long faultsDueAt = Long.MAX_VALUE;
  private boolean removed;

  protected NetDevice(ActorContext<Command> context, DevicePort port, NodeDatapath node) {
    super(context);
    this.port = port;
    this.node = node;
    this.maxFrame = port.link().mtu() + ETHERNET_HEADER + SLACK;
  }

  /** Hands frames to what is below: the peer, the tunnel, the wire. */
  protected abstract void driverTransmit(PacketBatch packets);

  /** Hands frames to what is above: the namespace's stack. */
  protected abstract void stackReceive(PacketBatch packets);

  /** Called for frames that leave, before anything else, when a trace is armed. */
  protected void traceTransmit(PacketTrace trace, PacketBatch packets) {}

  /** Called for frames that arrived, before anything else, when a trace is armed. */
  protected void traceReceive(PacketTrace trace, PacketBatch packets) {}

  /** For commands of one kind of device. */
  protected void handle(Command command) {
    throw new IllegalStateException(port.link().name() + " does not understand " + command);
  }

  @Override
  public org.apache.pekko.actor.typed.javadsl.Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Transmit.class, this::onTransmit)
        .onMessage(Receive.class, this::onReceive)
        .onMessage(EgressPassed.class, this::onEgressPassed)
        .onMessage(IngressPassed.class, this::onIngressPassed)
        .onMessage(XdpPassed.class, this::onXdpPassed)
        .onMessage(XdpTransmit.class, this::onXdpTransmit)
        .onMessage(Attach.class, this::onAttach)
        .onMessage(OpenTap.class, this::onOpenTap)
        .onMessage(CloseTap.class, this::onCloseTap)
        .onMessage(ReplaceLinkFaults.class, this::onReplaceLinkFaults)
        .onMessage(LinkDue.class, this::onLinkDue)
        .onMessage(Remove.class, this::onRemove)
        .onMessage(Drained.class, _ -> Behaviors.stopped())
        .onAnyMessage(
            command -> {
              handle(command);
              return this;
            })
        .build();
  }

  private Behavior<Command> onTransmit(Transmit message) {
    PacketBatch packets = message.packets();
    port.backlog().done(packets.size());
    packets = admit(packets, true);
    if (packets == null) {
      return this;
    }
    if (node.trace().isArmed()) {
      traceTransmit(node.trace(), packets);
    }
    if (egress != null) {
      egress.tell(new ProgramActor.Run(packets, getContext().getSelf(), port));
    } else {
      leave(packets);
    }
    return this;
  }

  private Behavior<Command> onReceive(Receive message) {
    PacketBatch packets = message.packets();
    port.backlog().done(packets.size());
    packets = admit(packets, false);
    if (packets == null) {
      return this;
    }
    long bytes = 0;
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      bytes += packet.length;
      packet.ingressIfindex = port.ifindex();
    }
    port.counters().received(packets.size(), bytes);
    if (node.trace().isArmed()) {
      traceReceive(node.trace(), packets);
    }
    if (xdp != null) {
      xdp.tell(new ProgramActor.Run(packets, getContext().getSelf(), port));
    } else {
      receiveSkb(packets);
    }
    return this;
  }

  private Behavior<Command> onXdpPassed(XdpPassed message) {
    receiveSkb(message.packets());
    return this;
  }

  private void receiveSkb(PacketBatch packets) {
    if (!taps.isEmpty()) {
      tap(packets, false);
    }
    for (int i = 0; i < packets.size(); i++) {
      untag(packets.get(i));
    }
    if (ingress != null) {
      ingress.tell(new ProgramActor.Run(packets, getContext().getSelf(), port));
    } else {
      deliver(packets);
    }
  }

  private void deliver(PacketBatch packets) {
    PacketBatch arrived = faults == null ? packets : faults.receive(packets);
    if (arrived.isEmpty()) {
      node.pool().release(arrived);
    } else {
      stackReceive(arrived);
    }
  }

  private Behavior<Command> onXdpTransmit(XdpTransmit message) {
    port.backlog().done(message.packets().size());
    PacketBatch packets = admit(message.packets(), true);
    if (packets != null) {
      countTransmitted(packets);
      driverTransmit(packets);
    }
    return this;
  }

  /** {@code skb_vlan_untag}: an 802.1Q tag goes from the frame to the packet's metadata. */
  private static void untag(SkBuff packet) {
    packet.vlanPresent = false;
    if (packet.length >= ETHERNET_HEADER + Vlan.TAG_LENGTH
        && packet.u16(Ethernet.ETHER_TYPE) == EtherType.VLAN) {
      packet.vlanPresent = true;
      packet.vlanTci = packet.u16(ETHERNET_HEADER);
      System.arraycopy(
          packet.bytes,
          packet.head,
          packet.bytes,
          packet.head + Vlan.TAG_LENGTH,
          Ethernet.ETHER_TYPE);
      packet.pull(Vlan.TAG_LENGTH);
    }
  }

  private Behavior<Command> onEgressPassed(EgressPassed message) {
    leave(message.packets());
    return this;
  }

  private Behavior<Command> onIngressPassed(IngressPassed message) {
    deliver(message.packets());
    return this;
  }

  /**
   * {@code skb_scrub_packet}: what must not be seen in another namespace. The flow hash and the
   * trace bit stay.
   */
  protected static void scrub(PacketBatch packets) {
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      packet.mark = 0;
      packet.tcIndex = 0;
      packet.clearCb();
      packet.clearTunnelKey();
    }
  }

  private void countTransmitted(PacketBatch packets) {
    long bytes = 0;
    for (int i = 0; i < packets.size(); i++) {
      bytes += packets.get(i).length;
    }
    port.counters().transmitted(packets.size(), bytes);
  }

  private void leave(PacketBatch packets) {
    if (faults == null) {
      drive(packets);
    } else {
      faults.transmit(packets, node.clock().nanos());
      runFaults(faults);
    }
  }

  private void drive(PacketBatch packets) {
    countTransmitted(packets);
    // What leaves on lo comes back at once: libpcap takes it then, and once.
    if (!taps.isEmpty() && port.link().kind() != LinkInfo.Kind.LOOPBACK) {
      tap(packets, true);
    }
    driverTransmit(packets);
  }

  /** Frames that the device can carry, now on it; null if there is none. */
  private @Nullable PacketBatch admit(PacketBatch packets, boolean outgoing) {
    if (removed) {
      node.drops().drop(DatapathDrop.DEVICE_GONE, packets);
      return null;
    }
    boolean allFit = true;
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      packet.ifindex = port.ifindex();
      allFit &= fits(packet);
    }
    return allFit ? packets : withoutMisfits(packets, outgoing);
  }

  private boolean fits(SkBuff packet) {
    return packet.length >= ETHERNET_HEADER && (packet.length <= maxFrame || packet.gsoSize > 0);
  }

  private @Nullable PacketBatch withoutMisfits(PacketBatch packets, boolean outgoing) {
    PacketBatch fitting = node.pool().takeBatch();
    for (int i = 0; i < packets.size(); i++) {
      SkBuff packet = packets.get(i);
      if (fits(packet)) {
        fitting.add(packet);
        continue;
      }
      if (outgoing) {
        port.counters().transmitDropped();
      } else {
        port.counters().receiveDropped();
      }
      node.drops()
          .drop(
              packet.length < ETHERNET_HEADER
                  ? DatapathDrop.FRAME_TOO_SHORT
                  : DatapathDrop.FRAME_TOO_LONG,
              packet);
    }
    packets.clear();
    node.pool().release(packets);
    if (fitting.isEmpty()) {
      node.pool().release(fitting);
      return null;
    }
    return fitting;
  }

  private void tap(PacketBatch packets, boolean outgoing) {
    for (PacketTap tap : taps) {
      for (int i = 0; i < packets.size(); i++) {
        tap.offer(port.ifindex(), outgoing, packets.get(i));
      }
    }
  }

  private Behavior<Command> onAttach(Attach attach) {
    if (attach.hook() == Hook.XDP) {
      xdp = replaced(xdp, attach.program());
      return this;
    }
    switch (attach.hook().direction()) {
      case INGRESS -> ingress = replaced(ingress, attach.program());
      case EGRESS -> egress = replaced(egress, attach.program());
    }
    return this;
  }

  /** The device is the only one that has a program run: nothing comes after its Unload. */
  private static @Nullable ActorRef<ProgramActor.Command> replaced(
      @Nullable ActorRef<ProgramActor.Command> old,
      @Nullable ActorRef<ProgramActor.Command> program) {
    if (old != null && !old.equals(program)) {
      old.tell(new ProgramActor.Unload());
    }
    return program;
  }

  private Behavior<Command> onOpenTap(OpenTap open) {
    List<PacketTap> more = new ArrayList<>(taps);
    more.add(open.tap());
    taps = List.copyOf(more);
    return this;
  }

  private Behavior<Command> onCloseTap(CloseTap close) {
    List<PacketTap> fewer = new ArrayList<>(taps);
    fewer.removeIf(tap -> tap.frames() == close.tap().frames());
    taps = List.copyOf(fewer);
    return this;
  }

  // ---- faults of the link

  private Behavior<Command> onReplaceLinkFaults(ReplaceLinkFaults replace) {
    LinkFaults old = faults;
    boolean none = replace.faults().isEmpty() || removed;
    faults = null;
    faultsDueAt = Long.MAX_VALUE;
    if (old != null && none) {
      old.close();
    } else if (old != null) {
      faults = old.replace(replace.faults(), replace.seed(), node.clock().nanos());
      runFaults(faults);
    } else if (!none) {
      faults =
          new LinkFaults(
              replace.faults(),
              replace.seed(),
              node.clock().nanos(),
              node.pool(),
              this::drive,
              this::dropOnLink);
    }
    return this;
  }

  private void dropOnLink(SkBuff packet, LinkFault.Way way, String why) {
    if (packet.traced) {
      node.trace()
          .observe(
              node.trace().look(packet),
              Step.of(0, way == LinkFault.Way.EGRESS ? "qdisc" : "netfilter", port, "DROP", why));
    }
    if (way == LinkFault.Way.EGRESS) {
      port.counters().transmitDropped();
    } else {
      port.counters().receiveDropped();
    }
    node.drops().drop(DatapathDrop.LINK_FAULT, packet);
  }

  private Behavior<Command> onLinkDue(LinkDue due) {
    if (due.faults() == faults) {
      faultsDueAt = Long.MAX_VALUE;
      runFaults(due.faults());
    }
    return this;
  }

  /** Lets go on what is due, and comes back for the rest: the kernel's qdisc watchdog. */
  private void runFaults(LinkFaults link) {
    long now = node.clock().nanos();
    long next = link.run(now);
    if (next < faultsDueAt) {
      faultsDueAt = next;
      ActorRef<Command> self = getContext().getSelf();
      // Finer than the actor system's scheduler, whose ticks are milliseconds.
      CompletableFuture.delayedExecutor(
              Math.max(0, next - now), TimeUnit.NANOSECONDS, Runnable::run)
          .execute(() -> self.tell(new LinkDue(link)));
    }
  }

  private Behavior<Command> onRemove(Remove remove) {
    onReplaceLinkFaults(new ReplaceLinkFaults(List.of(), 0));
    xdp = replaced(xdp, null);
    ingress = replaced(ingress, null);
    egress = replaced(egress, null);
    removed = true;
    getContext().scheduleOnce(DRAIN, getContext().getSelf(), Drained.INSTANCE);
    remove.replyTo().tell(Done.getInstance());
    return this;
  }
}
