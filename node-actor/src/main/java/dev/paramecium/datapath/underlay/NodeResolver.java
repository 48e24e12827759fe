package dev.paramecium.datapath.underlay;

import dev.paramecium.abi.Ipv4Address;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Where an emulated node listens. Nodes have distinct real addresses: what arrives is told apart by
 * the address that it comes from, its port being the flow's.
 */
public interface NodeResolver {

  /** The socket address where a node's VXLAN listens, or null if no such node can exist. */
  @Nullable InetSocketAddress listenAddress(Ipv4Address node);

  /** The node that sends from a real address. */
  Ipv4Address nodeAt(Ipv4Address realAddress);

  /** Every node listens on its own address. */
  static NodeResolver identity(int port) {
    return new NodeResolver() {
      @Override
      public InetSocketAddress listenAddress(Ipv4Address node) {
        return SocketAddresses.of(node, port);
      }

      @Override
      public Ipv4Address nodeAt(Ipv4Address realAddress) {
        return realAddress;
      }
    };
  }
}
