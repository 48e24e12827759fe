package dev.paramecium.container.process.http;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpListener;

/**
 * An HTTP server in a process: accepts connections, reads requests one at a time on each, hands
 * them to a {@link Service} and writes the answers, no faster than the client reads.
 */
public final class HttpServer {

  /** What is served. */
  @FunctionalInterface
  public interface Service {

    /** Answers now or later, once, through the exchange. */
    void handle(Exchange exchange);
  }

  /** A larger request body is refused with 413. */
  public static final int MAX_BODY = 16 << 20;

  private static final int BACKLOG = 2048;

  private final ProcessContext context;
  private final ServerStyle style;
  private final Service service;
  private final TcpListener listener;

  /** Listens on all addresses. */
  public HttpServer(ProcessContext context, int port, ServerStyle style, Service service)
      throws SocketException {
    this(context, Ipv4Address.ANY, port, style, service);
  }

  /** Listens on one address of the namespace. */
  public HttpServer(
      ProcessContext context, Ipv4Address address, int port, ServerStyle style, Service service)
      throws SocketException {
    this.context = context;
    this.style = style;
    this.service = service;
    this.listener =
        context
            .sockets()
            .listen(address, port, BACKLOG, connection -> new ServerConnection(this, connection));
  }

  public void close() {
    listener.close();
  }

  ProcessContext context() {
    return context;
  }

  ServerStyle style() {
    return style;
  }

  Service service() {
    return service;
  }
}
