package dev.paramecium.world;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.dns.ZoneText;
import dev.paramecium.syscall.ContainerSpec;
import java.nio.charset.StandardCharsets;
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
        Map.of(ZoneText.PATH, zone(gateway, hosts).getBytes(StandardCharsets.UTF_8)),
        List.of(),
        ContainerSpec.Stdin.CLOSED,
        false,
        "",
        false);
  }

  /** Where a host's programs ask. */
  static Map<String, byte[]> resolvConf(Ipv4Address gateway) {
    String text = "nameserver " + gateway + "\n";
    return Map.of("/etc/resolv.conf", text.getBytes(StandardCharsets.UTF_8));
  }

  /** The root zone in master-file text (RFC 1035, 5). */
  static String zone(Ipv4Address gateway, List<HostSpec> hosts) {
    ZoneText zone = new ZoneText(TTL);
    String server = HostSpec.GATEWAY + ".";
    zone.authority(".", server, "nobody.", 1);
    zone.line(server, "A", gateway.toString());
    for (HostSpec host : hosts) {
      zone.line(host.name() + ".", "A", host.address().toString());
      zone.pointer(host.address().toString(), host.name() + ".");
    }
    return zone.toString();
  }
}
