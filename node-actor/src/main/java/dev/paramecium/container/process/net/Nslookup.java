package dev.paramecium.container.process.net;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.dns.DnsMessage;
import dev.paramecium.container.process.dns.DnsRecord;
import dev.paramecium.container.process.dns.DnsRecord.Data;
import dev.paramecium.container.process.dns.ResolvConf;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code nslookup [-type=TYPE] NAME [SERVER]} as BusyBox prints it; an address in digits is looked
 * up in the reverse zone.
 */
public final class Nslookup {

  private static final String USAGE = "Usage: nslookup [-type=QUERY_TYPE] HOST [DNS_SERVER]\n";

  private final ProcessContext context;
  private final String name;
  private final ResolvConf servers;

  private Nslookup(ProcessContext context, String name, ResolvConf servers) {
    this.context = context;
    this.name = name;
    this.servers = servers;
  }

  public static Process start(ProcessContext context) {
    int type = DnsRecord.A;
    List<String> operands = new ArrayList<>();
    for (String word : context.argv().subList(1, context.argv().size())) {
      if (word.matches("-(query|querytype|type|q|t)=.*")) {
        String wanted = word.substring(word.indexOf('=') + 1);
        type = DnsRecord.typeOf(wanted);
        if (type == 0) {
          return refuse(context, "nslookup: invalid query type \"" + wanted + "\"\n");
        }
      } else if (word.startsWith("-")) {
        return refuse(context, USAGE);
      } else {
        operands.add(word);
      }
    }
    if (operands.isEmpty() || operands.size() > 2) {
      return refuse(context, USAGE);
    }
    ResolvConf configured = ResolvConf.read(context.files());
    if (operands.size() == 1) {
      ask(context, operands.getFirst(), type, configured);
    } else {
      int wanted = type;
      new Resolver(context)
          .resolve(
              operands.get(1),
              answer -> {
                if (answer instanceof Resolver.Answer.Found found) {
                  ResolvConf chosen =
                      new ResolvConf(
                          List.of(found.addresses().getFirst()),
                          configured.search(),
                          configured.ndots(),
                          configured.timeoutMs(),
                          configured.attempts());
                  ask(context, operands.getFirst(), wanted, chosen);
                } else {
                  refuse(context, "nslookup: bad address '" + operands.get(1) + "'\n");
                }
              });
    }
    return number -> context.exit(Signals.exitCode(number));
  }

  private static Process refuse(ProcessContext context, String message) {
    context.printError(message);
    context.exit(1);
    return _ -> {};
  }

  private static void ask(ProcessContext context, String name, int type, ResolvConf servers) {
    if (servers.servers().isEmpty()) {
      refuse(context, "nslookup: can't connect to remote host (127.0.0.1): Connection refused\n");
      return;
    }
    Nslookup lookup = new Nslookup(context, name, servers);
    Ipv4Address address = ResolvConf.literal(name);
    if (address != null) {
      String[] bytes = name.split("\\.", -1);
      String reverse =
          bytes[3] + "." + bytes[2] + "." + bytes[1] + "." + bytes[0] + ".in-addr.arpa.";
      new Resolver(context).lookup(servers, reverse, DnsRecord.PTR, lookup::print);
    } else {
      new Resolver(context).lookup(servers, name, type, lookup::print);
    }
  }

  private void print(Resolver.Answer answer) {
    String server = servers.servers().getFirst().toString();
    String head = "Server:\t\t" + server + "\nAddress:\t" + server + ":53\n\n";
    switch (answer) {
      case Resolver.Answer.Found found -> {
        context.print(head);
        found.records().forEach(record -> context.print(text(found.name(), record)));
        context.print("\n");
        context.exit(0);
      }
      case Resolver.Answer.NotFound(var _, int code) when code == DnsMessage.NOERROR -> {
        context.print(head + "*** Can't find " + name + ": No answer\n\n");
        context.exit(1);
      }
      case Resolver.Answer.NotFound(var _, int code) -> {
        context.print(head + "** server can't find " + name + ": " + codeText(code) + "\n\n");
        context.exit(1);
      }
      case Resolver.Answer.NoAnswer _ -> {
        context.print(";; connection timed out; no servers could be reached\n\n");
        context.exit(1);
      }
    }
  }

  private static String codeText(int code) {
    return switch (code) {
      case DnsMessage.FORMERR -> "FORMERR";
      case DnsMessage.SERVFAIL -> "SERVFAIL";
      case DnsMessage.NXDOMAIN -> "NXDOMAIN";
      case DnsMessage.NOTIMP -> "NOTIMP";
      case DnsMessage.REFUSED -> "REFUSED";
      default -> Integer.toString(code);
    };
  }

  private static String text(String found, DnsRecord record) {
    return switch (record.data()) {
      case Data.Address(var address) -> "Name:\t" + found + "\nAddress: " + address + "\n";
      case Data.Pointer(int type, String target) ->
          record.name()
              + (type == DnsRecord.CNAME
                  ? "\tcanonical name = "
                  : type == DnsRecord.NS ? "\tnameserver = " : "\tname = ")
              + target
              + "\n";
      case Data.Service service ->
          record.name()
              + "\tservice = "
              + service.priority()
              + " "
              + service.weight()
              + " "
              + service.port()
              + " "
              + service.target()
              + "\n";
      case Data.Authority soa ->
          record.name()
              + "\n\torigin = "
              + soa.primary()
              + "\n\tmail addr = "
              + soa.mailbox()
              + "\n\tserial = "
              + Integer.toUnsignedString(soa.serial())
              + "\n\trefresh = "
              + soa.refresh()
              + "\n\tretry = "
              + soa.retry()
              + "\n\texpire = "
              + soa.expire()
              + "\n\tminimum = "
              + soa.minimum()
              + "\n";
      case Data.Opaque opaque -> record.name() + "\tunknown response type: " + opaque.type() + "\n";
    };
  }
}
