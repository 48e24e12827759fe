package dev.paramecium.agent.service;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.api.KubeObject;
import dev.paramecium.policy.rule.InvalidRuleException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Kubernetes Services as the node's services ({@code pkg/k8s/service.go}, {@code
 * daemon/cmd/k8s_watcher}): each port is a frontend at the cluster address, and with NodePort on
 * also at every node's address, at external and at load balancer addresses; the backends come from
 * the EndpointSlices. A headless Service has no frontend. Pods with host ports have frontends of
 * their own.
 */
public final class KubernetesServices {

  private static final String HOST_PORT = "enable-host-port";
  private static final String LOCAL_REDIRECT = "enable-local-redirect-policy";

  private final ServiceApi services;
  private final AgentOptions options;
  private final Ipv4Address nodeIp;
  private final Consumer<String> failed;
  private final Map<String, KubeObject> objects = new TreeMap<>();
  private final Map<String, Map<String, KubeObject>> slices = new HashMap<>();
  private final Map<String, Map<L3n4Addr, ServiceSpec>> realized = new HashMap<>();
  private final Redirects redirects = new Redirects();

  /**
   * @param failed hears why a service is not in the maps
   */
  public KubernetesServices(
      ServiceApi services, AgentOptions options, Ipv4Address nodeIp, Consumer<String> failed) {
    this.services = services;
    this.options = options;
    this.nodeIp = nodeIp;
    this.failed = failed;
  }

  /** A new or changed Service, EndpointSlice or local redirect policy, or a pod of this node. */
  public void upsert(KubeObject object) {
    switch (object.kind()) {
      case "Pod" -> {
        // Pods change often: those that nothing here asks for are passed over.
        if (options.isOn(HOST_PORT) || options.isOn(LOCAL_REDIRECT)) {
          put(object);
        }
      }
      case "EndpointSlice" -> {
        String service = serviceOf(object);
        slices.computeIfAbsent(service, _ -> new TreeMap<>()).put(object.name(), object);
        realize(service);
      }
      case LocalRedirect.KIND -> {
        if (options.isOn(LOCAL_REDIRECT)) {
          redirects.upsert(object);
        }
      }
      default -> put(object);
    }
  }

  private void put(KubeObject object) {
    objects.put(key(object), object);
    redirects.changed(object);
    realize(key(object));
  }

  /** A Service, an EndpointSlice, a local redirect policy or a pod of this node is gone. */
  public void remove(KubeObject object) {
    switch (object.kind()) {
      case "EndpointSlice" -> {
        String service = serviceOf(object);
        Map<String, KubeObject> rest = slices.getOrDefault(service, new TreeMap<>());
        rest.remove(object.name());
        if (rest.isEmpty()) {
          slices.remove(service);
        }
        realize(service);
      }
      case LocalRedirect.KIND -> redirects.remove(object);
      default -> {
        objects.remove(key(object));
        redirects.changed(object);
        realize(key(object));
      }
    }
  }

  private static String key(KubeObject object) {
    return object.kind().equals("Pod") ? "pod " + name(object) : name(object);
  }

  private static String name(KubeObject object) {
    return object.namespace() + "/" + object.name();
  }

  private static String serviceOf(KubeObject slice) {
    return slice.namespace() + "/" + slice.labels().get("kubernetes.io/service-name");
  }

  /** What is redirected is the redirect's, as long as it has a pod. */
  private void realize(String key) {
    Map<L3n4Addr, ServiceSpec> wanted = wanted(key);
    wanted.keySet().removeIf(redirects::has);
    realize(key, wanted);
  }

  private void realize(String key, Map<L3n4Addr, ServiceSpec> wanted) {
    Map<L3n4Addr, ServiceSpec> before = realized.getOrDefault(key, Map.of());
    for (L3n4Addr frontend : before.keySet()) {
      Service stale = wanted.containsKey(frontend) ? null : services.of(frontend);
      // A frontend that two want belongs to the last that asked.
      if (stale != null && stale.spec().name().equals(before.get(frontend).name())) {
        report(key, services.delete(stale.id()));
      }
    }
    wanted.forEach(
        (frontend, spec) -> {
          if (!spec.equals(before.get(frontend))) {
            report(key, services.put(spec));
          }
        });
    if (wanted.isEmpty()) {
      realized.remove(key);
    } else {
      realized.put(key, wanted);
    }
  }

  // ---- local redirects

  /**
   * A local redirect policy, and what has come of it.
   *
   * @param frontends {@code ADDRESS:PORT/PROTOCOL}, with their backends, each as {@code
   *     ADDRESS:PORT(NAMESPACE/POD)}
   */
  public record Redirected(LocalRedirect policy, Map<String, List<String>> frontends) {}

  /** The local redirect policies that are taken in. */
  public List<Redirected> redirected() {
    return redirects.list();
  }

