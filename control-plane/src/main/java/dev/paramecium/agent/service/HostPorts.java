package dev.paramecium.agent.service;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.api.KubeObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The {@code hostPort}s of this node's pods as services of the type HostPort, whose only backend is
 * the pod ({@code genServiceMappings} in {@code pkg/k8s/watchers/pod.go}).
 *
 * <pre>
 *   hostPort 8080                       0.0.0.0:8080, NODE_IP:8080
 *   hostPort 8080, hostIP 127.0.0.1     0.0.0.0:8080, which only the node itself is served at
 *   hostPort 8080, hostIP ADDRESS       ADDRESS:8080
 * </pre>
 */
final class HostPorts {

  private static final int LOOPBACK = 127;

  private HostPorts() {}

  /** What a pod asks for, by frontend; nothing before it has an address and after it has ended. */
  static Map<L3n4Addr, ServiceSpec> of(KubeObject pod, Ipv4Address nodeIp) {
    Map<L3n4Addr, ServiceSpec> wanted = new LinkedHashMap<>();
    Ipv4Address ip = Claims.parsed(pod.text("/status/podIP"), Ipv4Address::parse);
    String phase = pod.text("/status/phase");
    if (ip == null
        || pod.at("/spec/hostNetwork").asBoolean()
        || phase.equals("Succeeded")
        || phase.equals("Failed")) {
      return wanted;
    }
    for (JsonNode container : pod.at("/spec/containers")) {
      for (JsonNode port : container.path("ports")) {
        int number = port.path("hostPort").asInt();
        // SCTP is no protocol of this version's load balancer.
        if (number > 0 && !port.path("protocol").asText().equals("SCTP")) {
          for (Ipv4Address address : addresses(port.path("hostIP").asText(), nodeIp)) {
            L3n4Addr frontend = new L3n4Addr(address, number);
            wanted.putIfAbsent(
                frontend,
                spec(pod, frontend, number, new L3n4Addr(ip, port.path("containerPort").asInt())));
          }
        }
      }
    }
    return wanted;
  }

  private static List<Ipv4Address> addresses(String hostIp, Ipv4Address nodeIp) {
    if (hostIp.isEmpty()) {
      return List.of(Ipv4Address.ANY, nodeIp);
    }
    Ipv4Address only = Claims.parsed(hostIp, Ipv4Address::parse);
    if (only == null) {
      return List.of(); // an IPv6 address
    }
    if (only.equals(Ipv4Address.ANY)) {
      return List.of(Ipv4Address.ANY, nodeIp);
    }
    // A node of one machine has an address of 127.0.0.0/8 that is no loopback to the others.
    boolean loopback = only.value() >>> 24 == LOOPBACK && !only.equals(nodeIp);
    return List.of(loopback ? Ipv4Address.ANY : only);
  }

  private static ServiceSpec spec(
      KubeObject pod, L3n4Addr frontend, int hostPort, L3n4Addr backend) {
    return new ServiceSpec(
        0,
        frontend,
        ServiceType.HOST_PORT,
        List.of(new ServiceSpec.Backend(backend, pod.text("/spec/nodeName"), BackendState.ACTIVE)),
        false,
        0,
        List.of(),
        pod.namespace() + "/" + pod.name() + "/host-port/" + hostPort);
  }
}
