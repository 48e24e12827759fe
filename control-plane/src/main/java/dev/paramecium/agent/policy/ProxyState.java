package dev.paramecium.agent.policy;

import dev.paramecium.abi.Ipv4Address;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The node's proxy as its agent's commands show it.
 *
 * @param address the router's; null while the node has none
 */
public record ProxyState(
    @Nullable Ipv4Address address, List<Redirect> redirects, List<CachedName> names) {

  /** Before the agent is ready. */
  public static final ProxyState NONE = new ProxyState(null, List.of(), List.of());

  public ProxyState {
    redirects = List.copyOf(redirects);
    names = List.copyOf(names);
  }

  /**
   * A filter of one endpoint that leads to a listener.
   *
   * @param name {@code 1223:ingress:TCP:80}
   * @param listener {@code cilium-http-ingress}
   */
  public record Redirect(String name, String listener, int port) {}

  /**
   * What an endpoint was told of a name.
   *
   * @param ttl in seconds
   */
  public record CachedName(
      int endpointId, String name, List<Ipv4Address> addresses, long ttl, Instant expires) {

    public CachedName {
      addresses = List.copyOf(addresses);
    }
  }
}
