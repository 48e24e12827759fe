package dev.paramecium.datapath;

import static dev.paramecium.benchmark.ReferenceNode.CLIENT;
import static dev.paramecium.benchmark.ReferenceNode.CLIENT_ID;
import static dev.paramecium.benchmark.ReferenceNode.CLIENT_IDENTITY;
import static dev.paramecium.benchmark.ReferenceNode.CLIENT_IFINDEX;
import static dev.paramecium.benchmark.ReferenceNode.CURL;
import static dev.paramecium.benchmark.ReferenceNode.CURL_ID;
import static dev.paramecium.benchmark.ReferenceNode.CURL_IDENTITY;
import static dev.paramecium.benchmark.ReferenceNode.CURL_IFINDEX;
import static dev.paramecium.benchmark.ReferenceNode.HTTPBIN;
import static dev.paramecium.benchmark.ReferenceNode.HTTPBIN_IDENTITY;
import static dev.paramecium.benchmark.ReferenceNode.VIP;
import static dev.paramecium.benchmark.ReferenceNode.VXLAN_IFINDEX;
import static dev.paramecium.benchmark.ReferenceNode.WORLD_IDENTITY;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.packet.Tcp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What v1.12.3's {@code bpf_lxc.c}, {@code bpf_overlay.c} and the headers that they share do with
 * the TCP segments of {@link dev.paramecium.benchmark.ReferenceNode}'s pods, written down as
 * plainly as it can be: hash maps of records, one method for each step of the C source, nothing
 * shared with the programs. Monitor aggregation is medium.
 */
final class ReferenceModel {

  private static final int NEW = 0;
  private static final int ESTABLISHED = 1;
  private static final int REPLY = 2;
  private static final int REOPENED = 4;

  private static final int SERVICE_PORT = 80;
  private static final int BACKEND_PORT = 8080;
  private static final int BACKEND_ID = 1;
  static final int REV_NAT_INDEX = 7;

  private enum Direction {
    EGRESS,
    INGRESS,
    SERVICE
  }

  /** A segment as IPv4 and TCP say it. */
  record Segment(
      Ipv4Address source,
      int sourcePort,
      Ipv4Address destination,
      int port,
      int flags,
      int payload,
      int ttl) {

    int length() {
      return 54 + payload;
    }

    Segment to(Ipv4Address address, int newPort) {
      return new Segment(source, sourcePort, address, newPort, flags, payload, ttl);
    }

    Segment from(Ipv4Address address, int newPort) {
      return new Segment(address, newPort, destination, port, flags, payload, ttl);
    }

    Segment hop() {
      return new Segment(source, sourcePort, destination, port, flags, payload, ttl - 1);
    }
  }

  /** {@code struct ct_entry}, without what no test of this reaches. */
  static final class Entry {
    long rxPackets;
    long rxBytes;
    long txPackets;
    long txBytes;
    int lifetime;
    boolean rxClosing;
    boolean txClosing;
    boolean seenNonSyn;
    int revNatIndex;
    int txFlags;
    int rxFlags;
    int sourceIdentity;
    int lastTx;
    int lastRx;

    private boolean isClosing() {
      return rxClosing || txClosing;
    }

    private boolean isAlive() {
      return !rxClosing || !txClosing;
    }

    private Entry copy() {
      Entry copy = new Entry();
      copy.rxPackets = rxPackets;
      copy.rxBytes = rxBytes;
      copy.txPackets = txPackets;
      copy.txBytes = txBytes;
      copy.lifetime = lifetime;
      copy.seenNonSyn = seenNonSyn;
      copy.revNatIndex = revNatIndex;
      copy.txFlags = txFlags;
      copy.rxFlags = rxFlags;
      copy.sourceIdentity = sourceIdentity;
      copy.lastTx = lastTx;
      copy.lastRx = lastRx;
      return copy;
    }

    @Override
    public String toString() {
      return "rx %d/%d tx %d/%d life %d closing %b/%b nonsyn %b rev %d flags %x/%x id %d last %d/%d"
          .formatted(
              rxPackets,
              rxBytes,
              txPackets,
              txBytes,
              lifetime,
              rxClosing,
              txClosing,
              seenNonSyn,
              revNatIndex,
              txFlags,
              rxFlags,
              sourceIdentity,
              lastTx,
              lastRx);
    }
  }

