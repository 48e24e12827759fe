package dev.paramecium.container.stack;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.container.stack.Neighbour.State;
import dev.paramecium.packet.Arp;
import dev.paramecium.packet.EtherType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Address resolution (RFC 826) with the kernel's reachability states ({@code
 * net/core/neighbour.c}).
 *
 * <pre>
 *   none --use--> INCOMPLETE --reply--> REACHABLE --30 s quiet--> STALE --use--> DELAY
 *                     | 3 requests          ^                                     | 5 s
 *                     v                     +------ reply, or TCP progress ---- PROBE
 *                  FAILED  <------------------------- 3 unicast requests ---------+
 * </pre>
 */
final class Neighbours {

  private static final long RETRANSMIT_TIME = Context.SECOND;
  private static final long DELAY_PROBE_TIME = 5 * Context.SECOND;
  private static final long BASE_REACHABLE_TIME = 30 * Context.SECOND;

  /** A fresh answer is not overwritten by another one for this long, unless it is gratuitous. */
  private static final long LOCK_TIME = Context.SECOND;

  private static final int MAX_PROBES = 3;

  /** The kernel allows 212,992 bytes a neighbour, 101 packets of its default size. */
  static final int MAX_WAITING = 101;

  /** net.ipv4.neigh.default.gc_thresh3. */
  static final int MAX_ENTRIES = 1024;

  private final Context context;
  private final Routes routes;
  private final FrameSink sink;
  private final Consumer<SkBuff> unreachable;
  private final Arp.View arp = new Arp.View();
  private final Map<Long, Neighbour> table = new LinkedHashMap<>();

  /**
   * @param sink where complete frames go
   * @param unreachable takes a datagram, behind its unwritten Ethernet header, whose next hop did
   *     not answer, and owns it
   */
  Neighbours(Context context, Routes routes, FrameSink sink, Consumer<SkBuff> unreachable) {
    this.context = context;
    this.routes = routes;
    this.sink = sink;
    this.unreachable = unreachable;
  }

  /** Sends a datagram to the next hop, or keeps it until the next hop's MAC is known. */
  void output(Destination destination, SkBuff frame) {
    NetDevice device = destination.device;
    if (destination.broadcast) {
      transmit(device, 0xffff_ffff_ffffL, frame);
      return;
    }
    if (Routes.isMulticast(destination.nextHop)) {
      transmit(device, 0x0100_5e00_0000L | (destination.nextHop & 0x7f_ffff), frame);
      return;
    }
    Neighbour neighbour = destination.neighbour;
    if (neighbour == null || neighbour.dead) {
      neighbour = findOrCreate(device, destination.nextHop);
      if (neighbour == null) {
        context.count(Counter.NEIGHBOUR_TABLE_FULL);
        context.release(frame);
        return;
      }
      destination.neighbour = neighbour;
    }
    neighbour.usedAt = context.now;
    if (neighbour.isConnected()) {
      transmit(device, neighbour.mac, frame);
      return;
    }
    switch (neighbour.state) {
      case STALE -> {
        neighbour.state = State.DELAY;
        neighbour.updatedAt = context.now;
        context.timers.set(neighbour.timer, context.now + DELAY_PROBE_TIME);
        transmit(device, neighbour.mac, frame);
      }
      case DELAY, PROBE, REACHABLE, PERMANENT, NOARP -> transmit(device, neighbour.mac, frame);
      case INCOMPLETE -> enqueue(neighbour, frame);
      case FAILED -> {
        neighbour.state = State.INCOMPLETE;
        neighbour.probes = 0;
        neighbour.updatedAt = context.now;
        neighbour.probeSource = probeSource(device, frame);
        enqueue(neighbour, frame);
        solicit(neighbour);
        context.timers.set(neighbour.timer, context.now + RETRANSMIT_TIME);
      }
    }
  }

  /** TCP made progress over this path: its next hop is alive. */
  void confirm(Destination destination) {
    Neighbour neighbour = destination.neighbour;
    if (neighbour != null) {
      neighbour.confirmedAt = context.now;
    }
  }

