package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.BpfArrayMap;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.map.ServiceMaps;

/**
 * Services by packet ({@code bpf/lib/lb.h}): from a frontend to a backend, and replies back.
 *
 * <pre>
 *   pod → VIP:port --SERVICE conntrack entry, or affinity, or chance--> pod → backend:port
 *   pod ← VIP:port <--reverse NAT by the rev_nat index of the connection-- pod ← backend:port
 * </pre>
 *
 * A service's key has no protocol in this version: UDP to a TCP service's port is translated too.
 */
public final class LoadBalancer {

  private final ServiceMaps services;
  private final Conntrack conntrack;
  private final Fragments fragments;
  private final RandomSource random;
  private final SessionAffinity affinity;
  private final int loopbackIp;
  private final boolean sessionAffinity;
  private final boolean maglev;
  private final int connectionSeed;
  private final TraceRecorder recorder;

  /**
   * @param fromOutside whether clients outside the cluster come by here: they are spread as the
   *     node is configured, pods always by chance
   */
  LoadBalancer(
      ProgramContext context, Conntrack conntrack, Fragments fragments, boolean fromOutside) {
    NodePortConfig nodePort = context.config().nodePort();
    this.services = context.maps().services();
    this.conntrack = conntrack;
    this.fragments = fragments;
    this.random = context.random();
    this.affinity = new SessionAffinity(services, context.clock());
    this.loopbackIp = context.config().loopbackIp();
    this.sessionAffinity = context.config().sessionAffinity();
    this.maglev = fromOutside && nodePort != null && nodePort.maglev();
    this.connectionSeed = nodePort == null ? 0 : nodePort.connectionSeed();
    this.recorder = context.recorder();
  }

  // ---- the service that a packet asks for

  /**
   * {@code lb4_extract_key}: puts the packet's ends into {@code tuple}.
   *
   * @return 0; the negative of {@link DropReason#NO_SERVICE} for ICMP and of {@link
   *     DropReason#UNKNOWN_L4} for what has no ports, both of which mean that no service is asked
   *     for; another negative number is an error
   */
  public int extractKey(SkBuff packet, Ipv4CtTuple tuple, int l4Offset, PerCpu cpu) {
    Conntrack.fill(tuple, packet);
    return switch (tuple.nexthdr) {
      case IpProtocol.TCP, IpProtocol.UDP ->
          fragments.loadPorts(packet, l4Offset, MetricsKey.EGRESS, tuple, cpu);
      case IpProtocol.ICMP, IpProtocol.ICMPV6 -> -DropReason.NO_SERVICE;
      default -> -DropReason.UNKNOWN_L4;
    };
  }

  /**
   * {@code lb4_lookup_service}: the frontend's entry, or -1. A service without backends counts as
   * none. {@link PerCpu#serviceScope} says which of the frontend's two services it is: its backends
   * are found there too.
   *
   * @param tuple as {@link #extractKey} leaves it
   * @param switchScope whether a service that differs inside and outside is looked up inside
   */
  public int lookup(SkBuff packet, Ipv4CtTuple tuple, boolean switchScope, PerCpu cpu) {
    int found = lookup(tuple.daddr, tuple.sport, switchScope, cpu);
    if (packet.traced) {
      recorder.lookup(
          packet,
          MapNames.LB4_SERVICES,
          new Lb4Key(new Ipv4Address(tuple.daddr), tuple.sport).toString(),
          found < 0 ? "" : serviceText(found));
    }
    return found;
  }

  private int lookup(int address, int port, boolean switchScope, PerCpu cpu) {
    cpu.serviceScope = Lb4Key.SCOPE_EXTERNAL;
    int service = services.findService(address, port, 0, Lb4Key.SCOPE_EXTERNAL);
    if (service >= 0
        && switchScope
        && (services.flags(service) & Lb4Service.FLAG_LOCAL_SCOPE) != 0) {
      cpu.serviceScope = Lb4Key.SCOPE_INTERNAL;
      service = services.findService(address, port, 0, Lb4Key.SCOPE_INTERNAL);
    }
    return service >= 0 && services.count(service) > 0 ? service : -1;
  }

