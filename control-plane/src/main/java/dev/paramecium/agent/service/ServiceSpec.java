package dev.paramecium.agent.service;

import dev.paramecium.abi.Ipv4Prefix;
import java.util.List;

/**
 * A service as somebody wants it ({@code loadbalancer.SVC}).
 *
 * @param id the id that it shall have, 0 for any
 * @param backends in any order; of two with one address the first counts
 * @param localTrafficPolicy externalTrafficPolicy: Local, for the types that have one: only
 *     backends on this node
 * @param affinityTimeoutSeconds how long a client stays with its backend, 0 for no session affinity
 * @param sourceRanges who may use it, empty for everybody
 * @param name {@code namespace/name} of the Kubernetes Service, empty for one made by hand
 */
public record ServiceSpec(
    int id,
    L3n4Addr frontend,
    ServiceType type,
    List<Backend> backends,
    boolean localTrafficPolicy,
    int affinityTimeoutSeconds,
    List<Ipv4Prefix> sourceRanges,
    String name) {

  /** The largest id; it is also the service's rev_nat index. */
  static final int MAX_ID = 0xffff;

  public ServiceSpec {
    if (id < 0 || id > MAX_ID) {
      throw new IllegalArgumentException(
          "service id " + id + " is out of range: 1 to " + MAX_ID + ", or 0 for any");
    }
    backends = List.copyOf(backends);
    sourceRanges = List.copyOf(sourceRanges);
  }

  /**
   * Where a service's connections go.
   *
   * @param nodeName the node that it is on, empty if unknown
   */
  public record Backend(L3n4Addr address, String nodeName, BackendState state) {

    public static Backend of(L3n4Addr address) {
      return new Backend(address, "", BackendState.ACTIVE);
    }
  }

  /** A service of this type with active backends and nothing special. */
  public static ServiceSpec of(int id, L3n4Addr frontend, ServiceType type, L3n4Addr... backends) {
    return new ServiceSpec(
        id,
        frontend,
        type,
        List.of(backends).stream().map(Backend::of).toList(),
        false,
        0,
        List.of(),
        "");
  }

  boolean isLocal() {
    return localTrafficPolicy && type.hasTrafficPolicy();
  }

  /** Whether only this node's backends serve this frontend. */
  boolean takesLocalBackendsOnly() {
    return type == ServiceType.LOCAL_REDIRECT || isLocal() && !frontend.internal();
  }
}
