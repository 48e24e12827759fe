package dev.paramecium.container.process.net;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code traceroute -I}: echo requests with a growing time to live, three for each hop. */
public final class Traceroute implements Process, PingHandler {

  private static final int PROBES = 3;
  private static final int SIZE = 32;
  private static final int TIME_EXCEEDED = 11;

  private final ProcessContext context;
  private final String name;
  private final int maxHops;
  private final long waitMs;
  private Ipv4Address destination = Ipv4Address.ANY;
  private @Nullable PingSocket socket;
  private Sockets.@Nullable Timer timeout;
  private int sequence;
  private long sentNs;
  private @Nullable Ipv4Address shown;
  private boolean arrived;

  private Traceroute(ProcessContext context, Options options)
      throws Options.InvalidOptionException {
    this.context = context;
    this.name = options.operands().getFirst();
    this.maxHops = options.number('m', 30, 1, 255);
    this.waitMs = options.millis('w', 5000);
  }

  public static Process start(ProcessContext context) {
    List<String> argv = context.argv();
    try {
      Options options = Options.parse(argv.subList(1, argv.size()), "Inm:w:q:4");
      if (options.operands().isEmpty()) {
        throw new Options.InvalidOptionException("Specify \"host\" missing argument.");
      }
      Traceroute traceroute = new Traceroute(context, options);
      new Resolver(context).resolve(traceroute.name, traceroute::resolved);
      return traceroute;
    } catch (Options.InvalidOptionException e) {
      context.printError("traceroute: " + e.getMessage() + "\n");
      context.exit(2);
      return _ -> {};
    }
  }

  private void resolved(Resolver.Answer answer) {
    if (!(answer instanceof Resolver.Answer.Found found)) {
      context.printError(name + ": Name or service not known\n");
      context.exit(2);
      return;
    }
    destination = found.addresses().getFirst();
    try {
      socket = context.sockets().openPing(this);
    } catch (SocketException e) {
      context.printError("traceroute: socket: " + e.error().text() + "\n");
      context.exit(1);
      return;
    }
    context.print(
        "traceroute to "
            + name
            + " ("
            + destination
            + "), "
            + maxHops
            + " hops max, "
            + (SIZE + 28)
            + " byte packets\n");
    probe();
  }

  private int hop() {
    return (sequence - 1) / PROBES + 1;
  }

  private void probe() {
    boolean newHop = sequence % PROBES == 0;
    if (newHop) {
      if (sequence > 0) {
        context.print("\n");
      }
      if (arrived || sequence / PROBES == maxHops) {
        context.exit(0);
        return;
      }
      shown = null;
    }
    sequence++;
    if (newHop) {
      context.print(String.format(Locale.ROOT, "%2d ", hop()));
    }
    sentNs = context.clock().nanos();
    timeout = context.sockets().schedule(waitMs, this::noAnswer);
    try {
      if (socket != null) {
        socket.send(destination, sequence, hop(), new byte[SIZE]);
      }
    } catch (SocketException e) {
      context.print(" !" + e.error().text());
    }
  }

  private void noAnswer() {
    context.print(" *");
    probe();
  }

  private void answer(Ipv4Address from, int probe, String mark) {
    if (probe != sequence) {
      return;
    }
    if (timeout != null) {
      timeout.cancel();
    }
    if (!from.equals(shown)) {
      context.print(" " + from + " (" + from + ")");
      shown = from;
    }
    double ms = (context.clock().nanos() - sentNs) / 1e6;
    context.print(String.format(Locale.ROOT, "  %.3f ms%s", ms, mark));
    probe();
  }

  @Override
  public void reply(Ipv4Address from, int probe, int ttl, byte[] payload) {
    arrived = true;
    answer(from, probe, "");
  }

  @Override
  public void error(Ipv4Address from, int type, int code, int probe) {
    if (type == TIME_EXCEEDED) {
      answer(from, probe, "");
    } else {
      arrived = true;
      answer(from, probe, code == 1 ? " !H" : code == 0 ? " !N" : " !X");
    }
  }

  @Override
  public void signal(int number) {
    context.exit(Signals.exitCode(number));
  }
}
