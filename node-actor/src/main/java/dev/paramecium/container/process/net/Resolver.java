package dev.paramecium.container.process.net;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.FileSystem;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
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

    /** {@code server} is empty if no server was asked. */
    record Found(String name, List<Ipv4Address> addresses, String server) implements Answer {}

    record NotFound(String server) implements Answer {}

    /** No nameserver answered. */
    record NoAnswer(List<String> servers) implements Answer {}
  }

  private static final int PORT = 53;
  private static final long TIMEOUT_MS = 5000;
  private static final int ATTEMPTS = 2;

  private final ProcessContext context;

  public Resolver(ProcessContext context) {
    this.context = context;
  }

  /**
   * Resolves {@code name}; {@code answer} may be called before this returns, and is called once.
   */
  public void resolve(String name, Consumer<Answer> answer) {
    Ipv4Address literal = literal(name);
    if (literal != null) {
      answer.accept(new Answer.Found(name, List.of(literal), ""));
      return;
    }
    Ipv4Address local = hosts(name);
    if (local != null) {
      answer.accept(new Answer.Found(name, List.of(local), ""));
      return;
    }
    lookup(name, answer);
  }

  /** Asks the nameservers only, as nslookup does. */
  void lookup(String name, Consumer<Answer> answer) {
    Configuration configuration = Configuration.read(context.files());
    List<String> candidates = configuration.candidates(name);
    if (configuration.servers().isEmpty() || candidates.isEmpty()) {
      answer.accept(new Answer.NotFound(""));
      return;
    }
    new Query(configuration, candidates, answer).next();
  }

  List<String> servers() {
    return Configuration.read(context.files()).servers();
  }

  static @Nullable Ipv4Address literal(String text) {
    try {
      return Ipv4Address.parse(text);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private @Nullable Ipv4Address hosts(String name) {
    for (String line : lines(context.files(), "/etc/hosts")) {
      String[] words = line.strip().split("\\s+", -1);
      for (int i = 1; i < words.length; i++) {
        if (words[i].equalsIgnoreCase(name)) {
          return literal(words[0]);
        }
      }
    }
    return name.equalsIgnoreCase("localhost") ? Ipv4Address.parse("127.0.0.1") : null;
  }

  private static List<String> lines(FileSystem files, String path) {
    byte[] bytes = files.read(path);
    return bytes == null
        ? List.of()
        : new String(bytes, StandardCharsets.UTF_8)
            .lines()
            .map(line -> line.replaceAll("[#;].*", ""))
            .toList();
  }

  private record Configuration(List<String> servers, List<String> search, int ndots) {

    static Configuration read(FileSystem files) {
      List<String> servers = new ArrayList<>();
      List<String> search = List.of();
      int ndots = 1;
      for (String line : lines(files, "/etc/resolv.conf")) {
        List<String> words = List.of(line.strip().split("\\s+", -1));
        List<String> rest = words.subList(1, words.size());
        switch (words.getFirst()) {
          case "nameserver" ->
              rest.stream().filter(server -> literal(server) != null).forEach(servers::add);
          case "search", "domain" -> search = rest;
          case "options" -> {
            for (String option : rest) {
              if (option.matches("ndots:\\d{1,2}")) {
                ndots = Integer.parseInt(option.substring(6));
              }
            }
          }
          default -> {}
        }
      }
      return new Configuration(servers, search, ndots);
    }

    /** The names to ask for, in resolv.conf(5)'s order. */
    List<String> candidates(String name) {
      List<String> names = new ArrayList<>();
      if (name.endsWith(".")) {
        names.add(name.substring(0, name.length() - 1));
      } else {
        search.forEach(domain -> names.add(name + "." + domain));
        boolean asIsFirst = name.chars().filter(c -> c == '.').count() >= ndots;
        names.add(asIsFirst ? 0 : names.size(), name);
      }
      names.removeIf(candidate -> !DnsMessage.isName(candidate));
      return names;
    }
  }

  /** One name on its way through candidates, servers and attempts. */
  private final class Query implements UdpHandler {
    private final Configuration configuration;
    private final Deque<String> candidates;
    private final Consumer<Answer> answer;
    private int attempt;
    private int id;
    private @Nullable UdpSocket socket;
    private Sockets.@Nullable Timer timeout;

    Query(Configuration configuration, List<String> candidates, Consumer<Answer> answer) {
      this.configuration = configuration;
      this.candidates = new ArrayDeque<>(candidates);
      this.answer = answer;
    }

    private String server() {
      return configuration.servers().get(attempt % configuration.servers().size());
    }

    void next() {
      if (attempt >= ATTEMPTS * configuration.servers().size()) {
        finish(new Answer.NoAnswer(configuration.servers()));
        return;
      }
      id = context.random().nextInt() & 0xffff;
      try {
        UdpSocket open = socket;
        if (open == null) {
          open = context.sockets().bindUdp(Ipv4Address.ANY, 0, this);
          socket = open;
        }
        open.send(
            new SocketAddress(Ipv4Address.parse(server()), PORT),
            DnsMessage.query(id, candidates.getFirst()));
        timeout = context.sockets().schedule(TIMEOUT_MS, this::retry);
      } catch (SocketException e) {
        finish(new Answer.NoAnswer(configuration.servers()));
      }
    }

    private void retry() {
      cancelTimeout();
      attempt++;
      next();
    }

    private void cancelTimeout() {
      if (timeout != null) {
        timeout.cancel();
        timeout = null;
      }
    }

    @Override
    public void datagram(UdpSocket from, SocketAddress remote, byte[] payload) {
      DnsMessage message = DnsMessage.parse(payload);
      if (message == null || message.id() != id || remote.port() != PORT) {
        return;
      }
      cancelTimeout();
      if (!message.addresses().isEmpty()) {
        String name =
            message.canonicalName().isEmpty() ? candidates.getFirst() : message.canonicalName();
        finish(new Answer.Found(name, message.addresses(), server()));
        return;
      }
      candidates.removeFirst();
      attempt = 0;
      if (candidates.isEmpty()) {
        finish(new Answer.NotFound(server()));
      } else {
        next();
      }
    }

    @Override
    public void error(UdpSocket from, SocketAddress remote, SocketError error) {
      retry();
    }

    private void finish(Answer result) {
      cancelTimeout();
      if (socket != null) {
        socket.close();
      }
      answer.accept(result);
    }
  }
}
