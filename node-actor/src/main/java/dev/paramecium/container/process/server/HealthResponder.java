package dev.paramecium.container.process.server;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.http.Exchange;
import dev.paramecium.container.process.http.HttpServer;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.socket.SocketException;
import java.util.List;

/**
 * {@code cilium-health-responder [--address ADDRESS] --listen PORT}: answers {@code /hello} with
 * 200, anything else with 404, and no body ({@code pkg/health/probe/responder}). It runs in the
 * health endpoint's namespace, and on the node's own address in the agent.
 */
public final class HealthResponder {

  /** The program's name. */
  public static final String NAME = "cilium-health-responder";

  private static final int DEFAULT_PORT = 4240;
  private static final String PLAIN = "text/plain; charset=utf-8";

  private HealthResponder() {}

  public static Process start(ProcessContext context) {
    GoFlags flags = new GoFlags(context.argv().subList(1, context.argv().size()), List.of());
    String address = flags.text("address", Ipv4Address.ANY.toString());
    try {
      int port = flags.number("listen", DEFAULT_PORT);
      new HttpServer(
          context, Ipv4Address.parse(address), port, new GoStyle(), HealthResponder::answer);
    } catch (SocketException e) {
      context.printError("listen tcp " + address + ": bind: " + Agnhost.lower(e.error()) + "\n");
      context.exit(1);
    } catch (IllegalArgumentException e) {
      context.printError(NAME + ": " + e.getMessage() + "\n");
      context.exit(1);
    }
    return Agnhost.untilSignal(context);
  }

  private static void answer(Exchange exchange) {
    int status = exchange.request().path().equals("/hello") ? 200 : 404;
    exchange.respond(Response.of(status, PLAIN, ""));
  }
}
