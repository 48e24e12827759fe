package dev.paramecium.deploy.cluster;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.apiserver.ServiceAllocation;
import dev.paramecium.deploy.UserError;
import dev.paramecium.world.HostSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code spec.world} of a cluster file: what lies outside the cluster.
 *
 * <pre>
 *   world:
 *     gateway: 127.0.0.254        # without it the last address of the first node's /24
 *     hosts:
 *     - {name: example.com, address: 203.0.113.10, listeners: {80: httpbin, 7: echo, 7/udp: echo}}
 * </pre>
 *
 * @param gateway the router's address on the underlay: the nodes' default route, and where its
 *     frames and its cluster link listen
 */
public record World(Ipv4Address gateway, List<HostSpec> hosts) {

  /** How many hosts there can be. */
  private static final int MAX_HOSTS = 250;

  /** Of the network that nodes and gateway share. */
  static final int UNDERLAY_PREFIX = 24;

  private static final String FIELD = "spec.world";

  public World {
    hosts = List.copyOf(hosts);
    if (hosts.isEmpty() || hosts.size() > MAX_HOSTS) {
      throw new UserError(
          UserError.USAGE,
          "the world has " + hosts.size() + " hosts: name from 1 to " + MAX_HOSTS + ".");
    }
    Set<Object> taken = new HashSet<>();
    for (HostSpec host : hosts) {
      if (!taken.add(host.name()) || !taken.add(host.address())) {
        throw new UserError(
            UserError.USAGE,
            "host "
                + host.name()
                + " ("
                + host.address()
                + ") repeats the name or address of an earlier host of the world.");
      }
    }
  }

  /**
   * Reads the section.
   *
   * @param yaml its content
   * @param nodes those of the cluster, at least one
   * @throws UserError naming the field, the value and what is allowed
   */
  static World read(Map<?, ?> yaml, List<Topology.Node> nodes) {
    onlyFields(FIELD, yaml, Set.of("gateway", "hosts"));
    Object given = yaml.get("gateway");
    Ipv4Prefix network = networkOf(nodes.getFirst());
    Ipv4Address gateway =
        given == null
            ? network.address().plus((1 << 32 - UNDERLAY_PREFIX) - 2)
            : address(FIELD + ".gateway", given);
    if (!(yaml.get("hosts") instanceof List<?> list)) {
      throw field(
          FIELD + ".hosts",
          "must be a list of hosts: {name: example.com, address: 203.0.113.10, listeners: {80:"
              + " httpbin}}");
    }
    List<HostSpec> hosts = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      hosts.add(host(FIELD + ".hosts[" + i + "]", list.get(i)));
    }
    return new World(gateway, hosts);
  }

  private static HostSpec host(String at, @Nullable Object yaml) {
    Map<?, ?> host = mapping(at, yaml);
    onlyFields(at, host, Set.of("name", "address", "listeners"));
    Object name = host.get("name");
    Object address = host.get("address");
    if (name == null || address == null) {
      throw field(at, "needs a name and an address: {name: example.com, address: 203.0.113.10}");
    }
    try {
      List<HostSpec.Listener> listeners = new ArrayList<>();
      if (host.get("listeners") != null) {
        mapping(at + ".listeners", host.get("listeners"))
            .forEach(
                (port, program) ->
                    listeners.add(
                        HostSpec.Listener.parse(String.valueOf(port), String.valueOf(program))));
      }
      return new HostSpec(name.toString(), Ipv4Address.parse(address.toString()), listeners);
    } catch (IllegalArgumentException e) {
      throw field(at, "cannot be: " + e.getMessage());
    }
  }

  /** Where a node's eth0 is. */
  private static Ipv4Prefix networkOf(Topology.Node node) {
    int mask = -1 << 32 - UNDERLAY_PREFIX;
    return new Ipv4Prefix(new Ipv4Address(node.address().value() & mask), UNDERLAY_PREFIX);
  }

  /**
   * Refuses a world that the rest of the cluster leaves no room for.
   *
   * @throws UserError naming the address and what is in its way
   */
  void requireRoom(Topology.Options options, List<Topology.Node> nodes) {
    nodes.forEach(node -> requireOnLink(gateway, node));
    Ipv4Prefix balanced = options.loadBalancerIpv4Pool();
    for (HostSpec host : hosts) {
      requireApart(host, networkOf(nodes.getFirst()), "nodes");
      requireApart(host, options.clusterPoolIpv4Cidr(), "pods");
      requireApart(host, ServiceAllocation.CLUSTER_IPS, "cluster addresses of services");
      requireApart(host, LOOPBACK, "loopback interfaces");
      requireApart(host, MULTICAST, "multicast and broadcast");
      requireApart(host, UNSPECIFIED, "addresses that name no host");
      if (balanced != null) {
        requireApart(host, balanced, "load balancer");
      }
    }
  }

  /**
   * Refuses a gateway that a node cannot reach without a router, or that is the node.
   *
   * @throws UserError naming both and the network
   */
  public static void requireOnLink(Ipv4Address gateway, Topology.Node node) {
    if (!networkOf(node).contains(gateway) || node.address().equals(gateway)) {
      throw new UserError(
          UserError.USAGE,
          "the gateway "
              + gateway
              + " must be another address of "
              + networkOf(node)
              + ", where node "
              + node.name()
              + " ("
              + node.address()
              + ") is: choose one with spec.world.gateway, or --gateway.");
    }
  }

  private static final Ipv4Prefix LOOPBACK = Ipv4Prefix.parse("127.0.0.0/8");
  private static final Ipv4Prefix MULTICAST = Ipv4Prefix.parse("224.0.0.0/3");
  private static final Ipv4Prefix UNSPECIFIED = Ipv4Prefix.parse("0.0.0.0/8");

  private static void requireApart(HostSpec host, Ipv4Prefix taken, String whose) {
    if (taken.contains(host.address())) {
      throw new UserError(
          UserError.USAGE,
          "host "
              + host.name()
              + " of the world is "
              + host.address()
              + ": choose an address outside "
              + taken
              + " of the "
              + whose
              + ", such as one of 203.0.113.0/24.");
    }
  }

  private static Ipv4Address address(String field, Object value) {
    try {
      return Ipv4Address.parse(value.toString());
    } catch (IllegalArgumentException e) {
      throw field(field, "cannot be: " + e.getMessage());
    }
  }

  private static Map<?, ?> mapping(String field, @Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw field(field, "must be a mapping");
  }

  private static void onlyFields(String at, Map<?, ?> map, Set<String> known) {
    for (Object key : map.keySet()) {
      if (!known.contains(String.valueOf(key))) {
        throw field(
            at + "." + key,
            "is not a field: use " + String.join(", ", known.stream().sorted().toList()));
      }
    }
  }

  private static UserError field(String field, String what) {
    return new UserError(UserError.USAGE, field + " " + what + ".");
  }
}
