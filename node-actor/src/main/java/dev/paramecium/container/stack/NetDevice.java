package dev.paramecium.container.stack;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.container.process.NamespaceView.Statistics;
import dev.paramecium.syscall.LinkInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** An interface of the namespace: the link, its addresses, and what the stack does on it. */
final class NetDevice {

  /** An address on this interface. */
  record Assigned(Ipv4Address address, int prefixLength) {

    boolean hasBroadcast() {
      return prefixLength < 31 && address.value() >>> 24 != 127;
    }

    int broadcast() {
      return address.value() | ~Ipv4Prefix.mask(prefixLength);
    }
  }

  final LinkInfo link;
  final boolean noArp;

  /** The largest IPv4 datagram: the link's MTU, or what a buffer holds if that is less. */
  final int mtu;

  /** What the device has counted. */
  Supplier<Statistics> statistics = () -> Statistics.ZERO;

  /**
   * TSO: the device takes segments larger than its MTU and has them cut where they leave the node.
   */
  final boolean segmentationOffload;

  final List<Assigned> addresses = new ArrayList<>();

  NetDevice(LinkInfo link, boolean noArp, int mtu, boolean segmentationOffload) {
    this.link = link;
    this.noArp = noArp;
    this.mtu = mtu;
    this.segmentationOffload = segmentationOffload;
  }

  int ifindex() {
    return link.ifindex();
  }

  String name() {
    return link.name();
  }

  long mac() {
    return link.mac().value();
  }

  boolean isLoopback() {
    return link.kind() == LinkInfo.Kind.LOOPBACK;
  }

  /** The first address, 0 if there is none. */
  int primaryAddress() {
    return addresses.isEmpty() ? 0 : addresses.getFirst().address().value();
  }

  String scopeOf(Assigned assigned) {
    return isLoopback() && assigned.address().value() >>> 24 == 127 ? "host" : "global";
  }
}
