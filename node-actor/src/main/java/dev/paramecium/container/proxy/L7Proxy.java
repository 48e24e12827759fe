package dev.paramecium.container.proxy;

import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpListener;
import dev.paramecium.syscall.ProxyConfig;
import dev.paramecium.syscall.ProxyConfig.Listener;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A node's proxy: its listeners, and the rules that all of them go by. It belongs to the actor of
 * the node's own namespace.
 *
 * <pre>
 *   pod --lxc, from-container: "redirect"--&gt; stack (TPROXY) --&gt; listener --allowed--&gt; stack --&gt; server
 * </pre>
 */
public final class L7Proxy {

  private static final int BACKLOG = 128;

  private final ProxyServices services;
  private final DnsAnswers answers;
  private final Map<Listener, Runnable> closers = new LinkedHashMap<>();
  private PolicyTable policies = PolicyTable.EMPTY;

  public L7Proxy(ProxyServices services, DnsAnswers answers) {
    this.services = services;
    this.answers = answers;
  }

  /**
   * Goes by {@code config} from now on. The rules count for the next request of connections that
   * are there already.
   *
   * @throws SocketException if a listener's port is taken; nothing has changed then
   */
  public void configure(ProxyConfig config) throws SocketException {
    Map<Listener, Runnable> opened = new LinkedHashMap<>();
    try {
      for (Listener wanted : config.listeners()) {
        if (!closers.containsKey(wanted)) {
          opened.put(wanted, open(wanted));
        }
      }
    } catch (SocketException e) {
      opened.values().forEach(Runnable::run);
      throw e;
    }
    policies = new PolicyTable(config);
    closers
        .entrySet()
        .removeIf(
            old -> {
              boolean gone = !config.listeners().contains(old.getKey());
              if (gone) {
                old.getValue().run();
              }
              return gone;
            });
    closers.putAll(opened);
  }

  /** Opens a listener; what it answers closes it. */
  private Runnable open(Listener listener) throws SocketException {
    services.transparent().enableTransparentProxy();
    return switch (listener.parser()) {
      case HTTP -> {
        TcpListener socket =
            services
                .transparent()
                .listenTransparent(
                    listener.port(),
                    BACKLOG,
                    Marks.ofListener(listener.ingress()),
                    client ->
                        new HttpSession(services, () -> policies, listener.ingress(), client));
        yield socket::close;
      }
      case DNS -> {
        DnsProxy proxy = new DnsProxy(services, () -> policies, answers);
        proxy.open(listener.port());
        yield proxy::close;
      }
    };
  }

  /** Closes the listeners; connections that are there end with their next request. */
  public void close() {
    closers.values().forEach(Runnable::run);
    closers.clear();
    policies = PolicyTable.EMPTY;
  }
}
