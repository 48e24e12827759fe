package dev.paramecium.datapath.model;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4AffinityKey;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.LbAffinityMatch;
import dev.paramecium.abi.LbAffinityValue;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.datapath.model.ConntrackModel.Direction;
import dev.paramecium.datapath.model.ConntrackModel.Lookup;
import dev.paramecium.datapath.model.ConntrackModel.Ports;
import dev.paramecium.datapath.model.ConntrackModel.State;
import dev.paramecium.lib.NodeConfig;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** {@code lib/lb.h}. */
final class ServiceModel {

  /** A frontend, found under one of its two scopes. */
  record Service(Lb4Key key, Lb4Service value) {
    boolean has(int flag) {
      return (value.flags() & flag) != 0;
    }
  }

  private final MapState maps;
  private final NodeConfig config;
  private final ConntrackModel conntrack;
  private final RandomSource random;
  private final IntSupplier clock;

  ServiceModel(
      MapState maps,
      NodeConfig config,
      ConntrackModel conntrack,
      RandomSource random,
      IntSupplier clock) {
    this.maps = maps;
    this.config = config;
    this.conntrack = conntrack;
    this.random = random;
    this.clock = clock;
  }

  // ---- who is asked

  /** Whether a packet of the protocol can ask for a service: {@code lb4_extract_key}. */
  static boolean hasPorts(int protocol) {
    return protocol == IpProtocol.TCP || protocol == IpProtocol.UDP;
  }

  /**
   * {@code lb4_extract_key} and {@code lb4_lookup_service}.
   *
   * @param inside whether a service that differs inside and outside is looked up inside
   */
  @Nullable Service find(Frame frame, boolean inside) {
    Ports ports = conntrack.ports(frame, MetricsKey.EGRESS);
    return find(frame.destination(), ports.destination(), inside);
  }

  private @Nullable Service find(Ipv4Address address, int port, boolean inside) {
    Lb4Key key = new Lb4Key(address, port, 0, Lb4Key.SCOPE_EXTERNAL);
    Lb4Service found = maps.services.get(key);
    if (found != null && inside && (found.flags() & Lb4Service.FLAG_LOCAL_SCOPE) != 0) {
      key = new Lb4Key(address, port, 0, Lb4Key.SCOPE_INTERNAL);
      found = maps.services.get(key);
    }
    return found == null || found.count() == 0 ? null : new Service(key, found);
  }

  /** {@code lb4_src_range_ok}. */
  boolean isSourceAllowed(Service service, Ipv4Address source) {
    return !service.has(Lb4Service.FLAG_SOURCE_RANGE)
        || maps.sourceRanges.stream()
            .anyMatch(
                range ->
                    range.revNatIndex() == service.value().revNatIndex()
                        && range.prefix().contains(source));
  }

  // ---- to a backend

  /**
   * {@code lb4_local}.
   *
   * @param maglev LB_SELECTION_MAGLEV
   * @param state afterwards what the connection's entry is to hold
   * @return the destination that the connection is tracked under
   */
  Ipv4Address local(Frame frame, Service asked, boolean maglev, State state) {
    Ipv4Address client = frame.source();
    Service service = asked;
    Lookup found;
    try {
      found = conntrack.lookup(frame, Direction.SERVICE);
    } catch (Drop _) {
      throw new Drop(DropReason.NO_SERVICE);
    }
    CtTuple tuple = found.tuple();
    CtEntry entry = found.entry();
    if (entry == null) {
      state.backendId = chooseNew(service, client, tuple, maglev);
      state.revNatIndex = service.value().revNatIndex();
      conntrack.create(frame, tuple, Direction.SERVICE, state, false);
    } else {
      read(entry, state);
      adopt(service, client, tuple, maglev, state);
      Lb4Backend kept = maps.backends.get(state.backendId);
      boolean drains = kept != null && !isSyn(frame);
      if (kept == null || kept.flags() != Lb4Backend.ACTIVE && !drains) {
        service = needed(find(frame.destination(), asked.key().dport(), false));
        state.backendId = existing(select(service, tuple, maglev));
        conntrack.setBackend(tuple, state.backendId);
      }
    }
    state.revNatIndex = service.value().revNatIndex();
    if (hasAffinity(service)) {
      maps.affinity.put(
          affinityKey(service, client),
          new LbAffinityValue(clock.getAsInt() & 0xffff_ffffL, state.backendId));
    }
    return translate(frame, asked.key().dport(), maps.backends.get(state.backendId), state);
  }