  /** Takes an ARP packet that follows an Ethernet header; the caller keeps the frame. */
  void receive(NetDevice device, SkBuff frame, boolean toUs) {
    context.count(Counter.ARP_IN);
    int length = frame.length - Headers.ETHERNET;
    if (!arp.wrap(frame.bytes, frame.head + Headers.ETHERNET, length)) {
      context.count(Counter.ARP_IN_ERRORS);
      return;
    }
    int operation = arp.operation();
    long senderMac = arp.senderMac();
    int sender = arp.senderIp();
    int target = arp.targetIp();
    boolean senderIsHost = (senderMac & 0x0100_0000_0000L) == 0 && senderMac != 0;
    if ((operation != Arp.REQUEST && operation != Arp.REPLY)
        || !senderIsHost
        || device.noArp
        || device.isLoopback()
        || Routes.isMulticast(target)
        || routes.isLoopback(target)
        || Routes.isMulticast(sender)
        || routes.isLoopback(sender)
        || (sender != 0 && (routes.isLocal(sender) || routes.isBroadcast(sender)))) {
      context.count(Counter.ARP_IN_IGNORED);
      return;
    }
    if (operation == Arp.REQUEST && routes.isLocal(target)) {
      if (sender != 0) {
        Neighbour neighbour = findOrCreate(device, sender);
        if (neighbour != null) {
          learn(neighbour, senderMac, State.STALE, false);
        }
      }
      MacAddress asker = new MacAddress(senderMac);
      send(
          device,
          senderMac,
          new Arp.Packet(
              Arp.REPLY,
              device.link.mac(),
              new Ipv4Address(target),
              asker,
              new Ipv4Address(sender)));
      return;
    }
    Neighbour known = sender == 0 ? null : table.get(key(device, sender));
    if (known == null) {
      context.count(Counter.ARP_IN_IGNORED);
      return;
    }
    boolean gratuitous = sender == target;
    boolean answer = operation == Arp.REPLY && toUs && !gratuitous;
    learn(known, senderMac, answer ? State.REACHABLE : State.STALE, gratuitous);
  }

  void addPermanent(NetDevice device, int address, long mac) {
    Neighbour neighbour = findOrCreate(device, address);
    if (neighbour == null) {
      throw new IllegalStateException(
          "the neighbour table is full: " + MAX_ENTRIES + " entries and none can be evicted");
    }
    context.timers.clear(neighbour.timer);
    neighbour.state = State.PERMANENT;
    neighbour.updatedAt = context.now;
    neighbour.mac = mac;
    neighbour.macKnown = true;
    flush(neighbour);
  }

  void removeDevice(NetDevice device) {
    for (Neighbour neighbour : List.copyOf(table.values())) {
      if (neighbour.device == device) {
        remove(neighbour);
      }
    }
  }

  void close() {
    for (Neighbour neighbour : List.copyOf(table.values())) {
      remove(neighbour);
    }
  }

  /** All entries but those of NOARP interfaces, which {@code ip neigh} does not show either. */
  List<Neighbour> list() {
    List<Neighbour> shown = new ArrayList<>();
    for (Neighbour neighbour : table.values()) {
      if (neighbour.state != State.NOARP) {
        shown.add(neighbour);
      }
    }
    return shown;
  }

  /** A neighbour's timer: what comes next depends on its state. */
  void timeout(Neighbour neighbour) {
    long now = context.now;
    switch (neighbour.state) {
      case REACHABLE -> {
        if (now < neighbour.confirmedAt + neighbour.reachableTime) {
          context.timers.set(neighbour.timer, neighbour.confirmedAt + neighbour.reachableTime);
        } else if (now < neighbour.usedAt + DELAY_PROBE_TIME) {
          neighbour.state = State.DELAY;
          neighbour.updatedAt = now;
          context.timers.set(neighbour.timer, now + DELAY_PROBE_TIME);
        } else {
          neighbour.state = State.STALE;
          neighbour.updatedAt = now;
        }
      }
      case DELAY -> {
        if (now <= neighbour.confirmedAt + DELAY_PROBE_TIME) {
          neighbour.state = State.REACHABLE;
          neighbour.updatedAt = now;
          context.timers.set(neighbour.timer, neighbour.confirmedAt + neighbour.reachableTime);
        } else {
          neighbour.state = State.PROBE;
          neighbour.updatedAt = now;
          neighbour.probes = 0;
          solicit(neighbour);
          context.timers.set(neighbour.timer, now + RETRANSMIT_TIME);
        }
      }
      case INCOMPLETE, PROBE -> {
        if (neighbour.probes >= MAX_PROBES) {
          fail(neighbour);
        } else {
          solicit(neighbour);
          context.timers.set(neighbour.timer, now + RETRANSMIT_TIME);
        }
      }
      case STALE, FAILED, PERMANENT, NOARP -> {}
    }
  }

  private void fail(Neighbour neighbour) {
    context.count(Counter.NEIGHBOUR_FAILED);
    neighbour.state = State.FAILED;
    neighbour.macKnown = false;
    neighbour.updatedAt = context.now;
    for (int left = neighbour.waiting.size(); left > 0; left--) {
      SkBuff frame = neighbour.waiting.poll();
      if (frame != null) {
        unreachable.accept(frame);
      }
    }
  }

