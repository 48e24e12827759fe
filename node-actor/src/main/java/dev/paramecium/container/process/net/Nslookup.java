package dev.paramecium.container.process.net;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;

/** {@code nslookup NAME} as BusyBox prints it. */
public final class Nslookup {

  private Nslookup() {}

  public static Process start(ProcessContext context) {
    if (context.argv().size() < 2) {
      context.printError("Usage: nslookup HOST\n");
      context.exit(1);
      return _ -> {};
    }
    String name = context.argv().get(1);
    Resolver resolver = new Resolver(context);
    if (resolver.servers().isEmpty()) {
      context.printError(
          "nslookup: can't connect to remote host (127.0.0.1): Connection refused\n");
      context.exit(1);
      return _ -> {};
    }
    String head =
        "Server:\t\t"
            + resolver.servers().getFirst()
            + "\nAddress:\t"
            + resolver.servers().getFirst()
            + ":53\n\n";
    resolver.lookup(
        name,
        answer -> {
          switch (answer) {
            case Resolver.Answer.Found(var found, var addresses, var _) -> {
              context.print(head);
              addresses.forEach(
                  address -> context.print("Name:\t" + found + "\nAddress: " + address + "\n"));
              context.print("\n");
              context.exit(0);
            }
            case Resolver.Answer.NotFound _ -> {
              context.print(head + "** server can't find " + name + ": NXDOMAIN\n\n");
              context.exit(1);
            }
            case Resolver.Answer.NoAnswer _ -> {
              context.print(";; connection timed out; no servers could be reached\n\n");
              context.exit(1);
            }
          }
        });
    return number -> context.exit(Signals.exitCode(number));
  }
}
