package dev.paramecium.container.process;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.syscall.LinkInfo;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A network namespace as netlink shows it. */
public interface NamespaceView {

  List<LinkInfo> links();

  List<Address> addresses();

  List<Route> routes();

  List<Neighbour> neighbours();

  /**
   * {@code ip route get}: the route that a packet to {@code destination} takes, or null if there is
   * none.
   */
  @Nullable Route routeTo(Ipv4Address destination);

  /** Every TCP and UDP socket, listeners first. */
  List<SocketInfo> sockets();

  /** What the interface of that index has counted so far. */
  Statistics statistics(int ifindex);

  /** {@code struct rtnl_link_stats64}: rx is what the device received. */
  record Statistics(
      long rxPackets, long rxBytes, long rxDropped, long txPackets, long txBytes, long txDropped) {

    public static final Statistics ZERO = new Statistics(0, 0, 0, 0, 0, 0);
  }

  /** An address on a link. */
  record Address(String device, Ipv4Address address, int prefixLength, String scope) {}

  /**
   * A route.
   *
   * @param gateway null for a link-scope route
   * @param source the preferred source address, null if none is set
   */
  record Route(
      Ipv4Prefix destination,
      @Nullable Ipv4Address gateway,
      String device,
      @Nullable Ipv4Address source,
      String scope,
      String protocol) {}

  /**
   * A neighbour.
   *
   * @param state REACHABLE, STALE, DELAY, PROBE, INCOMPLETE, FAILED or PERMANENT
   */
  record Neighbour(Ipv4Address address, String device, @Nullable MacAddress mac, String state) {}
}
