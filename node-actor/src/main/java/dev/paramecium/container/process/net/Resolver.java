package dev.paramecium.container.process.net;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.dns.DnsExchange;
import dev.paramecium.container.process.dns.DnsMessage;
import dev.paramecium.container.process.dns.DnsRecord;
import dev.paramecium.container.process.dns.DnsRecord.Data;
import dev.paramecium.container.process.dns.ResolvConf;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * getaddrinfo(3) for one process: an address in digits, {@code /etc/hosts}, then queries to the
 * nameservers of {@code /etc/resolv.conf} with its search domains. Without a nameserver a name is
 * unknown at once.
 */
public final class Resolver {

  /** What became of a name. */
  public sealed interface Answer {

    /**
     * @param name the one that was found, after search domains and aliases
     * @param records of the type that was asked for, at least one
     * @param server empty if no server was asked
     */
    record Found(String name, List<DnsRecord> records, String server) implements Answer {

      /** The addresses among the records. */
      public List<Ipv4Address> addresses() {
        return records.stream()
            .map(DnsRecord::data)
            .filter(Data.Address.class::isInstance)
            .map(data -> ((Data.Address) data).address())
            .toList();
      }
    }

    /**
     * @param server empty if no server was asked
     * @param responseCode of the last answer: NXDOMAIN, or NOERROR for a name without such records
     */
    record NotFound(String server, int responseCode) implements Answer {}

    /** No nameserver answered. */
    record NoAnswer(List<String> servers) implements Answer {}
  }

  private final ProcessContext context;

  public Resolver(ProcessContext context) {
    this.context = context;
  }

  /**
   * Resolves {@code name}; {@code answer} may be called before this returns, and is called once.
   */
  public void resolve(String name, Consumer<Answer> answer) {
    Ipv4Address literal = ResolvConf.literal(name);
    if (literal != null) {
      answer.accept(found(name, literal));
      return;
    }
    Ipv4Address local = hosts(name);
    if (local != null) {
      answer.accept(found(name, local));
      return;
    }
    lookup(ResolvConf.read(context.files()), name, DnsRecord.A, answer);
  }

  private static Answer found(String name, Ipv4Address address) {
    return new Answer.Found(name, List.of(new DnsRecord(name, 0, new Data.Address(address))), "");
  }

  /** Asks nameservers only, as nslookup does. */
  void lookup(ResolvConf configuration, String name, int type, Consumer<Answer> answer) {
    List<String> candidates = configuration.candidates(name);
    if (configuration.servers().isEmpty() || candidates.isEmpty()) {
      answer.accept(new Answer.NotFound("", DnsMessage.NXDOMAIN));
      return;
    }
    new Query(configuration, candidates, type, answer).next();
  }

  private List<String> servers() {
    return ResolvConf.read(context.files()).servers().stream().map(Ipv4Address::toString).toList();
  }

  private @Nullable Ipv4Address hosts(String name) {
    for (String line : ResolvConf.lines(context.files(), "/etc/hosts")) {
      String[] words = line.strip().split("\\s+", -1);
      for (int i = 1; i < words.length; i++) {
        if (words[i].equalsIgnoreCase(name)) {
          return ResolvConf.literal(words[0]);
        }
      }
    }
    return name.equalsIgnoreCase("localhost") ? Ipv4Address.parse("127.0.0.1") : null;
  }

  /** One name on its way through its candidates. */
  private final class Query {
    private final ResolvConf configuration;
    private final Deque<String> candidates;
    private final int type;
    private final Consumer<Answer> answer;

    Query(ResolvConf configuration, List<String> candidates, int type, Consumer<Answer> answer) {
      this.configuration = configuration;
      this.candidates = new ArrayDeque<>(candidates);
      this.type = type;
      this.answer = answer;
    }

    void next() {
      DnsExchange.start(
          context.sockets(),
          context.random(),
          configuration,
          DnsMessage.query(0, candidates.getFirst(), type),
          this::heard);
    }

    private void heard(DnsExchange.Outcome outcome) {
      DnsMessage message = outcome.message();
      if (message == null) {
        answer.accept(new Answer.NoAnswer(servers()));
        return;
      }
      List<DnsRecord> records =
          message.answers().stream().filter(record -> record.type() == type).toList();
      if (!records.isEmpty()) {
        String canonical = message.canonicalName();
        answer.accept(
            new Answer.Found(
                canonical.isEmpty() ? candidates.getFirst() : canonical,
                records,
                outcome.server().toString()));
        return;
      }
      candidates.removeFirst();
      if (candidates.isEmpty()) {
        answer.accept(new Answer.NotFound(outcome.server().toString(), message.responseCode()));
      } else {
        next();
      }
    }
  }
}
