package dev.paramecium.controller;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.events.Event;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Gives each Service of type LoadBalancer one address of a pool, as MetalLB does in the operator of
 * v1.12 and LB-IPAM ({@code operator/pkg/lbipam}) after it. A Service with a {@code
 * loadBalancerClass} is somebody else's.
 *
 * <pre>
 *   status: {loadBalancer: {ingress: [{ip: 172.18.255.1}]},
 *            conditions: [{type: io.cilium/lb-ipam-request-satisfied, status: "True", …}]}
 * </pre>
 *
 * All Services are planned as one: two that were planned apart could be given the same address. The
 * first and the last address of the pool are left out, as they are a network's own and its
 * broadcast's, unless it has only two or one.
 */
public final class LoadBalancerAddresses implements Reconciler {

  static final String CONDITION = "io.cilium/lb-ipam-request-satisfied";

  private static final String INGRESS = "/status/loadBalancer/ingress";
  private static final List<Key> ALL = List.of(new Key("", "services"));

  /** Whoever was first keeps what two have. */
  private static final Comparator<KubeObject> BY_AGE =
      Comparator.comparing((KubeObject service) -> service.text("/metadata/creationTimestamp"))
          .thenComparing(KubeObject::namespace)
          .thenComparing(KubeObject::name);

  /** What a Service gets; no address says why. */
  private record Outcome(@Nullable Ipv4Address address, String reason, String message) {

    static Outcome of(Ipv4Address address) {
      return new Outcome(address, "satisfied", "");
    }
  }

  private final Ipv4Prefix pool;

  /**
   * The controller of one pool.
   *
   * @param pool of at most 2^24 addresses, none of which anybody else gives
   */
  public LoadBalancerAddresses(Ipv4Prefix pool) {
    if (pool.length() < 8) {
      throw new IllegalArgumentException(pool + " is too large a pool: use /8 to /32");
    }
    this.pool = pool;
  }

  @Override
  public String name() {
    return "service-lb-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.SERVICE);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return isLoadBalancer(changed) || !changed.at(INGRESS).isEmpty() ? ALL : List.of();
  }

  private static boolean isLoadBalancer(KubeObject service) {
    return service.text("/spec/type").equals("LoadBalancer");
  }

  private static boolean isServed(KubeObject service) {
    return isLoadBalancer(service) && service.text("/spec/loadBalancerClass").isEmpty();
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    List<KubeObject> services = cache.all(ResourceType.SERVICE).stream().sorted(BY_AGE).toList();
    Map<String, Outcome> outcomes = outcomes(services);
    List<Write> writes = new ArrayList<>();
    List<Announcement> announcements = new ArrayList<>();
    for (KubeObject service : services) {
      Outcome outcome = outcomes.get(service.uid());
      if (outcome == null && (isLoadBalancer(service) || !hasOurs(service))) {
        continue;
      }
      KubeObject wanted = service.copy();
      apply(wanted.json().withObject("/status"), outcome, now);
      if (!wanted.equals(service)) {
        Write write = new Write.UpdateStatus(ResourceType.SERVICE, wanted);
        writes.add(write);
        if (outcome != null) {
          announcements.add(announcement(write, service, outcome));
        }
      }
    }
    return new Plan(writes, announcements, Duration.ZERO);
  }

  // ---- who gets what

  /** By uid, of those that are served. */
  private Map<String, Outcome> outcomes(List<KubeObject> services) {
    Map<String, Outcome> outcomes = new HashMap<>();
    // What a status still has is taken, even where it is about to go: agents have a frontend of it.
    Map<Ipv4Address, String> holders = new HashMap<>();
    for (KubeObject service : services) {
      for (JsonNode ingress : service.at(INGRESS)) {
        Ipv4Address address = parsed(ingress.path("ip").asText());
        if (address != null
            && holders.putIfAbsent(address, nameOf(service)) == null
            && isServed(service)
            && isGivable(address)
            && (wanted(service).isEmpty() || address.equals(parsed(wanted(service))))) {
          outcomes.putIfAbsent(service.uid(), Outcome.of(address));
        }
      }
    }
    List<KubeObject> waiting =
        services.stream()
            .filter(LoadBalancerAddresses::isServed)
            .filter(service -> !outcomes.containsKey(service.uid()))
            .toList();
    // Those who want a certain one first: to the others all are the same.
    for (KubeObject service : waiting) {
      if (!wanted(service).isEmpty()) {
        outcomes.put(service.uid(), certain(service, holders));
      }
    }
    Ipv4Address next = first();
    for (KubeObject service : waiting) {
      if (wanted(service).isEmpty()) {
        next = free(next, holders);
        outcomes.put(service.uid(), next == null ? exhausted() : Outcome.of(next));
        if (next != null) {
          holders.put(next, nameOf(service));
        }
      }
    }
    return outcomes;
  }

