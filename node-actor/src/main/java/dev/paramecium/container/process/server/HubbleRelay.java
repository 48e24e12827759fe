package dev.paramecium.container.process.server;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.http.RefusingGrpc;
import dev.paramecium.container.socket.SocketException;
import java.util.List;

/**
 * {@code hubble-relay serve [--listen-address :4245]}: no agent serves Hubble, so that each call is
 * answered as the real relay answers when it reaches no peer, {@code UNAVAILABLE}.
 */
public final class HubbleRelay {

  /** The program's name. */
  public static final String NAME = "hubble-relay";

  private static final String VERSION = "1.12.3";
  private static final String SUBSYSTEM = " subsys=hubble-relay\n";
  private static final String DEFAULT_PORT = ":4245";
  private static final String WHY =
      "no agent of this cluster serves Hubble: use cilium monitor, or paramecium trace";
  private static final int BACKLOG = 128;

  private HubbleRelay() {}

  public static Process start(ProcessContext context) {
    GoFlags flags =
        new GoFlags(context.argv().subList(1, context.argv().size()), List.of("debug", "version"));
    String command = flags.operands().isEmpty() ? "" : flags.operands().getFirst();
    if (command.equals("version") || flags.isOn("version", false)) {
      context.print(NAME + " " + VERSION + " (Paramecium) linux/amd64\n");
      context.exit(0);
    } else if (command.equals("serve")) {
      serve(context, flags.text("listen-address", DEFAULT_PORT));
    } else {
      context.printError(
          "Error: unknown command \""
              + command
              + "\" for \""
              + NAME
              + "\": use serve or version\n");
      context.exit(1);
    }
    return number -> context.exit(number == Signals.SIGTERM ? 0 : Signals.exitCode(number));
  }

  private static void serve(ProcessContext context, String address) {
    if (!address.matches(":[0-9]{1,5}")) {
      context.printError("Error: listen-address \"" + address + "\" must be a port, as :4245\n");
      context.exit(1);
      return;
    }
    int port = Integer.parseInt(address, 1, address.length(), 10);
    try {
      context
          .sockets()
          .listen(
              Ipv4Address.ANY, port, BACKLOG, _ -> new RefusingGrpc(RefusingGrpc.UNAVAILABLE, WHY));
    } catch (SocketException e) {
      context.printError(
          "Error: listen tcp " + address + ": bind: " + Agnhost.lower(e.error()) + "\n");
      context.exit(1);
      return;
    }
    context.print(
        "level=info msg=\"Starting server...\" listenAddress=\"" + address + "\"" + SUBSYSTEM);
    context.print(
        "level=warning msg=\"Every call is answered UNAVAILABLE: " + WHY + "\"" + SUBSYSTEM);
  }
}
