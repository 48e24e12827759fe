package dev.paramecium.deploy.cluster;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.apiserver.ServiceAllocation;
import dev.paramecium.deploy.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * A cluster as {@code up -f cluster.yaml} describes it.
 *
 * <pre>
 *   apiVersion: paramecium.dev/v1alpha1
 *   kind: Cluster
 *   metadata: {name: default}
 *   spec:
 *     apiServer: {address: 127.0.0.1, port: 6443}
 *     options: {cluster-pool-ipv4-cidr: 10.42.0.0/16, monitor-aggregation: medium, mtu: 1500, underlay: udp}
 *     nodesPerJvm: 1
 *     nodes:
 *       - {name: node-1, address: 127.0.0.2}
 *       - {name: node-2, address: 127.0.0.3}
 *     world: {hosts: [{name: example.com, address: 203.0.113.10, listeners: {80: httpbin}}]}
 * </pre>
 *
 * <p>{@code nodes: {count: 100, firstAddress: 127.0.0.2}} is node-1 to node-100, on addresses in a
 * row.
 *
 * @param apiAddress where the API server listens
 * @param apiPort 0 for any free one
 * @param nodesPerJvm how many nodes share a JVM at most
 * @param world what lies outside the cluster; null for nothing
 */
public record Topology(
    String clusterName,
    String apiAddress,
    int apiPort,
    Options options,
    List<Node> nodes,
    int nodesPerJvm,
    @Nullable World world) {

  /** How many nodes a cluster can have: one /24 of a /16 for each, and some to spare. */
  public static final int MAX_NODES = 250;

  /** A cluster no larger than this has a JVM for each node, however few cores there are. */
  private static final int SMALL = 4;

  /** The first loopback address that a node takes; node N takes the N-th from here. */
  private static final Ipv4Address FIRST_NODE = Ipv4Address.parse("127.0.0.2");

  private static final int DEFAULT_API_PORT = 6443;
  private static final Set<String> UNDERLAYS = Set.of("udp", "tcp");

  /** With as many nodes in a JVM as {@link #defaultNodesPerJvm} says, and nothing outside. */
  public Topology(
      String clusterName, String apiAddress, int apiPort, Options options, List<Node> nodes) {
    this(
        clusterName,
        apiAddress,
        apiPort,
        options,
        nodes,
        defaultNodesPerJvm(nodes.size(), Runtime.getRuntime().availableProcessors()),
        null);
  }

  public Topology {
    nodes = List.copyOf(nodes);
    if (nodesPerJvm < 1 || nodesPerJvm > MAX_NODES) {
      throw new UserError(
          UserError.USAGE,
          "nodes per JVM is \"" + nodesPerJvm + "\": it must be a number from 1 to 250.");
    }
    if (world != null) {
      world.requireRoom(options, nodes);
    }
    Ipv4Prefix pool = options.loadBalancerIpv4Pool();
    for (Node node : nodes) {
      if (pool != null && pool.contains(node.address())) {
        throw Options.invalid(
            Options.LOAD_BALANCER_POOL,
            pool.toString(),
            "a network without nodes, and " + node.name() + " is " + node.address());
      }
    }
  }

  /**
   * One node.
   *
   * @param address the node's own address on the underlay: its InternalIP, where VXLAN and the
   *     cluster listen
   */
  public record Node(String name, Ipv4Address address) {}

  /**
   * What every node is configured with, by the names of Cilium's ConfigMap where it has one.
   *
   * @param clusterPoolIpv4Cidr {@code cluster-pool-ipv4-cidr}
   * @param nodeMaskSize {@code cluster-pool-ipv4-mask-size}, the length of each node's prefix
   * @param loadBalancerIpv4Pool {@code load-balancer-ipv4-pool}, where Services of type
   *     LoadBalancer get their address; null if they get none
   * @param mtu {@code mtu} of the underlay, bytes
   * @param underlay {@code udp} or {@code tcp}
   * @param agent all other options
   * @param given those that somebody gave, as they were given
   */
  public record Options(
      Ipv4Prefix clusterPoolIpv4Cidr,
      int nodeMaskSize,
      @Nullable Ipv4Prefix loadBalancerIpv4Pool,
      int mtu,
      String underlay,
      AgentOptions agent,
      Map<String, String> given) {

    private static final String LOAD_BALANCER_POOL = "load-balancer-ipv4-pool";

    public static final Options DEFAULT = parse(Map.of());

    public Options {
      given = Map.copyOf(given);
    }

    /** As {@code --option name=value} arguments of a node process. */
    public List<String> toArguments() {
      List<String> arguments = new ArrayList<>();
      given.forEach((name, value) -> arguments.addAll(List.of("--option", name + "=" + value)));
      return arguments;
    }

    /**
     * Reads options by name; those not named keep their default.
     *
     * @throws UserError naming the option, the value and what is allowed
     */
    public static Options parse(Map<String, String> values) {
      Ipv4Prefix cidr = Ipv4Prefix.parse("10.42.0.0/16");
      int nodeMaskSize = 24;
      Ipv4Prefix pool = null;
      int mtu = 1500;
      String underlay = "udp";
      Map<String, String> agent = new LinkedHashMap<>();
      for (Map.Entry<String, String> option : values.entrySet()) {
        String value = option.getValue();
        switch (option.getKey()) {
          case "cluster-pool-ipv4-cidr" -> {
            cidr = prefix(option.getKey(), value);
            if (cidr.length() > 23 || cidr.length() < 8) {
              throw invalid(
                  option.getKey(),
                  value,
                  "a network from /8 to /23, so that it holds at least two nodes' /24");
            }
          }
          case "cluster-pool-ipv4-mask-size" ->
              nodeMaskSize = number(option.getKey(), value, 24, 29);
          case LOAD_BALANCER_POOL -> {
            pool = prefix(option.getKey(), value);
            if (pool.length() < 8) {
              throw invalid(option.getKey(), value, "a network from /8 to /32");
            }
          }
          case "mtu" -> mtu = number(option.getKey(), value, 576, 1500);
          case "underlay" -> underlay = oneOf(option.getKey(), value, UNDERLAYS);
          default -> {
            if (!AgentOptions.names().contains(option.getKey())) {
              throw new UserError(
                  UserError.USAGE,
                  "option \""
                      + option.getKey()
                      + "\" is not known: use cluster-pool-ipv4-cidr, cluster-pool-ipv4-mask-size,"
                      + " load-balancer-ipv4-pool, mtu, underlay, "
                      + String.join(", ", AgentOptions.names())
                      + ".");
            }
            agent.put(option.getKey(), value);
          }
        }
      }
      if (pool != null) {
        requireApart(pool, cidr, "pods");
        requireApart(pool, ServiceAllocation.CLUSTER_IPS, "cluster addresses");
      }
      try {
        return new Options(cidr, nodeMaskSize, pool, mtu, underlay, AgentOptions.of(agent), values);
      } catch (IllegalArgumentException e) {
        throw new UserError(UserError.USAGE, e.getMessage() + ".");
      }
    }

    private static void requireApart(Ipv4Prefix pool, Ipv4Prefix other, String whose) {
      if (pool.contains(other.address()) || other.contains(pool.address())) {
        throw invalid(
            LOAD_BALANCER_POOL, pool.toString(), "apart from " + other + " of the " + whose);
      }
    }

    private static Ipv4Prefix prefix(String name, String value) {
      try {
        return Ipv4Prefix.parse(value);
      } catch (IllegalArgumentException e) {
        throw invalid(name, value, "a network such as 10.42.0.0/16");
      }
    }

    private static String oneOf(String name, String value, Set<String> allowed) {
      if (!allowed.contains(value)) {
        throw invalid(
            name, value, "one of " + String.join(", ", allowed.stream().sorted().toList()));
      }
      return value;
    }

    private static int number(String name, String value, int min, int max) {
      try {
        int number = Integer.parseInt(value);
        if (number >= min && number <= max) {
          return number;
        }
      } catch (NumberFormatException _) {
        // Falls through to the same sentence as a number out of range.
      }
      throw invalid(name, value, "a number from " + min + " to " + max);
    }

    private static UserError invalid(String name, String value, String allowed) {
      return new UserError(
          UserError.USAGE, "option " + name + " is \"" + value + "\": it must be " + allowed + ".");
    }
  }

  /**
   * One for each node while there are no more nodes than cores, or few; beyond that a JVM for each
   * core: more of them would only share the cores, and each costs a heap and a cluster member.
   */
  static int defaultNodesPerJvm(int nodes, int cores) {
    return nodes <= Math.max(SMALL, cores) ? 1 : (nodes + cores - 1) / cores;
  }

  /** The same with at most {@code perJvm} nodes in a JVM. */
  public Topology withNodesPerJvm(int perJvm) {
    return new Topology(clusterName, apiAddress, apiPort, options, nodes, perJvm, world);
  }

  /** The same with another world outside. */
  public Topology withWorld(World other) {
    return new Topology(clusterName, apiAddress, apiPort, options, nodes, nodesPerJvm, other);
  }

  /** The nodes of each JVM, in order: as few JVMs as may be, each with about as many nodes. */
  public List<List<Node>> jvms() {
    int jvms = (nodes.size() + nodesPerJvm - 1) / nodesPerJvm;
    List<List<Node>> groups = new ArrayList<>();
    for (int i = 0; i < jvms; i++) {
      groups.add(nodes.subList(i * nodes.size() / jvms, (i + 1) * nodes.size() / jvms));
    }
    return groups;
  }

  /** Whether a node may be called that: a DNS-1123 subdomain of at most 63 characters. */
  public static boolean isNodeName(String name) {
    return name.matches("[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?");
  }

  /** {@code count} nodes named node-1, node-2, … on 127.0.0.2 and up. */
  public static Topology ofSize(int count) {
    return of(count, FIRST_NODE, DEFAULT_API_PORT);
  }

  /** {@code count} nodes from {@code first} up, and the API server on {@code apiPort}. */
  public static Topology of(int count, Ipv4Address first, int apiPort) {
    if (count < 1 || count > MAX_NODES) {
      throw new UserError(
          UserError.USAGE, "a cluster of " + count + " nodes is not possible here: use 1 to 250.");
    }
    return new Topology("default", "127.0.0.1", apiPort, Options.DEFAULT, inARow(count, first));
  }

  private static List<Node> inARow(int count, Ipv4Address first) {
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      nodes.add(new Node("node-" + (i + 1), first.plus(i)));
    }
    return nodes;
  }

  /**
   * Reads a topology file.
   *
   * @throws UserError naming the file, the field and what is allowed
   */
  public static Topology read(Path file) {
    Object document;
    try {
      document = new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(file));
    } catch (IOException e) {
      throw new UserError(UserError.USAGE, "cannot read " + file + ": " + reason(e) + ".");
    } catch (YAMLException e) {
      throw new UserError(UserError.USAGE, file + " is not YAML: " + e.getMessage());
    }
    Map<?, ?> root = mapping(file, "the document", document);
    requireText(file, root, "apiVersion", "paramecium.dev/v1alpha1");
    requireText(file, root, "kind", "Cluster");
    Object metadata = root.get("metadata");
    Object given = metadata == null ? null : mapping(file, "metadata", metadata).get("name");
    String name = given == null ? "default" : given.toString();
    Map<?, ?> spec = mapping(file, "spec", root.get("spec"));
    onlyFields(file, "spec", spec, Set.of("apiServer", "options", "nodes", "nodesPerJvm", "world"));
    String apiAddress = "127.0.0.1";
    int apiPort = DEFAULT_API_PORT;
    if (spec.get("apiServer") != null) {
      Map<?, ?> apiServer = mapping(file, "spec.apiServer", spec.get("apiServer"));
      onlyFields(file, "spec.apiServer", apiServer, Set.of("address", "port"));
      Object address = apiServer.get("address");
      if (address != null) {
        apiAddress = address.toString();
      }
      Object port = apiServer.get("port");
      if (port != null) {
        apiPort = Options.number("spec.apiServer.port", port.toString(), 0, 65535);
      }
    }
    Map<String, String> options = new LinkedHashMap<>();
    if (spec.get("options") != null) {
      mapping(file, "spec.options", spec.get("options"))
          .forEach((key, value) -> options.put(String.valueOf(key), String.valueOf(value)));
    }
    Topology topology =
        new Topology(name, apiAddress, apiPort, Options.parse(options), nodes(file, spec));
    Object perJvm = spec.get("nodesPerJvm");
    if (perJvm != null) {
      topology = topology.withNodesPerJvm(number(file, "spec.nodesPerJvm", perJvm));
    }
    Object world = spec.get("world");
    return world == null
        ? topology
        : topology.withWorld(World.read(mapping(file, "spec.world", world), topology.nodes()));
  }

  private static int number(Path file, String field, Object value) {
    if (value instanceof Integer number && number >= 1 && number <= MAX_NODES) {
      return number;
    }
    throw field(file, field, "is \"" + value + "\": it must be a number from 1 to " + MAX_NODES);
  }

  private static List<Node> counted(Path file, Map<?, ?> nodes) {
    onlyFields(file, "spec.nodes", nodes, Set.of("count", "firstAddress"));
    Object count = nodes.get("count");
    if (count == null) {
      throw field(file, "spec.nodes.count", "is missing: say how many nodes, 1 to " + MAX_NODES);
    }
    Object first = nodes.get("firstAddress");
    return inARow(
        number(file, "spec.nodes.count", count),
        first == null ? FIRST_NODE : address(file, "spec.nodes.firstAddress", first));
  }

  private static Ipv4Address address(Path file, String field, Object value) {
    try {
      return Ipv4Address.parse(value.toString());
    } catch (IllegalArgumentException e) {
      throw field(file, field, e.getMessage() == null ? "is not an address" : e.getMessage());
    }
  }

  private static List<Node> nodes(Path file, Map<?, ?> spec) {
    if (spec.get("nodes") instanceof Map<?, ?> row) {
      return counted(file, row);
    }
    if (!(spec.get("nodes") instanceof List<?> list) || list.isEmpty()) {
      throw field(
          file,
          "spec.nodes",
          "must be a list of at least one node: {name: node-1, address: 127.0.0.2}, or how many:"
              + " {count: 2}");
    }
    if (list.size() > MAX_NODES) {
      throw field(file, "spec.nodes", "has " + list.size() + " nodes: use at most " + MAX_NODES);
    }
    List<Node> nodes = new ArrayList<>();
    Set<Object> taken = new LinkedHashSet<>();
    for (int i = 0; i < list.size(); i++) {
      String at = "spec.nodes[" + i + "]";
      Map<?, ?> node = mapping(file, at, list.get(i));
      onlyFields(file, at, node, Set.of("name", "address"));
      Object givenName = node.get("name");
      String name = givenName == null ? "node-" + (i + 1) : givenName.toString();
      if (!isNodeName(name)) {
        throw field(
            file,
            at + ".name",
            "is \"" + name + "\": use lower-case letters, digits, '-' and '.', at most 63");
      }
      Object given = node.get("address");
      Ipv4Address address =
          given == null ? FIRST_NODE.plus(i) : address(file, at + ".address", given);
      if (!taken.add(name) || !taken.add(address)) {
        throw field(file, at, "repeats the name or address of an earlier node");
      }
      nodes.add(new Node(name, address));
    }
    return nodes;
  }

  private static Map<?, ?> mapping(Path file, String field, @Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw field(file, field, "must be a mapping");
  }

  private static void requireText(Path file, Map<?, ?> root, String field, String expected) {
    if (!expected.equals(root.get(field))) {
      throw field(file, field, "must be " + expected + ", got " + root.get(field));
    }
  }

  private static void onlyFields(Path file, String at, Map<?, ?> map, Set<String> known) {
    for (Object key : map.keySet()) {
      if (!known.contains(String.valueOf(key))) {
        throw field(
            file,
            at + "." + key,
            "is not a field: use " + String.join(", ", known.stream().sorted().toList()));
      }
    }
  }

  private static UserError field(Path file, String field, String what) {
    return new UserError(UserError.USAGE, file + ": " + field + " " + what + ".");
  }

  static String reason(IOException e) {
    return switch (e) {
      case java.nio.file.NoSuchFileException _ -> "there is no such file";
      case java.nio.file.AccessDeniedException _ -> "permission denied";
      default -> String.valueOf(e.getMessage());
    };
  }
}