  /** The local redirect policies, and what they take from Services. */
  private final class Redirects {

    private final Map<String, LocalRedirect> policies = new TreeMap<>();

    /** One that the agent refuses takes nothing; nor does one whose frontends are another's. */
    void upsert(KubeObject object) {
      String key = redirectKey(object);
      LocalRedirect old = policies.remove(key);
      try {
        LocalRedirect policy = LocalRedirect.parse(object);
        LocalRedirect rival = rival(policy);
        if (rival == null) {
          policies.put(key, policy);
        } else {
          refuse(key, "it matches what " + rival.namespace() + "/" + rival.name() + " does");
        }
      } catch (InvalidRuleException e) {
        refuse(key, String.valueOf(e.getMessage()));
      }
      settle(key, old, policies.get(key));
    }

    void remove(KubeObject object) {
      String key = redirectKey(object);
      settle(key, policies.remove(key), null);
    }

    /** A Service or a pod of this node is another, or gone. */
    void changed(KubeObject object) {
      boolean isPod = object.kind().equals("Pod");
      for (Map.Entry<String, LocalRedirect> policy : policies.entrySet()) {
        boolean concerned =
            isPod
                ? policy.getValue().namespace().equals(object.namespace())
                : policy.getValue().service().equals(KubernetesServices.key(object));
        if (concerned) {
          settle(policy.getKey(), policy.getValue(), policy.getValue());
        }
      }
    }

    List<Redirected> list() {
      Map<String, String> podsByIp = new HashMap<>();
      pods().forEach(pod -> podsByIp.put(pod.text("/status/podIP"), KubernetesServices.name(pod)));
      List<Redirected> list = new ArrayList<>();
      policies.forEach(
          (key, policy) -> {
            Map<String, List<String>> frontends = new LinkedHashMap<>();
            KubeObject matched = objects.get(policy.service());
            realized
                .getOrDefault(key, Map.of())
                .forEach(
                    (frontend, spec) ->
                        frontends.put(
                            frontend + "/" + policy.protocol(frontend, matched),
                            spec.backends().stream()
                                .map(ServiceSpec.Backend::address)
                                .map(to -> to + "(" + podsByIp.get(to.address().toString()) + ")")
                                .toList()));
            list.add(new Redirected(policy, frontends));
          });
      return list;
    }

    boolean has(L3n4Addr frontend) {
      return policies.entrySet().stream()
          .anyMatch(
              policy -> realized.getOrDefault(policy.getKey(), Map.of()).containsKey(frontend));
    }

    private void refuse(String key, String why) {
      failed.accept("local redirect policy " + key + " is not taken in: " + why);
    }

    private @Nullable LocalRedirect rival(LocalRedirect policy) {
      return policies.values().stream()
          .filter(other -> matchesTheSame(policy, other))
          .findFirst()
          .orElse(null);
    }

    private boolean matchesTheSame(LocalRedirect one, LocalRedirect other) {
      if (one.address() == null || other.address() == null) {
        return !one.service().isEmpty() && one.service().equals(other.service());
      }
      return one.address().equals(other.address())
          && one.frontendPorts().stream()
              .anyMatch(
                  port ->
                      other.frontendPorts().stream().anyMatch(p -> p.number() == port.number()));
    }

    /** First the redirect's frontends, then the Services that gain or lose by it. */
    private void settle(String key, @Nullable LocalRedirect old, @Nullable LocalRedirect now) {
      Map<L3n4Addr, ServiceSpec> before = realized.getOrDefault(key, Map.of());
      Map<L3n4Addr, ServiceSpec> wanted =
          now == null ? Map.of() : now.services(objects.get(now.service()), pods());
      if (before.equals(wanted)) {
        return;
      }
      KubernetesServices.this.realize(key, wanted);
      for (LocalRedirect policy : Arrays.asList(old, now)) {
        if (policy != null && !policy.service().isEmpty()) {
          KubernetesServices.this.realize(policy.service());
        }
      }
    }

    private List<KubeObject> pods() {
      return objects.values().stream().filter(o -> o.kind().equals("Pod")).toList();
    }
  }

  private static String redirectKey(KubeObject object) {
    return "redirect " + name(object);
  }

  private void report(String key, CompletionStage<?> written) {
    var _ =
        written.whenComplete(
            (_, failure) -> {
              if (failure != null) {
                failed.accept(
                    "service " + key + " is not in the maps yet: " + failure.getMessage());
              }
            });
  }

  // ---- what a Service asks for

