package dev.paramecium.agent;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.agent.endpoint.CiliumEndpoints;
import dev.paramecium.agent.ipam.AddressPool;
import dev.paramecium.api.KubeObject;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Who has which address and endpoint id on this node. After a restart both are taken back from the
 * objects that say so, so that a pod keeps them and no other pod gets them.
 */
final class Places {

  /** One pod's place; a pod of the same name and another uid has no right to it. */
  record Place(String uid, int endpointId, Ipv4Address address) {}

  private final AddressPool pool;
  private final EndpointIds ids;
  private final Map<String, Place> byPod = new HashMap<>();
  private final Ipv4Address routerIp;
  private final Ipv4Address healthIp;

  /** Places in {@code podCidr}; router and health endpoint keep what {@code self} says they had. */
  Places(KubeObject self, Ipv4Prefix podCidr, EndpointIds ids, RandomGenerator random) {
    this.pool = new AddressPool(podCidr, random);
    this.ids = ids;
    this.routerIp = take(Claims.address(self, "CiliumInternalIP"), "router");
    this.healthIp =
        take(Claims.parsed(self.text("/spec/health/ipv4"), Ipv4Address::parse), "health");
  }

  private Ipv4Address take(@Nullable Ipv4Address before, String owner) {
    if (before != null && pool.reserve(before, owner)) {
      return before;
    }
    return pool.allocate(owner)
        .orElseThrow(() -> new IllegalStateException("an empty pool has no address for " + owner));
  }

  AddressPool pool() {
    return pool;
  }

  Ipv4Address routerIp() {
    return routerIp;
  }

  Ipv4Address healthIp() {
    return healthIp;
  }

  /** Takes back what this node's pods that still exist had. */
  void restore(ClusterCache cache, NodeConfig config) {
    cache
        .ciliumEndpoints()
        .forEach(
            (key, object) -> {
              KubeObject pod = cache.pods().get(key);
              if (pod != null && LeftOvers.isOf(config, object)) {
                restore(pod, object);
              }
            });
  }

  private void restore(KubeObject pod, KubeObject ciliumEndpoint) {
    String key = pod.namespace() + "/" + pod.name();
    Ipv4Address had =
        Claims.parsed(
            ciliumEndpoint.text("/status/networking/addressing/0/ipv4"), Ipv4Address::parse);
    int id = ciliumEndpoint.at("/status/id").asInt();
    if (had != null
        && pod.uid().equals(CiliumEndpoints.podUid(ciliumEndpoint))
        && pool.reserve(had, key)) {
      if (ids.reserve(id)) {
        byPod.put(key, new Place(pod.uid(), id, had));
      } else {
        pool.release(had);
      }
    }
  }

  /**
   * The place of a pod: the one it has, or a new one.
   *
   * @return nothing if no address or no id is left
   */
  Optional<Place> allocate(String pod, String uid) {
    Place before = byPod.get(pod);
    if (before != null && before.uid().equals(uid)) {
      return Optional.of(before);
    }
    release(pod);
    int endpointId = ids.allocate();
    if (endpointId == 0) {
      return Optional.empty();
    }
    Optional<Ipv4Address> address = pool.allocate(pod);
    if (address.isEmpty()) {
      ids.release(endpointId);
      return Optional.empty();
    }
    Place place = new Place(uid, endpointId, address.get());
    byPod.put(pod, place);
    return Optional.of(place);
  }

  /** The place is free for others. */
  void release(String pod) {
    Place before = byPod.remove(pod);
    if (before != null) {
      ids.release(before.endpointId());
      pool.release(before.address());
    }
  }

  /** As {@link #release(String)}, if the place is of this very pod. */
  void release(String pod, String uid) {
    Place before = byPod.get(pod);
    if (before != null && before.uid().equals(uid)) {
      release(pod);
    }
  }

  /** Every pod's place, by {@code namespace/name}. */
  Map<String, Place> all() {
    return Map.copyOf(byPod);
  }
}
