package dev.paramecium.datapath.sock;

import dev.paramecium.abi.Lb4Service;

/**
 * {@code post_bind4}: a process of the node must not take the traffic of a NodePort, LoadBalancer
 * or ExternalIP service by binding its port. Pods may: nobody reaches their ports by way of the
 * node.
 */
final class PostBind implements SockAddrProgram {

  private static final int PROTECTED =
      Lb4Service.FLAG_NODE_PORT | Lb4Service.FLAG_EXTERNAL_IP | Lb4Service.FLAG_LOAD_BALANCER;

  private final ServiceLookup lookup;

  PostBind(ServiceLookup lookup) {
    this.lookup = lookup;
  }

  @Override
  public int run(SockAddr call) {
    return check(call) < 0 ? REJECT : PROCEED;
  }

  /** {@code __sock4_post_bind}. */
  private int check(SockAddr call) {
    SocketTrace trace = call.trace;
    if (trace != null) {
      trace.function("__sock4_post_bind");
    }
    if (!Translation.isTranslated(call.protocol) || !call.isInHostNamespace()) {
      return 0;
    }
    int service = lookup.exact(call, call.address, call.port);
    if (service < 0) {
      service = lookup.wildcard(call, call.address, call.port, false, false, true);
    }
    return service >= 0 && lookup.has(service, PROTECTED) ? -SockErrno.EADDRINUSE : 0;
  }
}