  private String serviceText(int service) {
    return new Lb4Service(
            services.backendId(service),
            services.count(service),
            Short.reverseBytes((short) services.rawRevNatIndex(service)) & 0xffff,
            services.flags(service),
            services.flags2(service))
        .toString();
  }

  public int rawRevNatIndex(int service) {
    return services.rawRevNatIndex(service);
  }

  /** Whether outside clients may use the service at all. */
  boolean isRoutable(int service) {
    return (services.flags(service) & Lb4Service.FLAG_ROUTABLE) != 0;
  }

  boolean isHostPort(int service) {
    return (services.flags(service) & Lb4Service.FLAG_HOST_PORT) != 0;
  }

  /** {@code lb4_src_range_ok}. */
  boolean isSourceAllowed(int service, int source) {
    return (services.flags(service) & Lb4Service.FLAG_SOURCE_RANGE) == 0
        || services.isInSourceRange(source, services.rawRevNatIndex(service));
  }

  private boolean hasAffinity(int service) {
    return sessionAffinity && (services.flags(service) & Lb4Service.FLAG_AFFINITY) != 0;
  }

  // ---- to a backend

  /**
   * {@code lb4_local}: chooses the backend that the connection has or shall have, and rewrites the
   * packet's destination to it.
   *
   * @param service of {@link #lookup}
   * @param tuple as {@link #extractKey} leaves it; afterwards its destination is the backend
   * @param state cleared by the caller; afterwards it has the service's rev_nat index, and whether
   *     the backend is the source itself
   * @return 0 or a negative drop reason
   */
  public int local(
      SkBuff packet, int service, Ipv4CtTuple tuple, int l4Offset, CtState state, PerCpu cpu) {
    int client = tuple.saddr;
    int address = tuple.daddr;
    int port = tuple.sport;
    int flags = tuple.flags;
    cpu.service = service;
    int chosen =
        switch (conntrack.lookup4(packet, tuple, l4Offset, Conntrack.SERVICE, state, cpu)) {
          case Conntrack.NEW -> choose(packet, service, tuple, address, port, client, state, cpu);
          case Conntrack.ESTABLISHED, Conntrack.REPLY, Conntrack.RELATED, Conntrack.REOPENED ->
              keep(service, tuple, address, port, client, state, cpu);
          default -> -1;
        };
    tuple.flags = flags;
    if (chosen < 0) {
      return -DropReason.NO_SERVICE;
    }
    state.rawRevNatIndex = services.rawRevNatIndex(cpu.service);
    if (hasAffinity(cpu.service)) {
      affinity.update(
          ServiceMaps.addressId(client), false, state.rawRevNatIndex, state.backendId, cpu.value);
    }
    int backendAddress = services.backendAddress(chosen);
    int backendPort = services.backendPort(chosen);
    if (packet.traced) {
      recordBackend(packet, state.backendId, chosen);
    }
    boolean hairpin = client == backendAddress;
    if (hairpin) {
      state.loopback = true;
      state.address = loopbackIp;
      state.serviceAddress = client;
    }
    if (!state.loopback) {
      tuple.daddr = backendAddress;
    }
    if (backendPort != 0) {
      tuple.sport = backendPort;
    }
    return translate(
        packet, tuple.nexthdr, l4Offset, address, port, backendAddress, backendPort, hairpin);
  }

  /** A new connection: the backend that the client has, or one by chance. */
  private int choose(
      SkBuff packet,
      int service,
      Ipv4CtTuple tuple,
      int address,
      int port,
      int client,
      CtState state,
      PerCpu cpu) {
    int backendId = 0;
    int backend = -1;
    if (hasAffinity(service)) {
      backendId = affinity.backend(service, ServiceMaps.addressId(client), false);
      backend = backendId == 0 ? -1 : services.findBackend(backendId);
    }
    if (backend < 0) {
      backendId = selectBackend(service, tuple, address, port, cpu);
      backend = services.findBackend(backendId);
      if (backend < 0) {
        return -1;
      }
    }
    state.backendId = backendId;
    state.rawRevNatIndex = services.rawRevNatIndex(service);
    int error = conntrack.create4(packet, tuple, Conntrack.SERVICE, state, false, false, cpu);
    return error < 0 ? -1 : backend;
  }

