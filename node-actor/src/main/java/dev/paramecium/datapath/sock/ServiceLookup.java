package dev.paramecium.datapath.sock;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.map.Ipcache;
import dev.paramecium.map.ServiceMaps;

/**
 * Which service an address in a socket call stands for ({@code bpf_sock.c}). NodePorts and
 * HostPorts are kept once under the address 0.0.0.0 and mean every address of a node.
 */
final class ServiceLookup {

  private final ServiceMaps services;
  private final Ipcache ipcache;
  private final SocketLbConfig config;

  ServiceLookup(ServiceMaps services, Ipcache ipcache, SocketLbConfig config) {
    this.services = services;
    this.ipcache = ipcache;
    this.config = config;
  }

  /**
   * {@code lb4_lookup_service}, then {@code sock4_wildcard_lookup_full}: the frontend's entry, or
   * -1. A service without backends counts as none. Leaves the key of what was found in {@code
   * call}.
   */
  int find(SockAddr call, int address, int port) {
    int service = exact(call, address, port);
    if (service >= 0 || !config.nodePort()) {
      return service;
    }
    service = wildcard(call, address, port, true, false, call.isInHostNamespace());
    if (service >= 0 && has(service, Lb4Service.FLAG_NODE_PORT)) {
      return service;
    }
    service = wildcard(call, address, port, false, true, call.isInHostNamespace());
    return service >= 0 && has(service, Lb4Service.FLAG_HOST_PORT) ? service : -1;
  }

  /** {@code lb4_lookup_service} with a switch of scope. */
  int exact(SockAddr call, int address, int port) {
    call.keyAddress = address;
    call.keyScope = Lb4Key.SCOPE_EXTERNAL;
    int service = services.findService(address, port, 0, Lb4Key.SCOPE_EXTERNAL);
    if (service >= 0 && has(service, Lb4Service.FLAG_LOCAL_SCOPE)) {
      call.keyScope = Lb4Key.SCOPE_INTERNAL;
      service = services.findService(address, port, 0, Lb4Key.SCOPE_INTERNAL);
    }
    int found = service >= 0 && services.count(service) > 0 ? service : -1;
    SocketTrace trace = call.trace;
    if (trace != null) {
      trace.lookup(
          MapNames.LB4_SERVICES,
          new Lb4Key(new Ipv4Address(address), port).toString(),
          found < 0 ? "" : text(found));
    }
    return found;
  }

  /**
   * {@code sock4_wildcard_lookup}: under 0.0.0.0, if the address is a node's.
   *
   * @param remoteHosts whether other nodes' addresses count
   * @param outsideRange whether ports outside the NodePort range are meant, or those inside
   */
  int wildcard(
      SockAddr call,
      int address,
      int port,
      boolean remoteHosts,
      boolean outsideRange,
      boolean inHostNamespace) {
    boolean outside = port < config.minNodePort() || port > config.maxNodePort();
    if (outside != outsideRange) {
      return -1;
    }
    if (!(inHostNamespace && isLoopback(address))) {
      int identity = identityOf(call, address);
      boolean isNode =
          identity == ReservedIdentity.HOST.id()
              || remoteHosts && ReservedIdentity.isRemoteNode(identity);
      if (!isNode) {
        return -1;
      }
    }
    return exact(call, 0, port);
  }

  /**
   * {@code sock4_skip_xlate}: an external address, or a HostPort's, is translated where it is this
   * node's only; a service must not catch traffic to an address of the world.
   */
  boolean isLeftAlone(SockAddr call, int service, int address) {
    boolean guarded =
        has(service, Lb4Service.FLAG_EXTERNAL_IP)
            || has(service, Lb4Service.FLAG_HOST_PORT) && !isLoopback(address);
    return guarded && identityOf(call, address) != ReservedIdentity.HOST.id();
  }

  /** {@code is_v4_loopback}, which compares the seven bits that are set in 127. */
  private static boolean isLoopback(int address) {
    return (address & 0x7f00_0000) == 0x7f00_0000;
  }

  /** What the ipcache says, 0 if nothing. */
  private int identityOf(SockAddr call, int address) {
    LpmTrie.Entry entry = ipcache.lookup(address);
    SocketTrace trace = call.trace;
    if (trace != null) {
      trace.lookup(
          MapNames.IPCACHE,
          entry == null ? Ipv4Address.format(address) : Ipcache.keyText(entry),
          entry == null ? "" : Ipcache.valueText(entry));
    }
    return entry == null ? 0 : Ipcache.securityIdentity(entry);
  }

  boolean has(int service, int flag) {
    return (services.flags(service) & flag) != 0;
  }

  private String text(int service) {
    return new Lb4Service(
            services.backendId(service),
            services.count(service),
            Short.reverseBytes((short) services.rawRevNatIndex(service)) & 0xffff,
            services.flags(service),
            services.flags2(service))
        .toString();
  }
}