  private static String nameOf(KubeObject service) {
    return service.namespace() + "/" + service.name();
  }

  private static String wanted(KubeObject service) {
    return service.text("/spec/loadBalancerIP");
  }

  private static @Nullable Ipv4Address parsed(String text) {
    try {
      return Ipv4Address.parse(text);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private Outcome certain(KubeObject service, Map<Ipv4Address, String> holders) {
    String text = wanted(service);
    Ipv4Address address = parsed(text);
    if (address == null || !isGivable(address)) {
      return new Outcome(
          null,
          "no_pool",
          "\"" + text + "\" is not one of the pool's addresses, " + first() + " to " + last());
    }
    String holder = holders.putIfAbsent(address, nameOf(service));
    return holder == null
        ? Outcome.of(address)
        : new Outcome(null, "already_allocated", address + " is " + holder + "'s");
  }

  private Outcome exhausted() {
    return new Outcome(
        null,
        "out_of_ips",
        "all addresses of the pool, " + first() + " to " + last() + ", are taken");
  }

  private Ipv4Address first() {
    return pool.length() >= 31 ? pool.address() : pool.address().plus(1);
  }

  private Ipv4Address last() {
    int size = (int) pool.size();
    return pool.address().plus(pool.length() >= 31 ? size - 1 : size - 2);
  }

  private boolean isGivable(Ipv4Address address) {
    return pool.contains(address)
        && first().compareTo(address) <= 0
        && address.compareTo(last()) <= 0;
  }

  /** The first free address from {@code start} on; null if there is none. */
  private @Nullable Ipv4Address free(
      @Nullable Ipv4Address start, Map<Ipv4Address, String> holders) {
    Ipv4Address address = start;
    while (address != null && holders.containsKey(address)) {
      address = address.equals(last()) ? null : address.plus(1);
    }
    return address;
  }

  // ---- what the status says of it

  /** Whether a Service that is none of ours any more has what we gave it. */
  private boolean hasOurs(KubeObject service) {
    for (JsonNode ingress : service.at(INGRESS)) {
      Ipv4Address address = parsed(ingress.path("ip").asText());
      if (address != null && pool.contains(address)) {
        return true;
      }
    }
    return !condition(service.at("/status")).isMissingNode();
  }

  private static JsonNode condition(JsonNode status) {
    for (JsonNode condition : status.path("conditions")) {
      if (condition.path("type").asText().equals(CONDITION)) {
        return condition;
      }
    }
    return status.path("conditions").path(-1);
  }

  /**
   * Makes the status say it.
   *
   * @param outcome null for a Service that is no load balancer any more
   */
  private static void apply(ObjectNode status, @Nullable Outcome outcome, Instant now) {
    ObjectNode balancer = status.withObject("/loadBalancer");
    Ipv4Address address = outcome == null ? null : outcome.address();
    if (address == null) {
      balancer.remove("ingress");
    } else if (balancer.path("ingress").size() != 1
        || !balancer.at("/ingress/0/ip").asText().equals(address.toString())) {
      balancer.putArray("ingress").addObject().put("ip", address.toString());
    }
    JsonNode old = condition(status);
    ArrayNode conditions = JsonNodeFactory.instance.arrayNode();
    for (JsonNode condition : status.path("conditions")) {
      if (!condition.path("type").asText().equals(CONDITION)) {
        conditions.add(condition);
      }
    }
    if (outcome != null) {
      conditions.add(condition(outcome, old, now));
    }
    if (conditions.isEmpty()) {
      status.remove("conditions");
    } else {
      status.set("conditions", conditions);
    }
  }

  /** As it was if it says the same; the time is that of the last change between true and false. */
  private static JsonNode condition(Outcome outcome, JsonNode old, Instant now) {
    String holds = outcome.address() == null ? "False" : "True";
    String time =
        old.path("status").asText().equals(holds)
            ? old.path("lastTransitionTime").asText()
            : now.truncatedTo(ChronoUnit.SECONDS).toString();
    return JsonNodeFactory.instance
        .objectNode()
        .put("lastTransitionTime", time)
        .put("message", outcome.message())
        .put("reason", outcome.reason())
        .put("status", holds)
        .put("type", CONDITION);
  }

  private static Announcement announcement(Write write, KubeObject service, Outcome outcome) {
    if (outcome.address() != null) {
      return new Announcement(
          write, service, "IPAllocated", "Assigned IP \"" + outcome.address() + "\"");
    }
    String message = "Failed to allocate IP for \"" + nameOf(service) + "\": " + outcome.message();
    return new Announcement(
        write, service, Event.Type.WARNING, "AllocationFailed", message.replace("%", "%%"));
  }
}
