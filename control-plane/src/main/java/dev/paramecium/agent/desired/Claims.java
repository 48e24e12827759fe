package dev.paramecium.agent.desired;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Which entries an object claims on a node ({@code pkg/node/manager}, {@code daemon/cmd}). */
public final class Claims {

  private Claims() {}

  /**
   * The node's own: its addresses are the host's (identity 1, host flag), everything unknown is the
   * world's (2).
   */
  public static List<Claim> ofHost(Ipv4Address nodeIp, Ipv4Address routerIp) {
    List<Claim> claims = new ArrayList<>();
    claims.add(
        ipcache(new IpcacheKey(0, Ipv4Address.ANY), ReservedIdentity.WORLD.id(), Source.LOCAL));
    for (Ipv4Address address : List.of(nodeIp, routerIp)) {
      claims.add(
          new Claim(
              MapNames.LXC,
              new EndpointKey(address).encode(),
              EndpointInfo.HOST.encode(),
              Source.LOCAL,
              0));
      claims.add(ipcache(new IpcacheKey(address), ReservedIdentity.HOST.id(), Source.LOCAL));
    }
    return claims;
  }

  private static Claim ipcache(IpcacheKey key, int identity, Source source) {
    return new Claim(
        MapNames.IPCACHE,
        key.encode(),
        new RemoteEndpointInfo(identity, Ipv4Address.ANY).encode(),
        source,
        0);
  }

  /** An endpoint of this node: in {@code cilium_lxc}, and in the ipcache without a tunnel. */
  public static List<Claim> ofLocalEndpoint(Ipv4Address address, int identity, EndpointInfo info) {
    return List.of(
        new Claim(
            MapNames.LXC,
            new EndpointKey(address).encode(),
            info.encode(),
            Source.LOCAL_ENDPOINT,
            0),
        ipcache(new IpcacheKey(address), identity, Source.LOCAL_ENDPOINT));
  }

  /**
   * Another node: its InternalIP is remote-node (6) and reached directly, its router IP and health
   * endpoint are reached through the tunnel, as is its pod CIDR, by the tunnel map and by a route.
   * Without a tunnel the route leads to the node itself, if this node is to have one at all.
   */
  public static List<Claim> ofRemoteNode(
      KubeObject ciliumNode, Ipv4Address ownRouterIp, AgentOptions options) {
    Ipv4Address nodeIp = address(ciliumNode, "InternalIP");
    if (nodeIp == null) {
      return List.of();
    }
    long revision = ciliumNode.resourceVersion();
    List<Claim> claims = new ArrayList<>();
    claims.add(remote(nodeIp, ReservedIdentity.REMOTE_NODE.id(), Ipv4Address.ANY, revision));
    Ipv4Address routerIp = address(ciliumNode, "CiliumInternalIP");
    if (routerIp != null) {
      claims.add(remote(routerIp, ReservedIdentity.REMOTE_NODE.id(), nodeIp, revision));
    }
    Ipv4Address healthIp = parsed(ciliumNode.text("/spec/health/ipv4"), Ipv4Address::parse);
    if (healthIp != null) {
      claims.add(remote(healthIp, ReservedIdentity.HEALTH.id(), nodeIp, revision));
    }
    MapReconciler.Route route =
        options.tunnel()
            ? new MapReconciler.Route(ownRouterIp, "cilium_host")
            : new MapReconciler.Route(nodeIp, "eth0");
    for (Ipv4Prefix podCidr : podCidrs(ciliumNode)) {
      if (options.tunnel()) {
        claims.add(
            new Claim(
                MapNames.TUNNEL,
                new EndpointKey(podCidr.address()).encode(),
                new EndpointKey(nodeIp).encode(),
                Source.CUSTOM_RESOURCE,
                revision));
      }
      if (options.tunnel() || options.autoDirectNodeRoutes()) {
        claims.add(
            new Claim(
                MapReconciler.ROUTES,
                new IpcacheKey(podCidr).encode(),
                route.encode(),
                Source.CUSTOM_RESOURCE,
                revision));
      }
    }
    return claims;
  }

  /**
   * A pod of another node: its identity, and that node's address as the tunnel endpoint. A pod of
   * this node claims nothing here, its endpoint does.
   */
  public static List<Claim> ofCiliumEndpoint(KubeObject ciliumEndpoint, Ipv4Address ownNodeIp) {
    Ipv4Address nodeIp = parsed(ciliumEndpoint.text("/status/networking/node"), Ipv4Address::parse);
    int identity = ciliumEndpoint.at("/status/identity/id").asInt();
    if (nodeIp == null || nodeIp.equals(ownNodeIp) || identity == 0) {
      return List.of();
    }
    List<Claim> claims = new ArrayList<>();
    for (JsonNode addressing : ciliumEndpoint.at("/status/networking/addressing")) {
      Ipv4Address address = parsed(addressing.path("ipv4").asText(), Ipv4Address::parse);
      if (address != null) {
        claims.add(remote(address, identity, nodeIp, ciliumEndpoint.resourceVersion()));
      }
    }
    return claims;
  }

  private static Claim remote(
      Ipv4Address address, int identity, Ipv4Address tunnelEndpoint, long revision) {
    return new Claim(
        MapNames.IPCACHE,
        new IpcacheKey(address).encode(),
        new RemoteEndpointInfo(identity, tunnelEndpoint).encode(),
        Source.CUSTOM_RESOURCE,
        revision);
  }

  /** A CiliumNode's address of one type, null if it has none. */
  public static @Nullable Ipv4Address address(KubeObject ciliumNode, String type) {
    for (JsonNode address : ciliumNode.at("/spec/addresses")) {
      if (address.path("type").asText().equals(type)) {
        Ipv4Address parsed = parsed(address.path("ip").asText(), Ipv4Address::parse);
        if (parsed != null) {
          return parsed;
        }
      }
    }
    return null;
  }

  /** The pod CIDRs that the operator gave a node. */
  public static List<Ipv4Prefix> podCidrs(KubeObject ciliumNode) {
    List<Ipv4Prefix> podCidrs = new ArrayList<>();
    for (JsonNode podCidr : ciliumNode.at("/spec/ipam/podCIDRs")) {
      Ipv4Prefix parsed = parsed(podCidr.asText(), Ipv4Prefix::parse);
      if (parsed != null) {
        podCidrs.add(parsed);
      }
    }
    return podCidrs;
  }

  /** What {@code text} means, null for nonsense: another's bad object must not stop this node. */
  public static <T> @Nullable T parsed(String text, Function<String, T> parser) {
    try {
      return text.isEmpty() ? null : parser.apply(text);
    } catch (IllegalArgumentException notOurs) {
      return null;
    }
  }
}
