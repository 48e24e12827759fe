package dev.paramecium.datapath.sock;

import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.SockKey;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.map.EndpointMap;
import dev.paramecium.map.ServiceMaps;
import dev.paramecium.map.SocketMaps;

/**
 * {@code bpf_sockops.o} ({@code bpf/sockops/bpf_sockops.c}): sees
 * BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB and PASSIVE_ESTABLISHED_CB, and puts a socket whose peer is on
 * this node into {@code cilium_sock_ops}, under the key of what comes to it.
 *
 * <pre>
 *   peer is a service?      left alone
 *   policy says a proxy?    in, under (gateway, proxy's port) → local
 *   peer in cilium_lxc?     in, under peer → local
 * </pre>
 */
public final class BpfSockops {

  private final ServiceMaps services;
  private final EndpointMap endpoints;
  private final SocketMaps sockets;
  private final SocketPolicy policy;
  private final Ipv4Address gateway;

  private BpfSockops(ProgramContext context, SocketMaps sockets) {
    this.services = context.maps().services();
    this.endpoints = context.maps().lxc();
    this.sockets = sockets;
    this.policy = new SocketPolicy(sockets, context.maps().ipcache());
    this.gateway = new Ipv4Address(context.config().routerIp());
  }

  public static SocketSection compile(ProgramContext context, SocketMaps sockets) {
    return new SocketSection(
        AttachType.SOCK_OPS, new SocketProgram.OnEstablished(new BpfSockops(context, sockets)));
  }

  /** {@code bpf_sock_ops_ipv4}. */
  void run(SockOps ops) {
    SocketTrace trace = ops.trace;
    if (trace != null) {
      trace.function("bpf_sock_ops_ipv4");
    }
    SockKey key = ops.key;
    if (isService(key.destination().value(), key.destinationPort())) {
      return;
    }
    int identity = policy.identityOf(key.destination(), trace);
    int verdict = policy.egress(identity, ops.source, key.destinationPort(), trace);
    if (verdict > 0) {
      int proxyPort = Short.reverseBytes((short) verdict) & 0xffff;
      add(ops, new SockKey(gateway, proxyPort, key.source(), key.sourcePort()));
      return;
    }
    int endpoint = endpoints.find(key.destination().value());
    if (trace != null) {
      trace.lookup(
          MapNames.LXC,
          new EndpointKey(key.destination()).toString(),
          endpoints.valueText(endpoint, key.destination().value()));
    }
    if (endpoint >= 0) {
      add(ops, key.reversed());
    }
  }

  private boolean isService(int address, int port) {
    int service = services.findService(address, port, 0, Lb4Key.SCOPE_EXTERNAL);
    if (service >= 0 && (services.flags(service) & Lb4Service.FLAG_LOCAL_SCOPE) != 0) {
      service = services.findService(address, port, 0, Lb4Key.SCOPE_INTERNAL);
    }
    return service >= 0 && services.count(service) > 0;
  }

  private void add(SockOps ops, SockKey entry) {
    if (sockets.sockOps().add(entry, ops.socket) == 0) {
      ops.entry = entry;
      SocketTrace trace = ops.trace;
      if (trace != null) {
        trace.decision("sock map: " + entry);
      }
    }
  }
}
