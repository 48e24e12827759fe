package dev.paramecium.inspect.cilium;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.Lb4SourceRangeKey;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfHashOfMaps;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.inspect.ToolError;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** {@code cilium bpf lb list} and {@code maglev} ({@code cilium/cmd/bpf_lb_*.go}). */
final class LoadBalancerCommand {

  private static final String BACKEND_TITLE = "BACKEND ADDRESS (REVNAT_ID) (SLOT)";

  private LoadBalancerCommand() {}

  private record Service(Lb4Key key, Lb4Service value) {}

  static void list(BpfCommand.Request request) {
    if (request.has("--revnat")) {
      TableCommands.table(request, "ID", BACKEND_TITLE, reverseNat(request));
    } else if (request.has("--frontends")) {
      Map<String, List<String>> rows = new LinkedHashMap<>();
      for (Service service : services(request)) {
        add(rows, service.key.toString(), service.value.toString());
      }
      TableCommands.table(request, "SERVICE ADDRESS", "BACKEND ID", rows);
    } else if (request.has("--backends")) {
      Map<String, List<String>> rows = new LinkedHashMap<>();
      backends(request)
          .forEach((id, backend) -> add(rows, Integer.toUnsignedString(id), backend.toString()));
      TableCommands.table(request, "ID", BACKEND_TITLE, rows);
    } else if (request.has("--source-ranges")) {
      TableCommands.table(request, "SOURCE RANGE (REVNAT_ID)", "", sourceRanges(request));
    } else {
      Map<Integer, Lb4Backend> backends = backends(request);
      Map<String, List<String>> rows = new LinkedHashMap<>();
      for (Service service : services(request)) {
        add(rows, service.key.toString(), describe(service, backends));
      }
      TableCommands.table(request, "SERVICE ADDRESS", BACKEND_TITLE, rows);
    }
  }

  /** {@code cilium bpf lb maglev list} and {@code get ID}. */
  static void maglev(BpfCommand.Request request) {
    String command = request.arguments().isEmpty() ? "" : request.arguments().getFirst();
    boolean one = command.equals("get");
    if (!one && !command.equals("list") && !command.equals("ls")) {
      throw new ToolError(
          1,
          "Error: unknown command \"" + command + "\" for \"cilium bpf lb maglev\": use get, list");
    }
    int wanted = one ? serviceId(request) : -1;
    Map<String, List<String>> rows = new LinkedHashMap<>();
    TreeMap<Integer, byte[]> tables = new TreeMap<>();
    if (request.find(MapNames.LB4_MAGLEV) instanceof BpfHashOfMaps outer) {
      outer.forEachInner((key, inner) -> tables.put(Lb4ReverseNat.decodeKey(key), inner.value(0)));
    }
    tables.forEach(
        (id, table) -> {
          if (!one || id == wanted) {
            add(rows, Integer.toString(id), backendIds(table));
          }
        });
    if (one && rows.isEmpty()) {
      throw new ToolError(1, "No entry found for service " + wanted);
    }
    TableCommands.table(request, "SVC ID", "LOOKUP TABLE", rows);
  }

  private static int serviceId(BpfCommand.Request request) {
    String text = request.arguments().size() < 2 ? "" : request.arguments().get(1);
    if (text.isEmpty()) {
      throw new ToolError(1, "Error: Missing service ID argument");
    }
    if (!text.matches("\\d{1,5}") || Integer.parseInt(text) > 0xffff) {
      throw new ToolError(
          1, "Error: Unable to parse " + text + ": a service's ID is a number from 1 to 65535");
    }
    return Integer.parseInt(text);
  }

  /** As Go prints a slice of numbers. */
  private static String backendIds(byte[] table) {
    StringBuilder out = new StringBuilder("[");
    ByteBuffer ids = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
    while (ids.hasRemaining()) {
      out.append(out.length() == 1 ? "" : " ").append(Integer.toUnsignedString(ids.getInt()));
    }
    return out.append(']').toString();
  }

  private static void add(Map<String, List<String>> rows, String key, String value) {
    rows.computeIfAbsent(key, _ -> new ArrayList<>()).add(value);
  }

