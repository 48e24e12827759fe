package dev.paramecium.agent;

import dev.paramecium.agent.endpoint.Endpoint;
import dev.paramecium.agent.policy.EndpointMap;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.syscall.ProxyConfig;
import dev.paramecium.syscall.ProxyConfig.EndpointRules;
import dev.paramecium.syscall.ProxyConfig.Listener;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Keeps the node's proxy as the rules want it. A policy map changes only when the proxy has
 * acknowledged what it must know for it, so that nothing is redirected to rules that are not there
 * yet. Used by the agent's actor alone.
 *
 * <pre>
 *   enforce(maps) --rules as they were---------------------------&gt; endpoints
 *                 --other rules--&gt; configure -&gt; acknowledged --&gt; endpoints
 * </pre>
 */
final class ProxyControl {

  private final NodePolicy policy;
  private final LocalEndpoints endpoints;
  private final Consumer<ProxyConfig> configure;
  private final Runnable handedOn;
  private final Map<Integer, EndpointMap> held = new TreeMap<>();
  private ProxyConfig told = ProxyConfig.NONE;
  private boolean asking;

  /**
   * @param configure tells the proxy; its answer comes with {@link #acknowledged} or {@link #retry}
   * @param handedOn runs whenever maps have been given to their endpoints
   */
  ProxyControl(
      NodePolicy policy,
      LocalEndpoints endpoints,
      Consumer<ProxyConfig> configure,
      Runnable handedOn) {
    this.policy = policy;
    this.endpoints = endpoints;
    this.configure = configure;
    this.handedOn = handedOn;
  }

  /** Whether every map that was worked out has been handed on, with its redirects. */
  boolean isSettled() {
    return !asking && held.isEmpty() && told.listeners().equals(policy.listeners());
  }

  /** How many listeners there are. */
  int listeners() {
    return told.listeners().size();
  }

  /** Hands maps on to their endpoints, now or when the proxy is ready for them. */
  void enforce(Map<Integer, EndpointMap> changed) {
    held.putAll(changed);
    advance();
  }

  /**
   * The proxy goes by {@code config} now.
   *
   * @return whether maps want working out, because there are new listeners to redirect to
   */
  boolean acknowledged(ProxyConfig config) {
    asking = false;
    told = config;
    boolean news = policy.listening(config.listeners());
    advance();
    return news;
  }

  /** Asks again, what may have changed meanwhile included. */
  void retry() {
    asking = false;
    advance();
  }

  private void advance() {
    if (asking) {
      return;
    }
    ProxyConfig wanted = wanted();
    if (!wanted.equals(told)) {
      asking = true;
      configure.accept(wanted);
      return;
    }
    held.forEach(
        (id, map) -> {
          LocalEndpoint local = endpoints.byId(id);
          if (local != null) {
            local.actor.tell(new Endpoint.Enforce(map));
          }
        });
    held.clear();
    handedOn.run();
  }

  private ProxyConfig wanted() {
    List<Listener> listeners = policy.listeners();
    if (listeners.isEmpty()) {
      return ProxyConfig.NONE;
    }
    List<EndpointRules> rules = new ArrayList<>();
    for (LocalEndpoint local : endpoints.all()) {
      EndpointRules its = policy.proxyRules(local.spec.id(), local.spec.address());
      if (its != null) {
        rules.add(its);
      }
    }
    return new ProxyConfig(listeners, rules);
  }
}
