package dev.paramecium.agent.service;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.LabelSelector;
import dev.paramecium.policy.rule.InvalidRuleException;
import dev.paramecium.policy.rule.PortProtocol;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A CiliumLocalRedirectPolicy as the agent takes it in ({@code pkg/redirectpolicy}): connections to
 * its frontends go to pods of this node.
 *
 * <pre>
 *   one frontend port      every backend pod, at the backend's first port
 *   several                each to the backend's port of the same name, at pods that declare it
 * </pre>
 *
 * @param address what is matched; null where a Service is
 * @param service {@code namespace/name} of the Service that is matched, empty where an address is
 * @param frontendPorts empty for all ports of the Service
 */
public record LocalRedirect(
    String namespace,
    String name,
    @Nullable Ipv4Address address,
    String service,
    List<Port> frontendPorts,
    JsonNode selector,
    List<Port> backendPorts) {

  public static final String KIND = "CiliumLocalRedirectPolicy";

  /**
   * One of {@code toPorts}.
   *
   * @param name empty for none; in lower case
   */
  public record Port(int number, String name, String protocol) {}

  public LocalRedirect {
    frontendPorts = List.copyOf(frontendPorts);
    backendPorts = List.copyOf(backendPorts);
  }

  /**
   * Reads a policy.
   *
   * @throws InvalidRuleException if the agents refuse it
   */
  public static LocalRedirect parse(KubeObject policy) {
    JsonNode frontend = policy.at("/spec/redirectFrontend");
    JsonNode byAddress = frontend.path("addressMatcher");
    JsonNode byService = frontend.path("serviceMatcher");
    if (byAddress.isMissingNode() == byService.isMissingNode()) {
      throw new InvalidRuleException(
          "spec.redirectFrontend: one of addressMatcher and serviceMatcher must be there, not "
              + (byAddress.isMissingNode() ? "none" : "both"));
    }
    boolean isAddress = !byAddress.isMissingNode();
    JsonNode matcher = isAddress ? byAddress : byService;
    String path = "spec.redirectFrontend." + (isAddress ? "addressMatcher" : "serviceMatcher");
    Ipv4Address address = null;
    String service = "";
    if (isAddress) {
      String text = matcher.path("ip").asText().strip();
      address = Claims.parsed(text, Ipv4Address::parse);
      if (address == null) {
        throw new InvalidRuleException(
            path + ".ip: \"" + text + "\" is no IPv4 address, and this cluster has no other");
      }
    } else {
      String of = matcher.path("namespace").asText();
      if (!of.equals(policy.namespace())) {
        throw new InvalidRuleException(
            path + ".namespace: \"" + of + "\" must be the policy's own, " + policy.namespace());
      }
      service = of + "/" + matcher.path("serviceName").asText();
    }
    boolean named = matcher.path("toPorts").size() > 1;
    List<Port> frontendPorts = ports(matcher.path("toPorts"), named, path);
    if (isAddress && frontendPorts.isEmpty()) {
      throw new InvalidRuleException(path + ".toPorts: at least one port must be there");
    }
    JsonNode backend = policy.at("/spec/redirectBackend");
    List<Port> backendPorts =
        ports(
            backend.path("toPorts"),
            named || backend.path("toPorts").size() > 1,
            "spec.redirectBackend");
    if (backendPorts.isEmpty()) {
      throw new InvalidRuleException(
          "spec.redirectBackend.toPorts: at least one port must be there");
    }
    if (frontendPorts.size() == 1
        && !frontendPorts.getFirst().protocol().equals(backendPorts.getFirst().protocol())) {
      throw new InvalidRuleException(
          "spec.redirectBackend.toPorts[0].protocol: "
              + backendPorts.getFirst().protocol()
              + " must be the frontend's, "
              + frontendPorts.getFirst().protocol());
    }
    return new LocalRedirect(
        policy.namespace(),
        policy.name(),
        address,
        service,
        frontendPorts,
        backend.path("localEndpointSelector").deepCopy(),
        backendPorts);
  }

  private static List<Port> ports(JsonNode list, boolean named, String path) {
    List<Port> ports = new ArrayList<>();
    for (JsonNode one : list) {
      String at = path + ".toPorts[" + ports.size() + "]";
      String text = one.path("port").asText();
      int number = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : 0;
      if (number == 0 || number > 0xffff) {
        throw new InvalidRuleException(
            at + ".port: \"" + text + "\" must be a number from 1 to 65535");
      }
      String name = one.path("name").asText().toLowerCase(Locale.ROOT);
      if (named && !PortProtocol.isServiceName(name)) {
        throw new InvalidRuleException(
            at + ".name: \"" + name + "\" must be a service name, as there are several ports");
      }
      ports.add(new Port(number, name, one.path("protocol").asText().toUpperCase(Locale.ROOT)));
    }
    return ports;
  }

  /** {@code IP + port} and its like, as {@code cilium lrp list} says it. */
  public String frontendType() {
    String what = address == null ? "clusterIP + " : "IP + ";
    return what
        + switch (frontendPorts.size()) {
          case 0 -> "all svc ports";
          case 1 -> "port";
          default -> "named ports";
        };
  }

  /** What the services are called that it makes. */
  String serviceName() {
    return namespace + "/" + name + "-local-redirect";
  }

  /**
   * The services that it asks for, by frontend; one without a pod is none, so that its Service
   * serves, or nobody.
   *
   * @param matched the Service that it matches, null if there is none
   * @param pods of this node
   */
  Map<L3n4Addr, ServiceSpec> services(@Nullable KubeObject matched, Collection<KubeObject> pods) {
    Map<L3n4Addr, ServiceSpec> wanted = new LinkedHashMap<>();
    Map<L3n4Addr, Port> frontends = frontends(matched);
    for (Map.Entry<L3n4Addr, Port> frontend : frontends.entrySet()) {
      List<ServiceSpec.Backend> backends =
          backends(frontend.getValue(), frontends.size() > 1, pods);
      if (!backends.isEmpty()) {
        wanted.put(
            frontend.getKey(),
            new ServiceSpec(
                0,
                frontend.getKey(),
                ServiceType.LOCAL_REDIRECT,
                backends,
                false,
                0,
                List.of(),
                serviceName()));
      }
    }
    return wanted;
  }

  /** The protocol of one of its frontends, empty if it is none. */
  String protocol(L3n4Addr frontend, @Nullable KubeObject matched) {
    Port port = frontends(matched).get(frontend);
    return port == null ? "" : port.protocol();
  }

  private Map<L3n4Addr, Port> frontends(@Nullable KubeObject matched) {
    Map<L3n4Addr, Port> frontends = new LinkedHashMap<>();
    Ipv4Address at = address;
    if (at == null && matched != null) {
      at = Claims.parsed(matched.text("/spec/clusterIP"), Ipv4Address::parse);
    }
    if (at == null) {
      return frontends;
    }
    List<Port> ports = frontendPorts;
    if (address == null && matched != null && frontendPorts.size() != 1) {
      ports = portsOf(matched);
    }
    for (Port port : ports) {
      frontends.put(new L3n4Addr(at, port.number()), port);
    }
    return frontends;
  }

  /** A Service's ports: all, or those of the names that the policy gives. */
  private List<Port> portsOf(KubeObject matched) {
    List<Port> ports = new ArrayList<>();
    for (JsonNode one : matched.at("/spec/ports")) {
      Port port =
          new Port(
              one.path("port").asInt(),
              one.path("name").asText(),
              one.path("protocol").asText("TCP"));
      boolean wanted =
          frontendPorts.isEmpty()
              || frontendPorts.stream().anyMatch(asked -> asked.name().equals(port.name()));
      if (wanted && !port.protocol().equals("SCTP")) {
        ports.add(port);
      }
    }
    return ports;
  }

  private List<ServiceSpec.Backend> backends(
      Port frontend, boolean byName, Collection<KubeObject> pods) {
    Port port = backendPorts.getFirst();
    if (byName) {
      port =
          backendPorts.stream()
              .filter(one -> one.name().equals(frontend.name()))
              .filter(one -> one.protocol().equals(frontend.protocol()))
              .findFirst()
              .orElse(null);
    }
    Map<L3n4Addr, ServiceSpec.Backend> backends = new TreeMap<>();
    for (KubeObject pod : pods) {
      Ipv4Address ip = Claims.parsed(pod.text("/status/podIP"), Ipv4Address::parse);
      if (port != null && ip != null && selects(pod) && (!byName || declares(pod, port))) {
        L3n4Addr at = new L3n4Addr(ip, port.number());
        backends.put(
            at, new ServiceSpec.Backend(at, pod.text("/spec/nodeName"), BackendState.ACTIVE));
      }
    }
    return List.copyOf(backends.values());
  }

  private boolean selects(KubeObject pod) {
    return pod.namespace().equals(namespace)
        && isReady(pod)
        && LabelSelector.matches(selector, pod.labels());
  }

  private static boolean isReady(KubeObject pod) {
    for (JsonNode condition : pod.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText().equals("True");
      }
    }
    return false;
  }

  private static boolean declares(KubeObject pod, Port port) {
    for (JsonNode container : pod.at("/spec/containers")) {
      for (JsonNode declared : container.path("ports")) {
        if (declared.path("name").asText().equals(port.name())) {
          return true;
        }
      }
    }
    return false;
  }
}
