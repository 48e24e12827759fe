package dev.paramecium.datapath.sock;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4RevNatEntry;
import dev.paramecium.abi.Ipv4RevNatTuple;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.SessionAffinity;
import dev.paramecium.map.MetricsMap;
import dev.paramecium.map.ServiceMaps;
import dev.paramecium.map.SocketMaps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Services by socket call ({@code bpf_sock.c}): from a frontend to a backend before there is a
 * packet, and back in what the process is told.
 *
 * <pre>
 *   forward  VIP:port → slot by chance (TCP) or by the socket's cookie (UDP), or affinity → backend:port
 *            cilium_lb4_reverse_sk: (cookie, backend:port) → VIP:port, rev_nat
 *   reverse  (cookie, backend:port) → VIP:port, while the service is still the same
 * </pre>
 *
 * A call that is not translated proceeds as it is: nothing here refuses one.
 */
final class Translation {

  private static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final ServiceMaps services;
  private final SocketMaps sockets;
  private final MetricsMap metrics;
  private final ServiceLookup lookup;
  private final SessionAffinity affinity;
  private final RandomSource random;
  private final boolean hostNamespaceOnly;

  Translation(
      ProgramContext context, SocketMaps sockets, ServiceLookup lookup, boolean hostNamespaceOnly) {
    this.services = context.maps().services();
    this.sockets = sockets;
    this.metrics = context.maps().metrics();
    this.lookup = lookup;
    this.affinity = new SessionAffinity(services, context.clock());
    this.random = context.random();
    this.hostNamespaceOnly = hostNamespaceOnly;
  }

  /**
   * {@code __sock4_xlate_fwd}: puts a backend's address into the call.
   *
   * @param udpOnly whether the hook sees UDP only
   * @return 0 or a negative errno, which only says why nothing was changed
   */
  int forward(SockAddr call, boolean udpOnly) {
    SocketTrace trace = call.trace;
    if (trace != null) {
      trace.function("__sock4_xlate_fwd");
    }
    if (hostNamespaceOnly && !call.isInHostNamespace()) {
      return -SockErrno.ENXIO;
    }
    if (!udpOnly && !isTranslated(call.protocol)) {
      return -SockErrno.ENOTSUP;
    }
    int address = call.address;
    int port = call.port;
    int service = lookup.find(call, address, port);
    if (service < 0) {
      return -SockErrno.ENXIO;
    }
    if (lookup.isLeftAlone(call, service, address)) {
      return -SockErrno.EPERM;
    }
    boolean hasAffinity = lookup.has(service, Lb4Service.FLAG_AFFINITY);
    int backendId = hasAffinity ? affinity.backend(service, call.netnsCookie, true) : 0;
    int backend = backendId == 0 ? -1 : services.findBackend(backendId);
    boolean known = backend >= 0;
    if (!known) {
      int slot = services.findService(call.keyAddress, port, slotOf(call, service), call.keyScope);
      if (slot < 0) {
        metrics.count(DropReason.LB_NO_BACKEND_SLOT, MetricsKey.EGRESS, 0);
        return -SockErrno.ENOENT;
      }
      backendId = services.backendId(slot);
      backend = services.findBackend(backendId);
    }
    if (backend < 0) {
      metrics.count(DropReason.LB_NO_BACKEND, MetricsKey.EGRESS, 0);
      return -SockErrno.ENOENT;
    }
    int backendAddress = services.backendAddress(backend);
    int backendPort = services.backendPort(backend);
    if ((services.flags2(service) & Lb4Service.FLAG2_LOCAL_REDIRECT) != 0
        && call.sockets.isBound(call.protocol, backendAddress, backendPort)) {
      return -SockErrno.ENXIO;
    }
    int rawRevNatIndex = services.rawRevNatIndex(service);
    if (hasAffinity && !known) {
      affinity.update(call.netnsCookie, true, rawRevNatIndex, backendId, call.value);
    }
    if (remember(call, backendAddress, backendPort, rawRevNatIndex) < 0) {
      metrics.count(DropReason.LB_REVERSE_ENTRY_UPDATE_FAILED, MetricsKey.EGRESS, 0);
      return -SockErrno.ENOMEM;
    }
    if (trace != null) {
      String text = new Ipv4Address(backendAddress) + ":" + backendPort;
      trace.lookup(MapNames.LB4_BACKENDS, Integer.toUnsignedString(backendId), text);
      trace.decision("service: backend " + Integer.toUnsignedString(backendId) + " " + text);
    }
    call.address = backendAddress;
    call.port = backendPort;
    return 0;
  }