  private static boolean isSyn(Frame frame) {
    return frame.protocol() == IpProtocol.TCP
        && frame.isFirstOrWhole()
        && (frame.u8(frame.l4() + 13) & 2) != 0;
  }

  private static <T> T needed(@Nullable T found) {
    if (found == null) {
      throw new Drop(DropReason.NO_SERVICE);
    }
    return found;
  }

  private int existing(int backendId) {
    needed(maps.backends.get(backendId));
    return backendId;
  }

  private static void read(CtEntry entry, State state) {
    state.revNatIndex = entry.revNatIndex();
    state.loopback = (entry.flags() & CtEntry.LB_LOOPBACK) != 0;
    state.nodePort = (entry.flags() & CtEntry.NODE_PORT) != 0;
    state.dsr = (entry.flags() & CtEntry.DSR) != 0;
    state.ifindex = entry.ifindex();
    state.backendId = (int) entry.rxBytes();
  }

  private int chooseNew(Service service, Ipv4Address client, CtTuple tuple, boolean maglev) {
    int stays = hasAffinity(service) ? affinity(service, client) : 0;
    return maps.backends.containsKey(stays) && stays != 0
        ? stays
        : existing(select(service, tuple, maglev));
  }

  /** Entries of old releases, and of a service that had the address before. */
  private void adopt(
      Service service, Ipv4Address client, CtTuple tuple, boolean maglev, State state) {
    int revNatIndex = service.value().revNatIndex();
    if (state.revNatIndex == 0) {
      state.revNatIndex = revNatIndex;
      conntrack.setRevNatIndex(tuple, revNatIndex);
    }
    if (state.revNatIndex != revNatIndex) {
      int backendId = hasAffinity(service) ? affinity(service, client) : 0;
      if (backendId == 0) {
        backendId = select(service, tuple, maglev);
      }
      if (backendId == 0) {
        throw new Drop(DropReason.NO_SERVICE);
      }
      state.backendId = backendId;
      state.revNatIndex = revNatIndex;
      conntrack.setBackend(tuple, backendId);
      conntrack.setRevNatIndex(tuple, revNatIndex);
    }
  }

  /** {@code lb4_select_backend_id}: 0 if there is none. */
  private int select(Service service, CtTuple tuple, boolean maglev) {
    if (maglev) {
      int[] table = maps.maglev.get(service.value().revNatIndex());
      return table == null ? 0 : table[Integer.remainderUnsigned(maglevHash(tuple), table.length)];
    }
    int slot = Integer.remainderUnsigned(random.nextInt(), service.value().count()) + 1;
    Lb4Service found = maps.services.get(service.key().withBackendSlot(slot));
    return found == null ? 0 : found.backendId();
  }

  // ---- session affinity

  private boolean hasAffinity(Service service) {
    return config.sessionAffinity() && service.has(Lb4Service.FLAG_AFFINITY);
  }

  private static Lb4AffinityKey affinityKey(Service service, Ipv4Address client) {
    return Lb4AffinityKey.ofClient(client, service.value().revNatIndex());
  }

  /** {@code lb4_affinity_backend_id_by_addr}: 0 if the client has none any more. */
  private int affinity(Service service, Ipv4Address client) {
    Lb4AffinityKey key = affinityKey(service, client);
    LbAffinityValue value = maps.affinity.get(key);
    if (value == null) {
      return 0;
    }
    long now = clock.getAsInt() & 0xffff_ffffL;
    // Of a frontend the place of the backend's id holds the timeout.
    boolean old = value.lastUsed() + (service.value().backendId() & 0xffff_ffffL) <= now;
    LbAffinityMatch match = new LbAffinityMatch(value.backendId(), key.revNatIndex());
    if (old || !maps.affinityMatches.contains(match)) {
      maps.affinity.remove(key);
      return 0;
    }
    maps.affinity.put(key, new LbAffinityValue(now, value.backendId()));
    return value.backendId();
  }

