package dev.paramecium.container.proxy;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.paramecium.container.process.http.Headers;
import dev.paramecium.syscall.ProxyConfig;
import dev.paramecium.syscall.ProxyConfig.EndpointRules;
import dev.paramecium.syscall.ProxyConfig.PeerRules;
import dev.paramecium.syscall.ProxyConfig.PortRules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rules of the node's endpoints, by address, with their expressions compiled ({@code
 * cilium/network_policy.cc} of cilium/proxy).
 */
final class PolicyTable {

  static final PolicyTable EMPTY = new PolicyTable(ProxyConfig.NONE);

  private final Map<Integer, Endpoint> byAddress = new HashMap<>();

  PolicyTable(ProxyConfig config) {
    for (EndpointRules rules : config.endpoints()) {
      byAddress.put(rules.address().value(), new Endpoint(rules));
    }
  }

  /** Null if the address is no endpoint with rules here. */
  @Nullable Endpoint of(int address) {
    return byAddress.get(address);
  }

  /** One endpoint's rules. */
  static final class Endpoint {

    private final EndpointRules rules;
    private final Map<PeerRules, Peer> compiled = new HashMap<>();

    private Endpoint(EndpointRules rules) {
      this.rules = rules;
      for (PortRules port : rules.ports()) {
        port.peers().forEach(peer -> compiled.computeIfAbsent(peer, Peer::new));
      }
    }

    int id() {
      return rules.endpointId();
    }

    /**
     * Whether some rule lets the request pass. A rule that does may change the headers.
     *
     * @param remote identity of the other side
     */
    boolean allows(boolean ingress, int remote, int port, int protocol, HttpRequest request) {
      if (!(ingress ? rules.ingressEnforced() : rules.egressEnforced())) {
        return true;
      }
      return peers(ingress, remote, port, protocol).stream().anyMatch(peer -> peer.allows(request));
    }

    /**
     * Whether some rule lets the endpoint ask for a name.
     *
     * @param name qualified, in lower case
     */
    boolean allowsName(int server, int port, int protocol, String name) {
      return !rules.egressEnforced()
          || peers(false, server, port, protocol).stream().anyMatch(peer -> peer.allowsName(name));
    }

    /** The rules for a port and, after them, those for every port, that name the peer. */
    private List<Peer> peers(boolean ingress, int remote, int port, int protocol) {
      List<Peer> peers = new ArrayList<>();
      for (int number : new int[] {port, 0}) {
        for (PortRules of : rules.ports()) {
          boolean sameProtocol = of.protocol() == protocol || of.protocol() == 0;
          if (of.ingress() == ingress && of.port() == number && sameProtocol) {
            of.peers().stream()
                .filter(peer -> peer.identities() == null || peer.identities().contains(remote))
                .map(compiled::get)
                .forEach(peers::add);
          }
        }
      }
      return peers;
    }
  }

  /** A request as rules look at it. */
  record HttpRequest(String method, String path, String host, Headers headers) {}

  /** What some peers may ask. */
  private static final class Peer {

    private final @Nullable List<Http> http;
    private final @Nullable List<Pattern> names;

    Peer(PeerRules rules) {
      List<ProxyConfig.HttpMatch> matches = rules.http();
      List<String> patterns = rules.names();
      this.http = matches == null ? null : matches.stream().map(Http::new).toList();
      this.names = patterns == null ? null : patterns.stream().map(Pattern::compile).toList();
    }

    boolean allows(HttpRequest request) {
      return http == null || http.stream().anyMatch(rule -> rule.allows(request));
    }

    boolean allowsName(String name) {
      return names == null || names.stream().anyMatch(pattern -> pattern.matches(name));
    }
  }

  private static final class Http {

    private static final Pattern NOTHING = Pattern.compile("[^\\x00-\\x{10FFFF}]");

    private final @Nullable Pattern path;
    private final @Nullable Pattern method;
    private final @Nullable Pattern host;
    private final List<ProxyConfig.HeaderMatch> headers;

    Http(ProxyConfig.HttpMatch match) {
      this.path = compile(match.path());
      this.method = compile(match.method());
      this.host = compile(match.host());
      this.headers = match.headers();
    }

    /** What the agent should not have let through matches nothing. */
    private static @Nullable Pattern compile(String expression) {
      try {
        return expression.isEmpty() ? null : Pattern.compile(expression);
      } catch (PatternSyntaxException e) {
        return NOTHING;
      }
    }

    boolean allows(HttpRequest request) {
      return matches(path, request.path())
          && matches(method, request.method())
          && matches(host, request.host())
          && headers.stream().allMatch(header -> passes(header, request.headers()));
    }

    private static boolean matches(@Nullable Pattern pattern, String text) {
      return pattern == null || pattern.matches(text);
    }

    /** Answers whether a header is as it must be, or has been made so. */
    private static boolean passes(ProxyConfig.HeaderMatch wanted, Headers headers) {
      String value = headers.get(wanted.name());
      boolean matches = value != null && (wanted.value().isEmpty() || value.equals(wanted.value()));
      if (matches) {
        return true;
      }
      switch (wanted.mismatch()) {
        case FAIL -> {
          return false;
        }
        case LOG -> {}
        case ADD -> headers.add(wanted.name(), wanted.value());
        case DELETE -> headers.remove(wanted.name());
        case REPLACE -> headers.remove(wanted.name()).add(wanted.name(), wanted.value());
      }
      return true;
    }
  }
}
