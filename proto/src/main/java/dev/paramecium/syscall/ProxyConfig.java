package dev.paramecium.syscall;

import dev.paramecium.abi.Ipv4Address;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a node's L7 proxy does: where it listens, and what each endpoint's rules let pass (Cilium's
 * Listener and NetworkPolicy resources of xDS).
 */
public record ProxyConfig(List<Listener> listeners, List<EndpointRules> endpoints) {

  /** No proxy. */
  public static final ProxyConfig NONE = new ProxyConfig(List.of(), List.of());

  public ProxyConfig {
    listeners = List.copyOf(listeners);
    endpoints = List.copyOf(endpoints);
  }

  /** What a listener understands. */
  public enum Parser {
    HTTP,
    DNS
  }

  /**
   * One listener.
   *
   * @param name {@code cilium-http-ingress}, {@code cilium-http-egress}, {@code cilium-dns-egress}
   * @param ingress whether it speaks for whoever asks a pod, not for a pod that asks
   */
  public record Listener(String name, int port, Parser parser, boolean ingress) {}

  /**
   * The rules of one endpoint.
   *
   * @param ingressEnforced whether what no rule allows is denied
   * @param ports the filters of both directions; those of port 0 count on every port
   */
  public record EndpointRules(
      int endpointId,
      Ipv4Address address,
      boolean ingressEnforced,
      boolean egressEnforced,
      List<PortRules> ports) {

    public EndpointRules {
      ports = List.copyOf(ports);
    }
  }

  /**
   * What one port's filter says of each of its peers.
   *
   * @param protocol an IP protocol's number
   */
  public record PortRules(boolean ingress, int port, int protocol, List<PeerRules> peers) {

    public PortRules {
      peers = List.copyOf(peers);
    }
  }

  /**
   * What some peers may ask.
   *
   * @param identities null for everybody
   * @param http null if every request is allowed
   * @param names patterns of qualified names in lower case, in RE2's syntax; null if every name may
   *     be asked for
   */
  public record PeerRules(
      @Nullable Set<Integer> identities,
      @Nullable List<HttpMatch> http,
      @Nullable List<String> names) {

    public PeerRules {
      identities = identities == null ? null : Set.copyOf(identities);
      http = http == null ? null : List.copyOf(http);
      names = names == null ? null : List.copyOf(names);
    }
  }

  /** A request that is allowed; expressions are RE2's and match the whole, empty is any. */
  public record HttpMatch(String path, String method, String host, List<HeaderMatch> headers) {

    public HttpMatch {
      headers = List.copyOf(headers);
    }
  }

  /** What becomes of a request that lacks a header, or has it with another value. */
  public enum Mismatch {
    FAIL,
    LOG,
    ADD,
    DELETE,
    REPLACE
  }

  /**
   * A header.
   *
   * @param value empty if it only must be there
   */
  public record HeaderMatch(String name, String value, Mismatch mismatch) {}
}