  private Map<L3n4Addr, ServiceSpec> wanted(String key) {
    Map<L3n4Addr, ServiceSpec> wanted = new LinkedHashMap<>();
    KubeObject service = objects.get(key);
    if (service != null && service.kind().equals("Pod")) {
      return options.isOn(HOST_PORT) ? HostPorts.of(service, nodeIp) : wanted;
    }
    if (service == null || service.text("/spec/type").equals("ExternalName")) {
      return wanted;
    }
    Ipv4Address clusterIp = address(service.text("/spec/clusterIP"));
    Set<Integer> ports = new HashSet<>();
    for (JsonNode port : service.at("/spec/ports")) {
      // In this version one frontend serves a port whatever the protocol, and SCTP is none.
      int number = port.path("port").asInt();
      if (port.path("protocol").asText().equals("SCTP") || !ports.add(number)) {
        continue;
      }
      List<ServiceSpec.Backend> backends = backends(key, port);
      Frontends frontends = new Frontends(service, key, backends, wanted);
      if (clusterIp != null) {
        frontends.add(clusterIp, number, ServiceType.CLUSTER_IP);
      }
      if (options.isOn("enable-external-ips")) {
        for (JsonNode external : service.at("/spec/externalIPs")) {
          frontends.add(address(external.asText()), number, ServiceType.EXTERNAL_IPS);
        }
      }
      if (options.isOn("enable-node-port")) {
        for (JsonNode ingress : service.at("/status/loadBalancer/ingress")) {
          frontends.add(address(ingress.path("ip").asText()), number, ServiceType.LOAD_BALANCER);
        }
        int nodePort = port.path("nodePort").asInt();
        if (nodePort > 0) {
          frontends.add(Ipv4Address.ANY, nodePort, ServiceType.NODE_PORT);
          frontends.add(nodeIp, nodePort, ServiceType.NODE_PORT);
        }
      }
    }
    return wanted;
  }

  /** Collects the frontends of one port of one Service. */
  private record Frontends(
      KubeObject service,
      String name,
      List<ServiceSpec.Backend> backends,
      Map<L3n4Addr, ServiceSpec> into) {

    void add(@Nullable Ipv4Address address, int port, ServiceType type) {
      if (address == null) {
        return;
      }
      boolean local =
          type.hasTrafficPolicy() && service.text("/spec/externalTrafficPolicy").equals("Local");
      put(new L3n4Addr(address, port), type, local);
      if (local) {
        // Clients inside the cluster still reach every backend.
        put(new L3n4Addr(address, port, true), type, true);
      }
    }

    private void put(L3n4Addr frontend, ServiceType type, boolean local) {
      boolean affinity = service.text("/spec/sessionAffinity").equals("ClientIP");
      List<Ipv4Prefix> sources = new ArrayList<>();
      if (type == ServiceType.LOAD_BALANCER) {
        for (JsonNode range : service.at("/spec/loadBalancerSourceRanges")) {
          Ipv4Prefix prefix = Claims.parsed(range.asText().strip(), Ipv4Prefix::parse);
          if (prefix != null) {
            sources.add(prefix);
          }
        }
      }
      into.put(
          frontend,
          new ServiceSpec(
              0,
              frontend,
              type,
              backends,
              local,
              affinity
                  ? service.at("/spec/sessionAffinityConfig/clientIP/timeoutSeconds").asInt(10800)
                  : 0,
              sources,
              name));
    }
  }

  private static @Nullable Ipv4Address address(String text) {
    return Claims.parsed(text, Ipv4Address::parse);
  }

  /** The endpoints that have the port of this name, each address once. */
  private List<ServiceSpec.Backend> backends(String key, JsonNode servicePort) {
    Map<L3n4Addr, ServiceSpec.Backend> backends = new TreeMap<>();
    for (KubeObject slice : slices.getOrDefault(key, Map.of()).values()) {
      for (JsonNode port : slice.at("/ports")) {
        boolean same =
            port.path("name").asText().equals(servicePort.path("name").asText())
                && port.path("protocol")
                    .asText("TCP")
                    .equals(servicePort.path("protocol").asText("TCP"));
        if (same) {
          slice
              .at("/endpoints")
              .forEach(endpoint -> add(endpoint, port.path("port").asInt(), backends));
        }
      }
    }
    return List.copyOf(backends.values());
  }

  private static void add(
      JsonNode endpoint, int port, Map<L3n4Addr, ServiceSpec.Backend> backends) {
    JsonNode conditions = endpoint.path("conditions");
    boolean ready = conditions.path("ready").asBoolean(true);
    boolean finishing =
        conditions.path("terminating").asBoolean() && conditions.path("serving").asBoolean();
    if (!ready && !finishing) {
      return;
    }
    for (JsonNode text : endpoint.path("addresses")) {
      Ipv4Address ip = address(text.asText());
      if (ip != null) {
        L3n4Addr address = new L3n4Addr(ip, port);
        backends.put(
            address,
            new ServiceSpec.Backend(
                address,
                endpoint.path("nodeName").asText(),
                ready ? BackendState.ACTIVE : BackendState.TERMINATING));
      }
    }
  }
}
