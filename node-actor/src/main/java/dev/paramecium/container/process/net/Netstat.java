package dev.paramecium.container.process.net;

import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.SocketInfo;
import dev.paramecium.container.socket.SocketAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code netstat -tulanp} as busybox prints it; names are never looked up. */
public final class Netstat {

  private Netstat() {}

  /** Prints and answers the exit code. */
  public static int run(ProcessContext context) {
    Options options;
    try {
      options = Options.parse(context.argv().subList(1, context.argv().size()), "tulanpeWwx");
    } catch (Options.InvalidOptionException e) {
      context.printError("netstat: " + e.getMessage() + "\n");
      return 1;
    }
    boolean chosen = options.has('t') || options.has('u') || options.has('w') || options.has('x');
    boolean all = options.has('a');
    boolean servers = options.has('l');
    String which = all ? "(servers and established)" : servers ? "(only servers)" : "(w/o servers)";
    StringBuilder text = new StringBuilder("Active Internet connections " + which + "\n");
    text.append(
        String.format(
            Locale.ROOT,
            "Proto Recv-Q Send-Q %-23s %-23s State       %s%n",
            "Local Address",
            "Foreign Address",
            options.has('p') ? "PID/Program name" : ""));
    for (SocketInfo socket : context.namespace().sockets()) {
      boolean wanted =
          !chosen || options.has(socket.protocol() == SocketInfo.Protocol.TCP ? 't' : 'u');
      if (wanted && (all || socket.isServer() == servers)) {
        text.append(
            String.format(
                Locale.ROOT,
                "%s   %6d %6d %-23s %-23s %-12s%s%n",
                socket.protocol().name().toLowerCase(Locale.ROOT),
                socket.receiveQueue(),
                socket.state() == SocketInfo.State.LISTEN ? 0 : socket.sendQueue(),
                socket.local().address() + ":" + port(socket.local()),
                remote(socket.remote()),
                socket.state().netstat(),
                options.has('p') ? "-" : ""));
      }
    }
    if (!chosen) {
      text.append("Active UNIX domain sockets ").append(which).append('\n');
      text.append("Proto RefCnt Flags       Type       State         I-Node Path\n");
    }
    context.print(text.toString());
    return 0;
  }

  private static String port(SocketAddress address) {
    return address.port() == 0 ? "*" : Integer.toString(address.port());
  }

  private static String remote(@Nullable SocketAddress remote) {
    return remote == null ? "0.0.0.0:*" : remote.address() + ":" + port(remote);
  }
}
