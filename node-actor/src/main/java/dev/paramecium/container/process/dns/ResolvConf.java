package dev.paramecium.container.process.dns;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.FileSystem;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code /etc/resolv.conf} (resolv.conf(5)).
 *
 * @param servers at most three, as in glibc
 * @param search domains that are tried for a name with fewer than {@code ndots} dots
 * @param timeoutMs how long one server is waited for
 * @param attempts how often each is asked
 */
public record ResolvConf(
    List<Ipv4Address> servers, List<String> search, int ndots, long timeoutMs, int attempts) {

  private static final String PATH = "/etc/resolv.conf";
  private static final int MAX_SERVERS = 3;

  public ResolvConf {
    servers = List.copyOf(servers);
    search = List.copyOf(search);
  }

  public static ResolvConf read(FileSystem files) {
    List<Ipv4Address> servers = new ArrayList<>();
    List<String> search = List.of();
    int ndots = 1;
    long timeoutMs = 5000;
    int attempts = 2;
    for (String line : lines(files, PATH)) {
      List<String> words = List.of(line.strip().split("\\s+", -1));
      List<String> rest = words.subList(1, words.size());
      switch (words.getFirst()) {
        case "nameserver" -> {
          for (String word : rest) {
            Ipv4Address server = literal(word);
            if (server != null && servers.size() < MAX_SERVERS) {
              servers.add(server);
            }
          }
        }
        case "search", "domain" -> search = rest;
        case "options" -> {
          for (String option : rest) {
            ndots = number(option, "ndots", ndots);
            timeoutMs = 1000L * number(option, "timeout", (int) (timeoutMs / 1000));
            attempts = number(option, "attempts", attempts);
          }
        }
        default -> {}
      }
    }
    return new ResolvConf(servers, search, ndots, timeoutMs, attempts);
  }

  private static int number(String option, String name, int otherwise) {
    return option.matches(name + ":[0-9]{1,2}")
        ? Math.min(30, Integer.parseInt(option.substring(name.length() + 1)))
        : otherwise;
  }

  /** The lines of a configuration file without what is remarked. */
  public static List<String> lines(FileSystem files, String path) {
    byte[] bytes = files.read(path);
    return bytes == null
        ? List.of()
        : new String(bytes, StandardCharsets.UTF_8)
            .lines()
            .map(line -> line.replaceAll("[#;].*", ""))
            .toList();
  }

  /** An address in digits, or null. */
  public static @Nullable Ipv4Address literal(String text) {
    try {
      return Ipv4Address.parse(text);
    } catch (IllegalArgumentException _) {
      return null;
    }
  }

  /** The names to ask for, in order. */
  public List<String> candidates(String name) {
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
