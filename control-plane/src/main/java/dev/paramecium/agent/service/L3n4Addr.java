package dev.paramecium.agent.service;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Key;
import java.util.Comparator;

/**
 * An address and a port, where a service listens or one of its backends ({@code
 * loadbalancer.L3n4Addr}). Without a protocol: in this version TCP and UDP on one port are the same
 * service.
 *
 * @param port 0 to 65535
 * @param internal whether only clients inside the cluster see this frontend, beside another one for
 *     those outside
 */
public record L3n4Addr(Ipv4Address address, int port, boolean internal)
    implements Comparable<L3n4Addr> {

  private static final Comparator<L3n4Addr> ORDER =
      Comparator.comparing(L3n4Addr::address)
          .thenComparingInt(L3n4Addr::port)
          .thenComparing(L3n4Addr::internal);

  public L3n4Addr {
    if (port < 0 || port > 0xffff) {
      throw new IllegalArgumentException("port " + port + " is out of range: 0 to 65535");
    }
  }

  public L3n4Addr(Ipv4Address address, int port) {
    this(address, port, false);
  }

  /**
   * Reads {@code 10.96.0.10:53}.
   *
   * @throws IllegalArgumentException with a sentence that names what is wrong
   */
  public static L3n4Addr parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("address " + text + ": missing port in address");
    }
    String port = text.substring(colon + 1);
    if (!port.matches("\\d{1,5}")) {
      throw new IllegalArgumentException(
          "address " + text + ": \"" + port + "\" is no port: use 0 to 65535");
    }
    return new L3n4Addr(Ipv4Address.parse(text.substring(0, colon)), Integer.parseInt(port));
  }

  /** The address that stands for every address of the node, for clients on it. */
  boolean isSurrogate() {
    return address.equals(Ipv4Address.ANY);
  }

  Lb4Key key(int slot) {
    return new Lb4Key(
        address, port, slot, internal ? Lb4Key.SCOPE_INTERNAL : Lb4Key.SCOPE_EXTERNAL);
  }

  @Override
  public int compareTo(L3n4Addr other) {
    return ORDER.compare(this, other);
  }

  /** As Cilium prints it: {@code 10.96.0.10:53}, with {@code /i} for the internal scope. */
  @Override
  public String toString() {
    return key(0).toString();
  }
}
