package dev.paramecium.world;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.syscall.ContainerSpec;
import java.util.List;
import java.util.Map;

/**
 * The names outside the cluster: the root zone, in which each host has its name. The gateway serves
 * it, hosts ask there, and what the cluster's coredns does not know it asks there too.
 */
final class WorldNames {

  private static final int TTL = 3600;

  private WorldNames() {}

  /** A server of the zone in the gateway's own namespace. */
  static ContainerSpec server(Ipv4Address gateway, List<HostSpec> hosts) {
    return new ContainerSpec(
        "world-names",
        "",
        HostSpec.GATEWAY,
        "",
        "names",
        0,
        "coredns/coredns",
        List.of(),
        List.of(),
        Map.of(),
        List.of(),
        Map.of("/etc/coredns/cluster.zone", zone(gateway, hosts)),
        false,
        false);
  }

  /** Where a host's programs ask. */
  static Map<String, String> resolvConf(Ipv4Address gateway) {
    return Map.of("/etc/resolv.conf", "nameserver " + gateway + "\n");
  }

  /** The root zone in master-file text (RFC 1035, 5). */
  static String zone(Ipv4Address gateway, List<HostSpec> hosts) {
    StringBuilder zone = new StringBuilder();
    line(zone, ".", "SOA", HostSpec.GATEWAY + ". nobody. 1 7200 1800 86400 " + TTL);
    line(zone, ".", "NS", HostSpec.GATEWAY + ".");
    line(zone, HostSpec.GATEWAY + ".", "A", gateway.toString());
    for (HostSpec host : hosts) {
      String[] bytes = host.address().toString().split("\\.", -1);
      line(zone, host.name() + ".", "A", host.address().toString());
      line(
          zone,
          bytes[3] + "." + bytes[2] + "." + bytes[1] + "." + bytes[0] + ".in-addr.arpa.",
          "PTR",
          host.name() + ".");
    }
    return zone.toString();
  }

  private static void line(StringBuilder zone, String name, String type, String data) {
    zone.append(name)
        .append(' ')
        .append(TTL)
        .append(" IN ")
        .append(type)
        .append(' ')
        .append(data)
        .append('\n');
  }
}
