package dev.paramecium.controller;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.LabelSelector;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The Endpoints and the EndpointSlice of every Service that selects pods ({@code
 * pkg/controller/endpoint}, {@code pkg/controller/endpointslice}): a pod is in it as soon as it has
 * an address, ready when its readiness probes say so.
 */
public final class ServiceEndpoints implements Reconciler {

  private static final String SERVICE_NAME = "kubernetes.io/service-name";
  private static final String MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
  private static final String MANAGER = "endpointslice-controller.k8s.io";

  /** One port of a service on the pods that have it. */
  private record Port(String name, int number, String protocol, String appProtocol) {}

  private record Address(
      String ip, String node, String pod, String uid, boolean ready, boolean terminating) {}

  @Override
  public String name() {
    return "endpoints-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(
        ResourceType.SERVICE,
        ResourceType.POD,
        ResourceType.ENDPOINTS,
        ResourceType.ENDPOINT_SLICE);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return switch (changed.kind()) {
      case "Service", "Endpoints" -> List.of(Key.of(changed));
      case "EndpointSlice" -> {
        String service = changed.labels().getOrDefault(SERVICE_NAME, "");
        yield service.isEmpty() ? List.of() : List.of(new Key(changed.namespace(), service));
      }
      default ->
          cache.in(ResourceType.SERVICE, changed.namespace()).stream()
              .filter(service -> selects(service, changed))
              .map(Key::of)
              .toList();
    };
  }

  private static boolean selects(KubeObject service, KubeObject pod) {
    return LabelSelector.matchesMap(service.at("/spec/selector"), pod.labels());
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject service = cache.get(ResourceType.SERVICE, key.namespace(), key.name());
    KubeObject endpoints = cache.get(ResourceType.ENDPOINTS, key.namespace(), key.name());
    List<KubeObject> slices =
        cache.in(ResourceType.ENDPOINT_SLICE, key.namespace()).stream()
            .filter(slice -> key.name().equals(slice.labels().get(SERVICE_NAME)))
            .filter(slice -> MANAGER.equals(slice.labels().get(MANAGED_BY)))
            .toList();
    List<Write> writes = new ArrayList<>();
    if (service == null) {
      if (endpoints != null) {
        writes.add(new Write.Delete(ResourceType.ENDPOINTS, endpoints));
      }
      slices.forEach(slice -> writes.add(new Write.Delete(ResourceType.ENDPOINT_SLICE, slice)));
      return new Plan(writes, Duration.ZERO);
    }
    if (service.at("/spec/selector").isEmpty()) {
      return Plan.NOTHING; // somebody else says where it leads
    }
    List<KubeObject> pods =
        cache.in(ResourceType.POD, key.namespace()).stream()
            .filter(pod -> selects(service, pod))
            .filter(pod -> !pod.text("/status/podIP").isEmpty())
            .filter(pod -> !isOver(pod))
            .toList();
    List<Port> ports = ports(service, pods);
    List<Address> addresses = pods.stream().map(pod -> address(service, pod)).toList();
    endpoints(service, endpoints, addresses, ports, writes);
    slice(service, slices, addresses, ports, writes);
    return new Plan(writes, Duration.ZERO);
  }

  private static boolean isOver(KubeObject pod) {
    String phase = pod.text("/status/phase");
    return phase.equals("Succeeded") || phase.equals("Failed");
  }

  private static Address address(KubeObject service, KubeObject pod) {
    boolean terminating = pod.at("/metadata/deletionTimestamp").isTextual();
    boolean ready = service.at("/spec/publishNotReadyAddresses").asBoolean();
    for (JsonNode condition : pod.at("/status/conditions")) {
      ready |=
          condition.path("type").asText().equals("Ready")
              && condition.path("status").asText().equals("True");
    }
    return new Address(
        pod.text("/status/podIP"),
        pod.text("/spec/nodeName"),
        pod.name(),
        pod.uid(),
        ready,
        terminating);
  }

  /** A named target port is looked up in the first pod that has it. */
  private static List<Port> ports(KubeObject service, List<KubeObject> pods) {
    List<Port> ports = new ArrayList<>();
    for (JsonNode port : service.at("/spec/ports")) {
      String protocol = port.path("protocol").asText("TCP");
      JsonNode target = port.path("targetPort");
      int number =
          target.isTextual()
              ? named(target.asText(), protocol, pods)
              : target.asInt(port.path("port").asInt());
      if (number > 0) {
        ports.add(
            new Port(
                port.path("name").asText(), number, protocol, port.path("appProtocol").asText()));
      }
    }
    return ports;
  }

  private static int named(String name, String protocol, List<KubeObject> pods) {
    for (KubeObject pod : pods) {
      for (JsonNode container : pod.at("/spec/containers")) {
        for (JsonNode port : container.path("ports")) {
          if (port.path("name").asText().equals(name)
              && port.path("protocol").asText("TCP").equals(protocol)) {
            return port.path("containerPort").asInt();
          }
        }
      }
    }
    return 0;
  }

  // ---- Endpoints

  private static void endpoints(
      KubeObject service,
      @Nullable KubeObject old,
      List<Address> addresses,
      List<Port> ports,
      List<Write> writes) {
    ArrayNode subsets = JsonNodeFactory.instance.arrayNode();
    List<Address> living = addresses.stream().filter(a -> !a.terminating()).toList();
    if (!living.isEmpty() && !(ports.isEmpty() && !isHeadless(service))) {
      ObjectNode subset = subsets.addObject();
      put(subset, "addresses", living.stream().filter(Address::ready).toList(), service);
      put(subset, "notReadyAddresses", living.stream().filter(a -> !a.ready()).toList(), service);
      ArrayNode list = JsonNodeFactory.instance.arrayNode();
      ports.forEach(port -> list.add(json(port)));
      if (!list.isEmpty()) {
        subset.set("ports", list);
      }
    }
    ObjectNode wanted = old == null ? JsonNodeFactory.instance.objectNode() : old.copy().json();
    wanted.put("apiVersion", "v1").put("kind", "Endpoints");
    ObjectNode metadata = wanted.withObject("/metadata");
    metadata.put("name", service.name()).put("namespace", service.namespace());
    service.labels().forEach((key, value) -> metadata.withObject("/labels").put(key, value));
    if (isHeadless(service)) {
      metadata.withObject("/labels").put("service.kubernetes.io/headless", "");
    }
    if (subsets.isEmpty()) {
      wanted.remove("subsets");
    } else {
      wanted.set("subsets", subsets);
    }
    if (old == null) {
      writes.add(new Write.Create(ResourceType.ENDPOINTS, new KubeObject(wanted)));
    } else if (!wanted.equals(old.json())) {
      writes.add(new Write.Update(ResourceType.ENDPOINTS, new KubeObject(wanted)));
    }
  }

  private static boolean isHeadless(KubeObject service) {
    return service.text("/spec/clusterIP").equals("None");
  }

  private static void put(
      ObjectNode subset, String field, List<Address> addresses, KubeObject service) {
    if (!addresses.isEmpty()) {
      ArrayNode list = subset.putArray(field);
      for (Address address : addresses) {
        ObjectNode entry = list.addObject();
        entry.put("ip", address.ip());
        entry.put("nodeName", address.node());
        target(entry, address, service);
      }
    }
  }

  private static void target(ObjectNode entry, Address address, KubeObject service) {
    entry
        .putObject("targetRef")
        .put("kind", "Pod")
        .put("name", address.pod())
        .put("namespace", service.namespace())
        .put("uid", address.uid());
  }

  private static ObjectNode json(Port port) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (!port.name().isEmpty()) {
      json.put("name", port.name());
    }
    json.put("port", port.number()).put("protocol", port.protocol());
    if (!port.appProtocol().isEmpty()) {
      json.put("appProtocol", port.appProtocol());
    }
    return json;
  }

  // ---- EndpointSlice

  private static void slice(
      KubeObject service,
      List<KubeObject> slices,
      List<Address> addresses,
      List<Port> ports,
      List<Write> writes) {
    KubeObject old = slices.isEmpty() ? null : slices.getFirst();
    slices.stream()
        .skip(1)
        .forEach(surplus -> writes.add(new Write.Delete(ResourceType.ENDPOINT_SLICE, surplus)));
    ObjectNode wanted = old == null ? JsonNodeFactory.instance.objectNode() : old.copy().json();
    wanted.put("apiVersion", "discovery.k8s.io/v1").put("kind", "EndpointSlice");
    wanted.put("addressType", "IPv4");
    ObjectNode metadata = wanted.withObject("/metadata");
    if (old == null) {
      metadata.put("generateName", service.name() + "-");
      Owners.setController(wanted, service);
    }
    metadata.put("namespace", service.namespace());
    ObjectNode labels = metadata.withObject("/labels");
    service.labels().forEach(labels::put);
    labels.put(SERVICE_NAME, service.name()).put(MANAGED_BY, MANAGER);
    ArrayNode endpoints = wanted.putArray("endpoints");
    for (Address address : addresses) {
      ObjectNode endpoint = endpoints.addObject();
      endpoint.putArray("addresses").add(address.ip());
      endpoint
          .putObject("conditions")
          .put("ready", address.ready() && !address.terminating())
          .put("serving", address.ready())
          .put("terminating", address.terminating());
      endpoint.put("nodeName", address.node());
      target(endpoint, address, service);
    }
    ArrayNode list = wanted.putArray("ports");
    ports.forEach(port -> list.add(json(port).put("name", port.name())));
    if (old == null) {
      writes.add(new Write.Create(ResourceType.ENDPOINT_SLICE, new KubeObject(wanted)));
    } else if (!Objects.equals(wanted, old.json())) {
      writes.add(new Write.Update(ResourceType.ENDPOINT_SLICE, new KubeObject(wanted)));
    }
  }
}