  /** By address, port, scope and slot; a map that does not exist is an empty one. */
  private static List<Service> services(BpfCommand.Request request) {
    List<Service> services = new ArrayList<>();
    BpfMap map = request.find(MapNames.LB4_SERVICES);
    if (map != null) {
      map.forEach(
          (key, value) -> services.add(new Service(Lb4Key.decode(key), Lb4Service.decode(value))));
    }
    services.sort(
        Comparator.<Service, Ipv4Address>comparing(s -> s.key.address())
            .thenComparingInt(s -> s.key.dport())
            .thenComparingInt(s -> s.key.scope())
            .thenComparingInt(s -> s.key.backendSlot()));
    return services;
  }

  private static Map<Integer, Lb4Backend> backends(BpfCommand.Request request) {
    Map<Integer, Lb4Backend> backends = new TreeMap<>(Integer::compareUnsigned);
    BpfMap map = request.find(MapNames.LB4_BACKENDS);
    if (map != null) {
      map.forEach(
          (key, value) -> backends.put(Lb4Backend.decodeKey(key), Lb4Backend.decode(value)));
    }
    return backends;
  }

  private static Map<String, List<String>> reverseNat(BpfCommand.Request request) {
    Map<Integer, String> byId = new TreeMap<>();
    BpfMap map = request.find(MapNames.LB4_REVERSE_NAT);
    if (map != null) {
      map.forEach(
          (key, value) ->
              byId.put(Lb4ReverseNat.decodeKey(key), Lb4ReverseNat.decode(value).toString()));
    }
    Map<String, List<String>> rows = new LinkedHashMap<>();
    byId.forEach((id, address) -> add(rows, Integer.toString(id), address));
    return rows;
  }

  private static Map<String, List<String>> sourceRanges(BpfCommand.Request request) {
    Map<String, List<String>> rows = new TreeMap<>();
    BpfMap map = request.find(MapNames.LB4_SOURCE_RANGE);
    if (map != null) {
      map.forEach((key, _) -> add(rows, Lb4SourceRangeKey.decode(key).toString(), ""));
    }
    return rows;
  }

  private static String describe(Service service, Map<Integer, Lb4Backend> backends) {
    int reverseNat = service.value.revNatIndex();
    int slot = service.key.backendSlot();
    if (slot == 0) {
      return "0.0.0.0:0 (" + reverseNat + ") (0) [" + flags(service.value) + "]";
    }
    Lb4Backend backend = backends.get(service.value.backendId());
    if (backend == null) {
      return "backend " + Integer.toUnsignedString(service.value.backendId()) + " not found";
    }
    return backend.address() + ":" + backend.port() + " (" + reverseNat + ") (" + slot + ")";
  }

  /** The service's type and what is special about it ({@code pkg/loadbalancer}). */
  private static String flags(Lb4Service service) {
    int flags = service.flags();
    List<String> words = new ArrayList<>();
    if ((service.flags2() & Lb4Service.FLAG2_LOCAL_REDIRECT) != 0) {
      words.add("LocalRedirect");
    } else if ((flags & Lb4Service.FLAG_EXTERNAL_IP) != 0) {
      words.add("ExternalIPs");
    } else if ((flags & Lb4Service.FLAG_LOAD_BALANCER) != 0) {
      words.add("LoadBalancer");
    } else if ((flags & Lb4Service.FLAG_NODE_PORT) != 0) {
      words.add("NodePort");
    } else if ((flags & Lb4Service.FLAG_HOST_PORT) != 0) {
      words.add("HostPort");
    } else {
      words.add("ClusterIP");
    }
    if ((flags & Lb4Service.FLAG_LOCAL_SCOPE) != 0) {
      words.add("Local");
    }
    if ((flags & Lb4Service.FLAG_AFFINITY) != 0) {
      words.add("sessionAffinity");
    }
    if ((flags & Lb4Service.FLAG_ROUTABLE) == 0) {
      words.add("non-routable");
    }
    if ((flags & Lb4Service.FLAG_SOURCE_RANGE) != 0) {
      words.add("check source-range");
    }
    if ((service.flags2() & Lb4Service.FLAG2_NAT46X64) != 0) {
      words.add("46x64");
    }
    if ((service.flags2() & Lb4Service.FLAG2_L7_LOAD_BALANCER) != 0) {
      words.add("l7-load-balancer");
    }
    return String.join(", ", words);
  }
}