  // ---- Maglev

  /** {@code hash_from_tuple_v4}: {@code jhash_3words} of address, ports and protocol. */
  private int maglevHash(CtTuple tuple) {
    int seed = config.nodePort() == null ? 0 : config.nodePort().connectionSeed();
    int ports = swap(tuple.dport()) << 16 | swap(tuple.sport());
    int start = 0xdeadbeef + (3 << 2) + seed;
    int a = Integer.reverseBytes(tuple.saddr().value()) + start;
    int b = ports + start;
    int c = tuple.nexthdr() + start;
    c = (c ^ b) - Integer.rotateLeft(b, 14);
    a = (a ^ c) - Integer.rotateLeft(c, 11);
    b = (b ^ a) - Integer.rotateLeft(a, 25);
    c = (c ^ b) - Integer.rotateLeft(b, 16);
    a = (a ^ c) - Integer.rotateLeft(c, 4);
    b = (b ^ a) - Integer.rotateLeft(a, 14);
    return (c ^ b) - Integer.rotateLeft(b, 24);
  }

  private static int swap(int port) {
    return (port & 0xff) << 8 | port >>> 8;
  }

  // ---- rewriting

  /** The rest of {@code lb4_local}, and {@code lb4_xlate}. */
  private Ipv4Address translate(Frame frame, int frontendPort, Lb4Backend backend, State state) {
    Ipv4Address client = frame.source();
    Ipv4Address frontend = frame.destination();
    Ipv4Address loopback = new Ipv4Address(config.loopbackIp());
    boolean hairpin = client.equals(backend.address());
    if (hairpin) {
      state.loopback = true;
      state.loopbackAddress = loopback;
      state.serviceAddress = client;
    }
    frame.setAddress(Frame.DESTINATION, frontend, backend.address());
    if (hairpin) {
      frame.setAddress(Frame.SOURCE, client, loopback);
    }
    if (frame.isFirstOrWhole()) {
      int[] before = {frontend.value(), hairpin ? client.value() : 0};
      int[] after = {backend.address().value(), hairpin ? loopback.value() : 0};
      frame.correctL4ForAddresses(frame.protocol(), before, after);
      if (backend.port() != 0 && backend.port() != frontendPort) {
        frame.setPort(2, frontendPort, backend.port());
      }
    }
    return state.loopback ? frontend : backend.address();
  }

  /**
   * {@code lb4_rev_nat}.
   *
   * @param loopback whether the connection is a pod's with itself
   * @param correctsFragments whether the caller takes what stands in a later fragment where a
   *     checksum would be for one
   */
  void reverse(Frame frame, int revNatIndex, boolean loopback, boolean correctsFragments) {
    Lb4ReverseNat frontend = maps.reverseNat.get(revNatIndex);
    if (frontend == null) {
      return;
    }
    int protocol = frame.protocol();
    if (frontend.port() != 0 && frame.isFirstOrWhole() && hasPorts(protocol)) {
      int port = frame.u16(frame.l4());
      if (port != frontend.port()) {
        frame.setPort(0, port, frontend.port());
      }
    }
    Ipv4Address source = frame.source();
    Ipv4Address destination = frame.destination();
    if (loopback) {
      frame.setAddress(Frame.DESTINATION, destination, source);
    }
    frame.setAddress(Frame.SOURCE, source, frontend.address());
    if (frame.isFirstOrWhole() || correctsFragments) {
      int[] before = {source.value(), loopback ? destination.value() : 0};
      int[] after = {frontend.address().value(), loopback ? source.value() : 0};
      frame.correctL4ForAddresses(protocol, before, after);
    }
  }
}
