package dev.paramecium.kernel;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.datapath.underlay.NodeResolver;
import dev.paramecium.datapath.underlay.Underlay;
import dev.paramecium.datapath.underlay.UnderlayKind;
import dev.paramecium.map.MapSizes;
import org.jspecify.annotations.Nullable;

/**
 * What a node's kernel is started with.
 *
 * @param nodeName the host's name
 * @param nodeIp eth0's address
 * @param nodePrefixLength of the network that eth0 is on, 1 to 32
 * @param gateway where eth0's network ends: the default route's next hop; null for no such route
 * @param underlay how frames cross between nodes
 * @param resolver where nodes listen, this one included
 * @param clock the node's time
 * @param seed of everything that the node leaves to chance
 * @param possibleCpus per-CPU slots of maps and rings
 * @param buffers how many packets may be on the node at once
 * @param backlog how many packets may wait at one device or namespace
 * @param objects what LoadNodeDatapath and LoadEndpointDatapath load
 * @param maps how large the maps are that the agent's options size
 * @param network a ready underlay in place of sockets, for a cluster within one JVM; null to open
 *     sockets
 */
public record KernelConfig(
    String nodeName,
    Ipv4Address nodeIp,
    int nodePrefixLength,
    @Nullable Ipv4Address gateway,
    UnderlayKind underlay,
    NodeResolver resolver,
    Clock clock,
    long seed,
    int possibleCpus,
    int buffers,
    int backlog,
    ObjectFiles objects,
    MapSizes maps,
    @Nullable UnderlayFactory network) {

  /** MTU of the network that the nodes are on. */
  public static final int UNDERLAY_MTU = 1500;

  /** How many packets larger than an MTU, of 64 KiB each, may be on the node at once. */
  static final int LARGE_BUFFERS = 512;

  /** The UDP port of Cilium's VXLAN device. */
  public static final int VXLAN_PORT = 8472;

  public KernelConfig {
    if (nodePrefixLength < 1 || nodePrefixLength > 32) {
      throw new IllegalArgumentException(
          "node prefix length " + nodePrefixLength + " is out of range: 1 to 32");
    }
    Ipv4Prefix link = new Ipv4Prefix(nodeIp, nodePrefixLength);
    if (gateway != null && (!link.contains(gateway) || gateway.equals(nodeIp))) {
      throw new IllegalArgumentException(
          "gateway " + gateway + " of node " + nodeIp + " must be another address of " + link);
    }
  }

  /** Opens an underlay on the node's buffers. */
  @FunctionalInterface
  public interface UnderlayFactory {
    Underlay open(SkBuffPool pool);
  }

  /** A node that listens on its own address, with the machine's clock. */
  public static KernelConfig of(String nodeName, Ipv4Address nodeIp, long seed) {
    return new KernelConfig(
        nodeName,
        nodeIp,
        24,
        null,
        UnderlayKind.UDP,
        NodeResolver.identity(VXLAN_PORT),
        Clock.system(),
        seed,
        Runtime.getRuntime().availableProcessors(),
        1 << 16,
        1 << 13,
        CompiledObjects.INSTANCE,
        MapSizes.DEFAULT,
        null);
  }

  /** With {@code udp}, {@code udp-gso}, {@code udp-nio} or {@code tcp}. */
  public KernelConfig withUnderlay(String kind) {
    return withUnderlay(UnderlayKind.parse(kind));
  }

  public KernelConfig withUnderlay(UnderlayKind kind) {
    return with(gateway, kind, resolver, objects, maps, network);
  }

  public KernelConfig withResolver(NodeResolver other) {
    return with(gateway, underlay, other, objects, maps, network);
  }

  public KernelConfig withObjects(ObjectFiles other) {
    return with(gateway, underlay, resolver, other, maps, network);
  }

  public KernelConfig withMaps(MapSizes other) {
    return with(gateway, underlay, resolver, objects, other, network);
  }

  public KernelConfig withNetwork(UnderlayFactory other) {
    return with(gateway, underlay, resolver, objects, maps, other);
  }

  /** With a default route through {@code other}; null for none. */
  public KernelConfig withGateway(@Nullable Ipv4Address other) {
    return with(other, underlay, resolver, objects, maps, network);
  }

  private KernelConfig with(
      @Nullable Ipv4Address otherGateway,
      UnderlayKind otherUnderlay,
      NodeResolver otherResolver,
      ObjectFiles otherObjects,
      MapSizes otherMaps,
      @Nullable UnderlayFactory otherNetwork) {
    return new KernelConfig(
        nodeName,
        nodeIp,
        nodePrefixLength,
        otherGateway,
        otherUnderlay,
        otherResolver,
        clock,
        seed,
        possibleCpus,
        buffers,
        backlog,
        otherObjects,
        otherMaps,
        otherNetwork);
  }
}