  private void learn(Neighbour neighbour, long mac, State state, boolean gratuitous) {
    if (neighbour.state == State.PERMANENT || neighbour.state == State.NOARP) {
      return;
    }
    long now = context.now;
    boolean changes = neighbour.macKnown && neighbour.mac != mac;
    if (changes && !gratuitous && now < neighbour.updatedAt + LOCK_TIME) {
      return;
    }
    if (neighbour.macKnown
        && !changes
        && state == State.STALE
        && neighbour.state != State.INCOMPLETE
        && neighbour.state != State.FAILED) {
      return;
    }
    neighbour.mac = mac;
    neighbour.macKnown = true;
    neighbour.updatedAt = now;
    neighbour.state = state;
    neighbour.probes = 0;
    if (state == State.REACHABLE) {
      neighbour.confirmedAt = now;
      context.timers.set(neighbour.timer, now + neighbour.reachableTime);
    } else {
      context.timers.clear(neighbour.timer);
    }
    flush(neighbour);
  }

  private void flush(Neighbour neighbour) {
    for (SkBuff frame = neighbour.waiting.poll(); frame != null; frame = neighbour.waiting.poll()) {
      transmit(neighbour.device, neighbour.mac, frame);
    }
  }

  private void enqueue(Neighbour neighbour, SkBuff frame) {
    if (neighbour.waiting.size() >= MAX_WAITING) {
      SkBuff oldest = neighbour.waiting.poll();
      if (oldest != null) {
        context.release(oldest);
      }
      context.count(Counter.NEIGHBOUR_QUEUE_FULL);
    }
    neighbour.waiting.add(frame);
  }

  private void solicit(Neighbour neighbour) {
    neighbour.probes++;
    boolean unicast = neighbour.state == State.PROBE;
    NetDevice device = neighbour.device;
    if (neighbour.probeSource == 0 || !routes.isLocal(neighbour.probeSource)) {
      Destination back = routes.lookup(neighbour.address);
      neighbour.probeSource = back == null ? device.primaryAddress() : back.source;
    }
    send(
        device,
        unicast ? neighbour.mac : MacAddress.BROADCAST.value(),
        Arp.Packet.request(
            device.link.mac(),
            new Ipv4Address(neighbour.probeSource),
            new Ipv4Address(neighbour.address)));
  }

  private int probeSource(NetDevice device, SkBuff frame) {
    int source = frame.i32(Headers.ETHERNET + 12);
    return routes.isLocal(source) && !routes.isLoopback(source) ? source : device.primaryAddress();
  }

  private void send(NetDevice device, long to, Arp.Packet packet) {
    SkBuff frame = context.take();
    if (frame == null) {
      return;
    }
    frame.length = Headers.ETHERNET + Arp.LENGTH;
    frame.setMac(0, to);
    frame.setMac(6, device.mac());
    frame.setU16(12, EtherType.ARP);
    packet.encode(frame.bytes, frame.head + Headers.ETHERNET);
    context.count(Counter.ARP_OUT);
    context.count(Counter.FRAMES_OUT);
    frame.ifindex = device.ifindex();
    sink.transmit(device.ifindex(), frame);
  }

  private void transmit(NetDevice device, long mac, SkBuff frame) {
    frame.setMac(0, mac);
    frame.setMac(6, device.mac());
    frame.setU16(12, EtherType.IPV4);
    frame.ifindex = device.ifindex();
    context.count(Counter.FRAMES_OUT);
    sink.transmit(device.ifindex(), frame);
  }

  private @Nullable Neighbour findOrCreate(NetDevice device, int address) {
    Long key = key(device, address);
    Neighbour known = table.get(key);
    if (known != null) {
      return known;
    }
    if (table.size() >= MAX_ENTRIES && !evict()) {
      return null;
    }
    Neighbour created = new Neighbour(address, device, this);
    created.updatedAt = context.now;
    created.usedAt = context.now;
    created.reachableTime =
        BASE_REACHABLE_TIME / 2 + context.random(1 << 20) * (BASE_REACHABLE_TIME >>> 20);
    if (device.noArp) {
      created.state = State.NOARP;
      created.mac = device.mac();
      created.macKnown = true;
    }
    table.put(key, created);
    return created;
  }

  /** Makes room by the entry that was used longest ago and that nothing waits for. */
  private boolean evict() {
    Neighbour oldest = null;
    for (Neighbour neighbour : table.values()) {
      boolean idle =
          neighbour.state == State.STALE
              || neighbour.state == State.FAILED
              || neighbour.state == State.NOARP;
      if (idle && (oldest == null || neighbour.usedAt < oldest.usedAt)) {
        oldest = neighbour;
      }
    }
    if (oldest == null) {
      return false;
    }
    remove(oldest);
    return true;
  }

  private void remove(Neighbour neighbour) {
    neighbour.dead = true;
    context.timers.remove(neighbour.timer);
    for (SkBuff frame = neighbour.waiting.poll(); frame != null; frame = neighbour.waiting.poll()) {
      context.release(frame);
    }
    table.remove(key(neighbour.device, neighbour.address));
  }

  private static long key(NetDevice device, int address) {
    return (long) device.ifindex() << 32 | (address & 0xffff_ffffL);
  }
}
