package dev.paramecium.container.process.server;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.http.Exchange;
import dev.paramecium.container.process.http.HttpServer;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.socket.SocketException;
import java.util.List;

/**
 * {@code cilium-operator-generic}: shows the operator that decides for the cluster. Its log is that
 * one's, told to it in {@link ComponentLog#FILE}; {@code /healthz} on 127.0.0.1:9234 says {@code
 * ok} once it has heard of it ({@code operator/api}).
 */
public final class CiliumOperator {

  /** The program's name. */
  public static final String NAME = "cilium-operator-generic";

  private static final String VERSION = "1.12.3";
  private static final Ipv4Address LOOPBACK = Ipv4Address.parse("127.0.0.1");
  private static final int API_PORT = 9234;
  private static final String PLAIN = "text/plain; charset=utf-8";

  private final ProcessContext context;
  private final ComponentLog log;

  private CiliumOperator(ProcessContext context) {
    this.context = context;
    this.log = new ComponentLog(context);
  }

  public static Process start(ProcessContext context) {
    GoFlags flags =
        new GoFlags(context.argv().subList(1, context.argv().size()), List.of("version"));
    if (flags.isOn("version", false)) {
      context.print(NAME + " " + VERSION + " (Paramecium) linux/amd64\n");
      context.exit(0);
      return Agnhost.untilSignal(context);
    }
    new CiliumOperator(context).serve();
    return number -> context.exit(number == Signals.SIGTERM ? 0 : Signals.exitCode(number));
  }

  private void serve() {
    try {
      new HttpServer(context, LOOPBACK, API_PORT, new GoStyle(), this::answer);
    } catch (SocketException e) {
      // As klog's Fatal: another operator on this node has the port.
      context.print(
          "level=fatal msg=\"Unable to start operator apiserver\" error=\"listen tcp "
              + LOOPBACK
              + ":"
              + API_PORT
              + ": bind: "
              + Agnhost.lower(e.error())
              + "\" subsys=cilium-operator-api\n");
      context.exit(1);
      return;
    }
    context.print(
        "level=info msg=\"Starting apiserver on address "
            + LOOPBACK
            + ":"
            + API_PORT
            + "\" subsys=cilium-operator-api\n");
    log.follow();
  }

  private void answer(Exchange exchange) {
    boolean asked = exchange.request().path().equals("/healthz");
    exchange.respond(
        !asked
            ? Response.of(404, PLAIN, "404 page not found\n")
            : log.hasBegun()
                ? Response.of(200, PLAIN, "ok")
                : Response.of(500, PLAIN, "the control plane is not heard of yet"));
  }
}