  /**
   * A known connection keeps its backend, unless the entry is another service's, or the backend is
   * gone, or it takes no new connections and this is one.
   */
  private int keep(
      int service,
      Ipv4CtTuple tuple,
      int address,
      int port,
      int client,
      CtState state,
      PerCpu cpu) {
    int rawRevNatIndex = services.rawRevNatIndex(service);
    if (state.rawRevNatIndex == 0) {
      // An entry of a release that did not store it.
      state.rawRevNatIndex = rawRevNatIndex;
      conntrack.updateRevNatIndex(tuple, rawRevNatIndex);
    }
    if (state.rawRevNatIndex != rawRevNatIndex) {
      int backendId =
          hasAffinity(service)
              ? affinity.backend(service, ServiceMaps.addressId(client), false)
              : 0;
      if (backendId == 0) {
        backendId = selectBackend(service, tuple, address, port, cpu);
        if (backendId == 0) {
          return -1;
        }
      }
      state.backendId = backendId;
      conntrack.updateBackendId(tuple, backendId);
      state.rawRevNatIndex = rawRevNatIndex;
      conntrack.updateRevNatIndex(tuple, rawRevNatIndex);
    }
    int backend = services.findBackend(state.backendId);
    boolean takesNew = backend >= 0 && services.backendState(backend) == Lb4Backend.ACTIVE;
    if (takesNew || backend >= 0 && !state.syn) {
      return backend;
    }
    // From here on what is asked for outside counts, whoever asked.
    cpu.service = lookup(address, port, false, cpu);
    if (cpu.service < 0) {
      return -1;
    }
    int backendId = selectBackend(cpu.service, tuple, address, port, cpu);
    backend = services.findBackend(backendId);
    if (backend >= 0) {
      state.backendId = backendId;
      conntrack.updateBackendId(tuple, backendId);
    }
    return backend;
  }

  /** {@code lb4_select_backend_id}; 0 if the slot or the lookup table is missing. */
  private int selectBackend(int service, Ipv4CtTuple tuple, int address, int port, PerCpu cpu) {
    if (maglev) {
      return selectMaglev(service, tuple);
    }
    int slot = Integer.remainderUnsigned(random.nextInt(), services.count(service)) + 1;
    int entry = services.findService(address, port, slot, cpu.serviceScope);
    return entry < 0 ? 0 : services.backendId(entry);
  }

  /**
   * LB_SELECTION_MAGLEV: the same client and ports meet the same backend on every node. The
   * service's address is left out, so that they do so behind each of its frontends.
   */
  private int selectMaglev(int service, Ipv4CtTuple tuple) {
    BpfArrayMap table = services.findMaglev(services.rawRevNatIndex(service));
    if (table == null) {
      return 0;
    }
    int ports =
        (Short.reverseBytes((short) tuple.dport) & 0xffff) << 16
            | Short.reverseBytes((short) tuple.sport) & 0xffff;
    int hash =
        JHash.threeWords(Integer.reverseBytes(tuple.saddr), ports, tuple.nexthdr, connectionSeed);
    int place = Integer.remainderUnsigned(hash, table.valueSize() / Integer.BYTES);
    return table.i32(0, place * Integer.BYTES);
  }

  // ---- rewriting

  /** {@code lb4_xlate}. */
  private int translate(
      SkBuff packet,
      int protocol,
      int l4Offset,
      int address,
      int port,
      int backendAddress,
      int backendPort,
      boolean hairpin) {
    boolean hasL4Header = Ipv4Header.hasL4Header(packet);
    L4.rewriteAddress(packet, Ipv4Header.DESTINATION, address, backendAddress);
    if (hairpin) {
      // Linux drops what comes from itself: the source becomes an address that is nobody's.
      L4.rewriteAddress(packet, Ipv4Header.SOURCE, backendAddress, loopbackIp);
    }
    if (hasL4Header) {
      int error = L4.correctForAddress(packet, l4Offset, protocol, address, backendAddress);
      if (error < 0) {
        return error;
      }
      if (hairpin) {
        L4.correctForAddress(packet, l4Offset, protocol, backendAddress, loopbackIp);
      }
    }
    if (!hasL4Header || backendPort == 0 || backendPort == port) {
      return 0;
    }
    return L4.rewritePort(packet, l4Offset, protocol, L4.DESTINATION_PORT, port, backendPort);
  }

