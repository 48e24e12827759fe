package dev.paramecium.kernel;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.datapath.underlay.OuterHeaders;
import dev.paramecium.lib.Fib;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The node's routes as {@code bpf_fib_lookup} sees them. Neighbours on the underlay are always
 * known, because their MACs follow from their addresses; those of {@code cilium_host} never are.
 *
 * <p>The kernel's actor writes, programs read.
 */
final class NodeFib implements Fib {

  private static final int KEY_SIZE = 8;

  // An entry: the device's index, 0 for an address of the node itself, and the gateway, 0 for none.
  private static final int IFINDEX = 0;
  private static final int GATEWAY = 4;
  private static final int ENTRY_SIZE = 8;

  private static final int MAX_ROUTES = 1 << 16;

  private final LpmTrie routes = LpmTrie.plain(0, "fib", ENTRY_SIZE, MAX_ROUTES);
  private final int underlayIfindex;
  private final long underlayMac;

  /**
   * @param underlayIfindex of the device on the underlay
   * @param underlayMac its own
   */
  NodeFib(int underlayIfindex, long underlayMac) {
    this.underlayIfindex = underlayIfindex;
    this.underlayMac = underlayMac;
  }

  /** An address of the node itself. */
  void addLocal(Ipv4Address address) {
    replace(new Ipv4Prefix(address, 32), 0, Ipv4Address.ANY);
  }

  /**
   * @param gateway {@link Ipv4Address#ANY} for a network that the device is on
   */
  void replace(Ipv4Prefix destination, int ifindex, Ipv4Address gateway) {
    ByteBuffer entry = ByteBuffer.allocate(ENTRY_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    entry.putInt(ifindex).putInt(gateway.value());
    if (routes.update(key(destination), entry.array()) != null) {
      throw new IllegalStateException("the node has more than " + MAX_ROUTES + " routes");
    }
  }

  void remove(Ipv4Prefix destination) {
    routes.delete(key(destination));
  }

  private static byte[] key(Ipv4Prefix destination) {
    ByteBuffer key = ByteBuffer.allocate(KEY_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    key.putInt(destination.length());
    key.order(ByteOrder.BIG_ENDIAN).putInt(destination.address().value());
    return key.array();
  }

  /** The same for all nodes: it is part of what a program's tag is made of. */
  @Override
  public String toString() {
    return "fib";
  }

  @Override
  public int lookup(SkBuff packet, int ifindex, int source, int destination, Answer answer) {
    LpmTrie.Entry route = routes.find(destination);
    if (route == null || route.i32(IFINDEX) == 0) {
      return NOT_FORWARDED;
    }
    if (route.i32(IFINDEX) != underlayIfindex) {
      return NO_NEIGHBOR;
    }
    int gateway = route.i32(GATEWAY);
    answer.ifindex = underlayIfindex;
    answer.sourceMac = underlayMac;
    answer.destinationMac = OuterHeaders.macOf(gateway == 0 ? destination : gateway);
    return SUCCESS;
  }
}