  /** {@code struct policy_entry}. */
  static final class Rule {
    final boolean deny;
    long packets;
    long bytes;

    Rule(boolean deny) {
      this.deny = deny;
    }
  }

  /** What becomes of a segment. */
  record Outcome(int verdict, int ifindex, Segment segment) {}

  private record Lookup(int status, boolean monitor, int revNatIndex, CtTuple tuple) {}

  int now;
  final Map<CtTuple, Entry> tcp = new HashMap<>();
  final Map<CtTuple, Entry> any = new HashMap<>();
  final Map<PolicyKey, Rule> curl = new HashMap<>();
  final Map<PolicyKey, Rule> client = new HashMap<>();
  private final List<String> events = new ArrayList<>();
  private int match;

  /** What the programs told since the last call. */
  List<String> events() {
    List<String> all = List.copyOf(events);
    events.clear();
    return all;
  }

  static String drop(int reason, int source, int destination, int endpoint) {
    return "drop %d %d→%d endpoint %d".formatted(reason, source, destination, endpoint);
  }

  static String verdict(int remote, int verdict, int port, boolean egress, int match) {
    return "verdict remote %d: %d port %d %s match %d"
        .formatted(remote, verdict, port, egress ? "egress" : "ingress", match);
  }

  static String trace(int point, int source, int destination, int endpoint, int reason, int at) {
    return "trace %d %d→%d endpoint %d reason %d ifindex %d"
        .formatted(point, source, destination, endpoint, reason, at);
  }

  private Outcome dropped(Segment segment, int reason, int source, int destination, int endpoint) {
    events.add(drop(reason, source, destination, endpoint));
    return new Outcome(Verdict.SHOT, 0, segment);
  }

  private void traced(
      boolean monitor,
      TracePoint point,
      int destination,
      int endpoint,
      int reason,
      int at,
      int by) {
    if (monitor) {
      events.add(trace(point.code(), by, destination, endpoint, reason, at));
    }
  }

  // ---- bpf_lxc.c, from-container of curl

  Outcome fromContainer(Segment sent) {
    if (!sent.source().equals(CURL)) {
      return dropped(sent, DropReason.INVALID_SIP, CURL_IDENTITY, 0, 0);
    }
    Segment segment = sent;
    int revNatIndex = 0;
    if (sent.destination().equals(VIP) && sent.port() == SERVICE_PORT) {
      Lookup service = lookup(sent, Direction.SERVICE);
      if (service.status() == NEW) {
        create(service.tuple(), sent, Direction.SERVICE, REV_NAT_INDEX, 0, false);
      }
      segment = sent.to(HTTPBIN, BACKEND_PORT);
      revNatIndex = REV_NAT_INDEX;
    }
    Lookup found = lookup(segment, Direction.EGRESS);
    int destination = identityOf(segment.destination());
    int verdict = policy(curl, destination, found.tuple().dport(), true, segment);
    boolean reply = found.status() == REPLY;
    if (!reply && verdict < 0) {
      events.add(verdict(destination, verdict, found.tuple().dport(), true, match));
      return dropped(segment, -verdict, CURL_IDENTITY, destination, 0);
    }
    if (found.status() == NEW || found.status() == REOPENED) {
      events.add(verdict(destination, verdict, found.tuple().dport(), true, match));
    }
    if (found.status() == NEW || !reply && found.revNatIndex() != revNatIndex) {
      create(found.tuple(), segment, Direction.EGRESS, revNatIndex, CURL_IDENTITY, true);
    }
    if (segment.destination().equals(CLIENT)) {
      return segment.ttl() <= 1
          ? dropped(segment, DropReason.INVALID, CURL_IDENTITY, destination, 0)
          : toPod(segment.hop(), client, CLIENT_ID, CLIENT_IDENTITY, CLIENT_IFINDEX, CURL_IDENTITY);
    }
    if (segment.destination().equals(HTTPBIN)) {
      traced(
          found.monitor(),
          TracePoint.TO_OVERLAY,
          0,
          0,
          found.status(),
          VXLAN_IFINDEX,
          CURL_IDENTITY);
      return new Outcome(Verdict.REDIRECT, VXLAN_IFINDEX, segment);
    }
    if (segment.ttl() <= 1) {
      return dropped(segment, DropReason.INVALID, CURL_IDENTITY, destination, 0);
    }
    traced(found.monitor(), TracePoint.TO_STACK, destination, 0, found.status(), 0, CURL_IDENTITY);
    return new Outcome(Verdict.OK, 0, segment.hop());
  }

