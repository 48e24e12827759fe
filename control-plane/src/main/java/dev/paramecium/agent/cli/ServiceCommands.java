package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.service.BackendState;
import dev.paramecium.agent.service.L3n4Addr;
import dev.paramecium.agent.service.Service;
import dev.paramecium.agent.service.ServiceApi;
import dev.paramecium.agent.service.ServiceSpec;
import dev.paramecium.agent.service.ServiceType;
import dev.paramecium.agent.service.Services;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** {@code cilium service list|get|update|delete} ({@code cilium/cmd/service_*.go}). */
final class ServiceCommands {

  private static final Map<String, ServiceType> TYPES = types();

  private ServiceCommands() {}

  /** Each type's switch; without one a service is a ClusterIP. */
  private static Map<String, ServiceType> types() {
    Map<String, ServiceType> types = new LinkedHashMap<>();
    types.put("k8s-external", ServiceType.EXTERNAL_IPS);
    types.put("k8s-node-port", ServiceType.NODE_PORT);
    types.put("k8s-load-balancer", ServiceType.LOAD_BALANCER);
    types.put("k8s-host-port", ServiceType.HOST_PORT);
    types.put("local-redirect", ServiceType.LOCAL_REDIRECT);
    return types;
  }

  // ---- list, get

  static CommandOutput list(ServiceApi services, Arguments arguments) {
    if (arguments.json()) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      services.list().forEach(service -> array.add(json(service)));
      return Json.print(array);
    }
    TabWriter table = new TabWriter();
    table.line("ID\tFrontend\tService Type\tBackend\t");
    for (Service service : services.list()) {
      List<String> backends = new ArrayList<>();
      for (Service.Backend backend : service.backendsById()) {
        backends.add(
            backends.size()
                + 1
                + " => "
                + backend.address()
                + " ("
                + backend.state().label()
                + ")");
      }
      String first = backends.isEmpty() ? "" : backends.getFirst();
      table.line(
          service.id()
              + "\t"
              + service.frontend()
              + "\t"
              + service.spec().type().label()
              + "\t"
              + first
              + "\t");
      backends.stream().skip(1).forEach(backend -> table.line("\t\t\t" + backend + "\t"));
    }
    return CommandOutput.of(table.toString());
  }

  static CommandOutput get(ServiceApi services, Arguments arguments) {
    Integer id = id(arguments);
    Service service = id == null ? null : services.get(id);
    if (id == null) {
      return noId(arguments);
    }
    if (service == null) {
      return CommandOutput.error(
          "Cannot get service '" + id + "': [GET /service/{id}][404] getServiceIdNotFound");
    }
    if (arguments.json()) {
      return Json.print(json(service));
    }
    StringBuilder out = new StringBuilder();
    out.append(service.frontend()).append(" =>\n");
    int n = 0;
    for (Service.Backend backend : service.backendsById()) {
      out.append("\t\t").append(++n).append(" => ").append(backend.address());
      out.append(" (").append(id).append(")\n");
    }
    return CommandOutput.of(out.toString());
  }

  private static @Nullable Integer id(Arguments arguments) {
    String word = arguments.word(2);
    return word.matches("\\d{1,9}") ? Integer.valueOf(word) : null;
  }

  private static CommandOutput noId(Arguments arguments) {
    String word = arguments.word(2);
    return CommandOutput.error(
        word.isEmpty() ? "Missing service ID argument" : "Unable to parse service ID: " + word);
  }

  /** {@code models.Service}. */
  private static ObjectNode json(Service service) {
    ServiceSpec wanted = service.spec();
    ObjectNode spec = JsonNodeFactory.instance.objectNode();
    ArrayNode backends = spec.putArray("backend-addresses");
    for (Service.Backend backend : service.backendsById()) {
      backends
          .addObject()
          .put("ip", backend.address().address().toString())
          .put("port", backend.address().port())
          .put("state", backend.state().label());
    }
    ObjectNode flags = spec.putObject("flags");
    int slash = wanted.name().indexOf('/');
    if (slash >= 0) {
      flags.put("name", wanted.name().substring(slash + 1));
      flags.put("namespace", wanted.name().substring(0, slash));
    }
    flags.put("trafficPolicy", wanted.localTrafficPolicy() ? "Local" : "Cluster");
    flags.put("type", wanted.type().label());
    spec.putObject("frontend-address")
        .put("ip", wanted.frontend().address().toString())
        .put("port", wanted.frontend().port())
        .put("scope", wanted.frontend().internal() ? "internal" : "external");
    spec.put("id", service.id());
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("spec", spec);
    json.putObject("status").set("realized", spec.deepCopy());
    return json;
  }

  // ---- update

  static CompletionStage<CommandOutput> update(ServiceApi services, Arguments arguments) {
    StringBuilder out = new StringBuilder();
    try {
      return arguments.value("frontend", "").isEmpty() && !arguments.values("backends").isEmpty()
          ? updateStates(services, arguments, out)
          : put(services, arguments, out);
    } catch (IllegalArgumentException | IllegalStateException e) {
      return now(failed(out, String.valueOf(e.getMessage())));
    }
  }

  private static CommandOutput failed(StringBuilder out, String message) {
    return new CommandOutput(out.toString(), "Error: " + message + "\n", 1);
  }

  private static CompletionStage<CommandOutput> put(
      ServiceApi services, Arguments arguments, StringBuilder out) {
    int id = number(arguments.value("id", "0"));
    L3n4Addr frontend = frontend(arguments);
    Service existing = services.get(id);
    out.append(existing == null ? "Creating new" : "Updating existing")
        .append(" service with id '")
        .append(id)
        .append("'\n");
    ServiceType type = type(arguments);
    if (arguments.values("backends").isEmpty()) {
      out.append("Reading backend list from stdin...\n");
    }
    List<ServiceSpec.Backend> backends = backends(arguments);
    for (ServiceSpec.Backend backend : backends) {
      if (frontend.port() == 0 && backend.address().port() != 0) {
        throw new IllegalArgumentException(
            "L4 backend found (" + backend.address() + ") with L3 frontend");
      }
    }
    if (id == 0) {
      throw notPut("[500] putServiceIdFailure  invalid service ID 0");
    }
    ServiceSpec spec =
        new ServiceSpec(
            id,
            frontend,
            type,
            backends,
            arguments.value("k8s-traffic-policy", "Cluster").equalsIgnoreCase("local"),
            0,
            List.of(),
            existing == null ? "" : existing.spec().name());
    CompletionStage<Services.Upserted> written;
    try {
      written = services.put(spec);
    } catch (IllegalStateException e) {
      throw notPut(
          "[500] putServiceIdFailure  Unable to allocate service ID "
              + id
              + " for "
              + frontend
              + ": "
              + e.getMessage());
    }
    return told(
        out,
        written.thenApply(
            upserted -> {
              if (upserted.id() != id) {
                throw notPut(
                    "[460] putServiceIdInvalidFrontend  the service provided is already registered"
                        + " with ID "
                        + upserted.id()
                        + ", please use that ID instead of "
                        + id);
              }
              return (upserted.created() ? "Added" : "Updated")
                  + " service with "
                  + backends.size()
                  + " backends\n";
            }));
  }

  private static IllegalStateException notPut(String reason) {
    return new IllegalStateException("Cannot add/update service: [PUT /service/{id}]" + reason);
  }

  private static CompletionStage<CommandOutput> updateStates(
      ServiceApi services, Arguments arguments, StringBuilder out) {
    if (arguments.values("states").isEmpty()) {
      throw new IllegalArgumentException("Cannot update empty backend states");
    }
    out.append("Updating backend states \n");
    Map<L3n4Addr, BackendState> states = new LinkedHashMap<>();
    List<ServiceSpec.Backend> backends = backends(arguments);
    backends.forEach(backend -> states.put(backend.address(), backend.state()));
    return told(
        out,
        services
            .setBackendStates(states)
            .thenApply(_ -> "Updated service with " + backends.size() + " backends\n"));
  }

  /** Appends what came of it, or fails with its message. */
  private static CompletionStage<CommandOutput> told(
      StringBuilder out, CompletionStage<String> written) {
    return written.handle(
        (line, failure) -> {
          if (failure == null) {
            return CommandOutput.of(out + line);
          }
          Throwable cause =
              failure instanceof CompletionException && failure.getCause() != null
                  ? failure.getCause()
                  : failure;
          return failed(out, String.valueOf(cause.getMessage()));
        });
  }

  private static int number(String text) {
    if (!text.matches("\\d{1,9}")) {
      throw new IllegalArgumentException(
          "invalid argument \"" + text + "\" for \"--id\" flag: use a number from 1 to 65535");
    }
    return Integer.parseInt(text);
  }

  private static L3n4Addr frontend(Arguments arguments) {
    String text = arguments.value("frontend", "");
    L3n4Addr address =
        parsed(text, L3n4Addr::parse, "Unable to parse frontend address: " + text + ": ");
    return new L3n4Addr(address.address(), address.port(), arguments.has("k8s-cluster-internal"));
  }

  private static <T> T parsed(String text, Function<String, T> parser, String complaint) {
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(complaint + e.getMessage(), e);
    }
  }

  private static ServiceType type(Arguments arguments) {
    List<ServiceType> chosen =
        TYPES.entrySet().stream()
            .filter(type -> arguments.has(type.getKey()))
            .map(Map.Entry::getValue)
            .toList();
    if (chosen.size() > 1) {
      throw new IllegalArgumentException(
          "Can only set one of --k8s-external, --k8s-node-port, --k8s-load-balancer,"
              + " --k8s-host-port, --local-redirect for a service");
    }
    return chosen.isEmpty() ? ServiceType.CLUSTER_IP : chosen.getFirst();
  }

  /** One state is that of all backends; otherwise there is one for each. */
  private static List<ServiceSpec.Backend> backends(Arguments arguments) {
    List<String> addresses = arguments.values("backends");
    List<String> states = arguments.values("states");
    if (states.size() > 1 && states.size() != addresses.size()) {
      throw new IllegalArgumentException(
          "Invalid number of backend states ("
              + String.join(" ", states)
              + ") for backends ("
              + String.join(" ", addresses)
              + ")");
    }
    List<ServiceSpec.Backend> backends = new ArrayList<>();
    for (int i = 0; i < addresses.size(); i++) {
      String text = addresses.get(i);
      L3n4Addr address =
          parsed(text, L3n4Addr::parse, "Cannot parse backend address \"" + text + "\": ");
      String state = states.isEmpty() ? "active" : states.get(states.size() == 1 ? 0 : i);
      backends.add(new ServiceSpec.Backend(address, "", BackendState.parse(state)));
    }
    return backends;
  }

  // ---- delete

  static CompletionStage<CommandOutput> delete(ServiceApi services, Arguments arguments) {
    if (arguments.has("all")) {
      CompletionStage<Boolean> all = CompletableFuture.completedFuture(true);
      for (Service service : services.list()) {
        CompletionStage<Boolean> deleted = services.delete(service.id());
        all = all.thenCompose(_ -> deleted);
      }
      return told(new StringBuilder(), all.thenApply(_ -> ""));
    }
    Integer id = id(arguments);
    if (id == null) {
      return now(noId(arguments));
    }
    return told(
        new StringBuilder(),
        services
            .delete(id)
            .thenApply(
                found -> {
                  if (!found) {
                    throw new IllegalStateException(
                        "[DELETE /service/{id}][404] deleteServiceIdNotFound");
                  }
                  return "Service " + id + " deleted successfully\n";
                }));
  }

  private static CompletionStage<CommandOutput> now(CommandOutput output) {
    return CompletableFuture.completedFuture(output);
  }
}
