package dev.paramecium.agent.policy;

import dev.paramecium.policy.L4Filter;
import dev.paramecium.syscall.ProxyConfig.Listener;
import dev.paramecium.syscall.ProxyConfig.Parser;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The listeners of a node's proxy: one for each protocol and direction that a rule of one of its
 * endpoints names (Cilium {@code pkg/proxy/proxy.go}). A listener that was needed stays.
 */
final class ProxyListeners {

  static final int FIRST_PORT = 10_000;
  static final int LAST_PORT = 20_000;

  private final RandomGenerator random;
  private final Map<String, Listener> wanted = new LinkedHashMap<>();
  private final Map<String, Listener> open = new LinkedHashMap<>();

  ProxyListeners(RandomGenerator random) {
    this.random = random;
  }

  /**
   * The port to redirect what the filter wants checked to. 0 while nothing listens there, and for
   * protocols that this proxy does not speak: the filter then lets nothing pass.
   */
  int port(L4Filter filter) {
    String name = name(filter);
    if (name.isEmpty()) {
      return 0;
    }
    Listener listener = open.get(name);
    if (listener == null) {
      wanted.computeIfAbsent(name, key -> listener(key, filter.ingress()));
      return 0;
    }
    return listener.port();
  }

  private static String name(L4Filter filter) {
    String direction = filter.ingress() ? "ingress" : "egress";
    return switch (filter.parser()) {
      case "http" -> "cilium-http-" + direction;
      case "dns" -> filter.ingress() ? "" : "cilium-dns-egress";
      default -> "";
    };
  }

  private Listener listener(String name, boolean ingress) {
    int port;
    do {
      port = random.nextInt(FIRST_PORT, LAST_PORT + 1);
    } while (isTaken(port));
    Parser parser = name.contains("-dns-") ? Parser.DNS : Parser.HTTP;
    return new Listener(name, port, parser, ingress);
  }

  private boolean isTaken(int port) {
    return wanted.values().stream().anyMatch(listener -> listener.port() == port);
  }

  /** The open listener that a filter leads to; null if there is none. */
  @Nullable Listener of(L4Filter filter) {
    return open.get(name(filter));
  }

  List<Listener> wanted() {
    return new ArrayList<>(wanted.values());
  }

  /** Draws new ports for those that are not open. */
  void move() {
    wanted.replaceAll(
        (name, listener) -> open.containsKey(name) ? listener : listener(name, listener.ingress()));
  }

  /** Answers whether one of them is news. */
  boolean opened(List<Listener> listeners) {
    boolean news = false;
    for (Listener listener : listeners) {
      news |= !listener.equals(open.put(listener.name(), listener));
    }
    return news;
  }
}