  private static int identityOf(Ipv4Address address) {
    return address.equals(CURL)
        ? CURL_IDENTITY
        : address.equals(CLIENT)
            ? CLIENT_IDENTITY
            : address.equals(HTTPBIN) ? HTTPBIN_IDENTITY : WORLD_IDENTITY;
  }

  // ---- bpf_overlay.c, from-overlay, to curl

  Outcome fromOverlay(Segment segment, int vni) {
    if (vni == 1) {
      return dropped(segment, DropReason.INVALID_IDENTITY, 1, 0, 0);
    }
    int source = vni == 6 || vni == 7 ? identityOf(segment.source()) : vni;
    return segment.ttl() <= 1
        ? dropped(segment, DropReason.INVALID, source, 0, 0)
        : toPod(segment.hop(), curl, CURL_ID, CURL_IDENTITY, CURL_IFINDEX, source);
  }

  // ---- bpf_lxc.c, handle_policy

  private Outcome toPod(
      Segment received,
      Map<PolicyKey, Rule> rules,
      int endpoint,
      int identity,
      int ifindex,
      int source) {
    Lookup found = lookup(received, Direction.INGRESS);
    boolean reply = found.status() == REPLY;
    Segment segment =
        reply && found.revNatIndex() != 0 ? received.from(VIP, SERVICE_PORT) : received;
    int verdict = policy(rules, source, found.tuple().dport(), false, segment);
    if (!reply && verdict < 0) {
      events.add(verdict(source, verdict, found.tuple().dport(), false, match));
      return dropped(segment, -verdict, source, identity, endpoint);
    }
    if (found.status() == NEW || found.status() == REOPENED) {
      events.add(verdict(source, verdict, found.tuple().dport(), false, match));
    }
    if (found.status() == NEW) {
      create(found.tuple(), segment, Direction.INGRESS, 0, source, true);
    }
    traced(found.monitor(), TracePoint.TO_LXC, identity, endpoint, found.status(), ifindex, source);
    return new Outcome(Verdict.REDIRECT, ifindex, segment);
  }

  // ---- lib/policy.h

  private int policy(
      Map<PolicyKey, Rule> rules, int peer, int port, boolean egress, Segment segment) {
    List<PolicyKey> order =
        List.of(
            new PolicyKey(peer, port, IpProtocol.TCP, egress),
            new PolicyKey(0, port, IpProtocol.TCP, egress),
            new PolicyKey(peer, 0, 0, egress),
            new PolicyKey(0, 0, 0, egress));
    int[] matches = {2, 3, 1, 4};
    for (int i = 0; i < matches.length; i++) {
      Rule rule = rules.get(order.get(i));
      if (rule != null) {
        rule.packets++;
        rule.bytes += segment.length();
        match = matches[i];
        return rule.deny ? -DropReason.POLICY_DENY : 0;
      }
    }
    match = 0;
    return -DropReason.POLICY;
  }

  // ---- lib/conntrack.h

  private Lookup lookup(Segment segment, Direction direction) {
    int flags =
        switch (direction) {
          case INGRESS -> CtTuple.OUT;
          case EGRESS -> CtTuple.IN;
          case SERVICE -> CtTuple.SERVICE;
        };
    CtTuple reverse =
        new CtTuple(
            segment.destination(),
            segment.source(),
            segment.sourcePort(),
            segment.port(),
            IpProtocol.TCP,
            flags);
    Lookup found = lookup(reverse, segment, direction, false);
    if (found.status() != NEW) {
      return new Lookup(REPLY, found.monitor(), found.revNatIndex(), reverse);
    }
    if (direction == Direction.SERVICE) {
      return found;
    }
    CtTuple forward =
        new CtTuple(
            segment.source(),
            segment.destination(),
            segment.port(),
            segment.sourcePort(),
            IpProtocol.TCP,
            flags ^ CtTuple.IN);
    // What the miss said stands if the entry is dead, and so says nothing of its own.
    return lookup(forward, segment, direction, found.monitor());
  }