  /** {@code sock_proto_enabled}. */
  static boolean isTranslated(int protocol) {
    return protocol == IpProtocol.TCP || protocol == IpProtocol.UDP;
  }

  /** {@code sock_select_slot}: a UDP socket stays with its backend, whose datagrams it expects. */
  private int slotOf(SockAddr call, int service) {
    long chosen = call.protocol == IpProtocol.TCP ? random.nextInt() & 0xffff_ffffL : call.cookie;
    return (int) Long.remainderUnsigned(chosen, services.count(service)) + 1;
  }

  /** {@code sock4_update_revnat}: 0 or a negative errno. */
  private int remember(SockAddr call, int backendAddress, int backendPort, int rawRevNatIndex) {
    int entry = sockets.findReverse(call.cookie, backendAddress, backendPort);
    if (entry >= 0
        && sockets.frontendAddress(entry) == call.address
        && sockets.frontendPort(entry) == call.port
        && sockets.rawRevNatIndex(entry) == rawRevNatIndex) {
      return 0;
    }
    U32.set(call.value, Ipv4RevNatEntry.ADDRESS, Integer.reverseBytes(call.address));
    U16.set(call.value, Ipv4RevNatEntry.PORT, Short.reverseBytes((short) call.port));
    U16.set(call.value, Ipv4RevNatEntry.REV_NAT_INDEX, (short) rawRevNatIndex);
    return sockets.updateReverse(call.cookie, backendAddress, backendPort, call.value);
  }

  /** {@code __sock4_xlate_rev}: puts back what the process asked for. As {@link #forward}. */
  int reverse(SockAddr call) {
    SocketTrace trace = call.trace;
    if (trace != null) {
      trace.function("__sock4_xlate_rev");
    }
    int entry = sockets.findReverse(call.cookie, call.address, call.port);
    if (trace != null) {
      recordReverse(trace, call, entry);
    }
    if (entry < 0) {
      return -SockErrno.ENXIO;
    }
    int address = sockets.frontendAddress(entry);
    int port = sockets.frontendPort(entry);
    int rawRevNatIndex = sockets.rawRevNatIndex(entry);
    int service = lookup.find(call, address, port);
    if (service < 0 || services.rawRevNatIndex(service) != rawRevNatIndex) {
      sockets.deleteReverse(call.cookie, call.address, call.port);
      metrics.count(DropReason.LB_REVERSE_ENTRY_STALE, MetricsKey.INGRESS, 0);
      return -SockErrno.ENOENT;
    }
    call.address = address;
    call.port = port;
    return 0;
  }

  private void recordReverse(SocketTrace trace, SockAddr call, int entry) {
    Ipv4Address backend = new Ipv4Address(call.address);
    trace.lookup(
        MapNames.LB4_REVERSE_SK,
        new Ipv4RevNatTuple(call.cookie, backend, call.port).toString(),
        entry < 0
            ? ""
            : new Ipv4RevNatEntry(
                    new Ipv4Address(sockets.frontendAddress(entry)),
                    sockets.frontendPort(entry),
                    Short.reverseBytes((short) sockets.rawRevNatIndex(entry)) & 0xffff)
                .toString());
  }
}
