package dev.paramecium.datapath.underlay;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.SkBuffPool;
import java.net.InetSocketAddress;

/** Opens the underlay that is asked for, or the best that the system has. */
public final class Underlays {

  private Underlays() {}

  /**
   * @param nodeIp the emulated node; it listens where {@code resolver} says
   * @throws UnderlayException if the sockets cannot be opened, with a message for the user
   */
  public static Underlay open(
      UnderlayKind kind, Ipv4Address nodeIp, NodeResolver resolver, SkBuffPool pool) {
    InetSocketAddress listen = resolver.listenAddress(nodeIp);
    if (listen == null) {
      throw new UnderlayException(
          "node "
              + nodeIp
              + " has no address to listen on: map it to one of this machine's in the topology",
          null);
    }
    return switch (kind) {
      case UDP ->
          new UdpUnderlay(
              MmsgSockets.isSupported() ? new MmsgSockets(listen) : new NioSockets(listen),
              nodeIp,
              resolver,
              pool);
      case UDP_GSO -> new UdpUnderlay(new MmsgSockets(listen), nodeIp, resolver, pool);
      case UDP_NIO -> new UdpUnderlay(new NioSockets(listen), nodeIp, resolver, pool);
      case TCP -> new TcpUnderlay(listen, nodeIp, resolver, pool);
    };
  }

  static UnderlayException cannotBind(String protocol, InetSocketAddress local, Exception cause) {
    String where =
        protocol + " port " + local.getPort() + " on " + local.getAddress().getHostAddress();
    String why = String.valueOf(cause.getMessage());
    return new UnderlayException(
        why.contains("in use")
            ? where
                + " is in use: stop what listens there (ss -lunp shows it), or give the node"
                + " another address"
            : where
                + " cannot be bound ("
                + why
                + "): the node's address must be one of this machine's",
        cause);
  }
}