  private Lookup lookup(
      CtTuple tuple, Segment segment, Direction direction, boolean monitorBefore) {
    Entry entry = tcp.get(tuple);
    boolean syn = (segment.flags() & Tcp.SYN) != 0;
    if (entry == null
        || direction == Direction.SERVICE && syn && entry.isClosing() && now - entry.lastTx >= 60) {
      return new Lookup(NEW, true, 0, tuple);
    }
    boolean monitor = entry.isAlive() ? updateTimeout(entry, segment, direction) : monitorBefore;
    int revNatIndex = entry.revNatIndex;
    if (direction == Direction.INGRESS) {
      entry.rxPackets++;
      entry.rxBytes += segment.length();
    } else if (direction == Direction.EGRESS) {
      entry.txPackets++;
      entry.txBytes += segment.length();
    }
    if ((segment.flags() & (Tcp.FIN | Tcp.RST)) != 0) {
      boolean both = (segment.flags() & Tcp.RST) != 0 && direction != Direction.SERVICE;
      entry.rxClosing |= both || direction == Direction.INGRESS;
      entry.txClosing |= both || direction != Direction.INGRESS;
      if (!entry.isAlive()) {
        updateTimeout(entry, 10, segment, direction);
      }
      return new Lookup(ESTABLISHED, true, revNatIndex, tuple);
    }
    if (syn && entry.isClosing()) {
      entry.rxClosing = false;
      entry.txClosing = false;
      return new Lookup(REOPENED, updateTimeout(entry, segment, direction), revNatIndex, tuple);
    }
    return new Lookup(ESTABLISHED, monitor, revNatIndex, tuple);
  }

  private boolean updateTimeout(Entry entry, Segment segment, Direction direction) {
    entry.seenNonSyn |= (segment.flags() & Tcp.SYN) == 0;
    return updateTimeout(entry, entry.seenNonSyn ? 21600 : 60, segment, direction);
  }

  private boolean updateTimeout(Entry entry, int seconds, Segment segment, Direction direction) {
    entry.lifetime = now + seconds;
    boolean ingress = direction == Direction.INGRESS;
    int before = ingress ? entry.rxFlags : entry.txFlags;
    int seen = before | segment.flags();
    if (seen == before && (ingress ? entry.lastRx : entry.lastTx) + 5 >= now) {
      return false;
    }
    if (ingress) {
      entry.rxFlags = seen;
      entry.lastRx = now;
    } else {
      entry.txFlags = seen;
      entry.lastTx = now;
    }
    return true;
  }

  private void create(
      CtTuple tuple,
      Segment segment,
      Direction direction,
      int revNatIndex,
      int sourceIdentity,
      boolean related) {
    Entry entry = new Entry();
    entry.lifetime = now + 60;
    entry.revNatIndex = revNatIndex;
    entry.sourceIdentity = sourceIdentity;
    switch (direction) {
      case INGRESS -> {
        entry.rxPackets = 1;
        entry.rxBytes = segment.length();
        entry.rxFlags = Tcp.SYN;
        entry.lastRx = now;
      }
      case EGRESS -> {
        entry.txPackets = 1;
        entry.txBytes = segment.length();
        entry.txFlags = Tcp.SYN;
        entry.lastTx = now;
      }
      case SERVICE -> {
        // The backend's number stands where the received bytes would.
        entry.rxBytes = BACKEND_ID;
        entry.txFlags = Tcp.SYN;
        entry.lastTx = now;
      }
    }
    tcp.put(tuple, entry);
    if (related) {
      Entry icmp = entry.copy();
      icmp.seenNonSyn = true;
      any.put(
          new CtTuple(
              tuple.daddr(), tuple.saddr(), 0, 0, IpProtocol.ICMP, tuple.flags() | CtTuple.RELATED),
          icmp);
    }
  }
}
