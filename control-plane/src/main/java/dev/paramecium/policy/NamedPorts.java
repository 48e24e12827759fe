package dev.paramecium.policy;

import dev.paramecium.policy.rule.PortProtocol;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The ports that containers give names to (Cilium {@code pkg/types/portmap.go}). Of one pod, as its
 * ingress rules mean them; or of all pods, as egress rules mean them: there a name that stands for
 * two numbers stands for none.
 */
public final class NamedPorts {

  /** A number and a protocol of the IP header. */
  public record Port(int number, int protocol) {}

  public static final NamedPorts NONE = new NamedPorts();

  private final Map<String, Set<Port>> ports = new HashMap<>();

  private NamedPorts() {}

  /** One container port with a name. */
  public record Declared(String name, int number, String protocol) {}

  /** Of one pod: the last of two equal names counts. A name that is none, or SCTP, is left out. */
  public static NamedPorts ofPod(Collection<Declared> declared) {
    NamedPorts named = new NamedPorts();
    for (Declared port : declared) {
      if (isUsable(port)) {
        named.ports.put(key(port), Set.of(port(port)));
      }
    }
    return named;
  }

  /** Of many pods. */
  public static NamedPorts ofPods(Collection<NamedPorts> pods) {
    NamedPorts all = new NamedPorts();
    for (NamedPorts pod : pods) {
      pod.ports.forEach(
          (name, ports) -> all.ports.computeIfAbsent(name, _ -> new HashSet<>()).addAll(ports));
    }
    return all;
  }

  private static boolean isUsable(Declared port) {
    int protocol = port(port).protocol();
    return PortProtocol.isServiceName(port.name())
        && (protocol == 6 || protocol == 17)
        && port.number() > 0
        && port.number() <= 0xffff;
  }

  private static String key(Declared port) {
    return port.name().toLowerCase(Locale.ROOT);
  }

  private static Port port(Declared port) {
    String protocol = port.protocol().isEmpty() ? PortProtocol.TCP : port.protocol();
    return new Port(port.number(), PortProtocol.number(protocol));
  }

  /** By name. */
  public Map<String, Set<Port>> ports() {
    return Map.copyOf(ports);
  }

  public boolean isEmpty() {
    return ports.isEmpty();
  }

  /** The number that {@code name} stands for; 0 if it stands for none, or for more than one. */
  public int resolve(String name, int protocol) {
    int number = 0;
    for (Port port : ports.getOrDefault(name, Set.of())) {
      if (protocol == 0 || port.protocol() == protocol) {
        if (number != 0 && number != port.number()) {
          return 0;
        }
        number = port.number();
      }
    }
    return number;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NamedPorts named && ports.equals(named.ports);
  }

  @Override
  public int hashCode() {
    return ports.hashCode();
  }
}