  /**
   * {@code lb4_rev_nat}: makes a reply come from the frontend that the request went to.
   *
   * @param state of the connection; of a looped-back one the destination is the pod itself again
   * @param sourceFromTuple REV_NAT_F_TUPLE_SADDR: the tuple has the packet's source as {@code
   *     saddr}, and gets the frontend's
   * @param correctsFragments whether the caller's v1.12.3 counterpart takes what stands in a later
   *     fragment where a checksum would be for one: all but {@code ipv4_policy} do
   * @return 0, also if the rev_nat index is gone, or a negative drop reason
   */
  public int reverseNat(
      SkBuff packet,
      int l4Offset,
      CtState state,
      Ipv4CtTuple tuple,
      boolean sourceFromTuple,
      boolean correctsFragments) {
    int entry = services.findReverseNat(state.rawRevNatIndex);
    if (packet.traced) {
      recordReverseNat(packet, state.rawRevNatIndex, entry);
    }
    if (entry < 0) {
      return 0;
    }
    int protocol = tuple.nexthdr;
    boolean hasL4Header = Ipv4Header.hasL4Header(packet);
    int frontendPort = services.frontendPort(entry);
    boolean hasPorts = protocol == IpProtocol.TCP || protocol == IpProtocol.UDP;
    if (frontendPort != 0 && hasL4Header && hasPorts) {
      int error = reversePort(packet, l4Offset, protocol, frontendPort);
      if (error < 0) {
        return error;
      }
    }
    int frontend = services.frontendAddress(entry);
    int oldSource = sourceFromTuple ? tuple.saddr : Ipv4Header.saddr(packet);
    if (sourceFromTuple) {
      tuple.saddr = frontend;
    }
    int oldDestination = Ipv4Header.daddr(packet);
    if (state.loopback) {
      L4.rewriteAddress(packet, Ipv4Header.DESTINATION, oldDestination, oldSource);
      tuple.saddr = oldSource;
    }
    L4.rewriteAddress(packet, Ipv4Header.SOURCE, oldSource, frontend);
    if (!hasL4Header && !correctsFragments) {
      return 0;
    }
    int error = L4.correctForAddress(packet, l4Offset, protocol, oldSource, frontend);
    return error == 0 && state.loopback
        ? L4.correctForAddress(packet, l4Offset, protocol, oldDestination, oldSource)
        : error;
  }

  /** {@code reverse_map_l4_port}. */
  private static int reversePort(SkBuff packet, int l4Offset, int protocol, int frontendPort) {
    int at = l4Offset + L4.SOURCE_PORT;
    if (!Ipv4Header.has(packet, at, 2)) {
      return -DropReason.CT_INVALID_HDR;
    }
    int port = packet.u16(at);
    return port == frontendPort
        ? 0
        : L4.rewritePort(packet, l4Offset, protocol, L4.SOURCE_PORT, port, frontendPort);
  }

  // ---- tracing

  private void recordBackend(SkBuff packet, int backendId, int backend) {
    String value =
        services.backendAddress(backend) == 0
            ? ""
            : new Ipv4Address(services.backendAddress(backend))
                + ":"
                + services.backendPort(backend);
    recorder.lookup(packet, MapNames.LB4_BACKENDS, Integer.toUnsignedString(backendId), value);
    recorder.decision(packet, "service: backend " + backendId + " " + value);
  }

  private void recordReverseNat(SkBuff packet, int rawRevNatIndex, int entry) {
    int index = Short.reverseBytes((short) rawRevNatIndex) & 0xffff;
    recorder.lookup(
        packet,
        MapNames.LB4_REVERSE_NAT,
        Integer.toString(index),
        entry < 0
            ? ""
            : new Ipv4Address(services.frontendAddress(entry))
                + ":"
                + services.frontendPort(entry));
  }
}
