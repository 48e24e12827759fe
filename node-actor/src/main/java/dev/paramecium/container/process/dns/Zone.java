package dev.paramecium.container.process.dns;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.dns.DnsRecord.Data;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A zone in master-file text (RFC 1035, 5), one record a line: {@code NAME TTL IN TYPE DATA}, names
 * with the dot at their end. The first record is the SOA, whose name is the zone's origin; records
 * of other names, as those of a reverse zone, are found too. A name below which there are names
 * exists, also if it has no records of its own (RFC 8020).
 */
final class Zone {

  private final String origin;
  private final DnsRecord soa;
  private final Map<String, List<DnsRecord>> records;
  private final Set<String> ancestors;

  private Zone(DnsRecord soa, Map<String, List<DnsRecord>> records) {
    this.origin = soa.name();
    this.soa = soa;
    this.records = records;
    this.ancestors = new HashSet<>();
    for (String name : records.keySet()) {
      String above = name;
      int dot = above.indexOf('.');
      while (dot >= 0) {
        above = above.substring(dot + 1);
        if (!ancestors.add(above)) {
          break;
        }
        dot = above.indexOf('.');
      }
    }
  }

  /**
   * Reads a zone.
   *
   * @throws IllegalArgumentException with the line that is no record
   */
  static Zone parse(byte[] text) {
    DnsRecord soa = null;
    Map<String, List<DnsRecord>> records = new HashMap<>();
    for (String line : new String(text, StandardCharsets.UTF_8).split("\n", -1)) {
      if (line.isBlank() || line.startsWith(";")) {
        continue;
      }
      DnsRecord record = record(line);
      soa = soa == null && record.type() == DnsRecord.SOA ? record : soa;
      records.computeIfAbsent(record.name(), _ -> new ArrayList<>(1)).add(record);
    }
    if (soa == null) {
      throw new IllegalArgumentException("the zone has no SOA record");
    }
    return new Zone(soa, records);
  }

  private static DnsRecord record(String line) {
    String[] words = line.strip().split("\\s+", -1);
    try {
      return new DnsRecord(absolute(words[0]), Integer.parseInt(words[1]), data(words));
    } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
      throw new IllegalArgumentException("not a record: \"" + line + "\"", e);
    }
  }

  private static Data data(String[] words) {
    if (!words[2].equals("IN")) {
      throw new IllegalArgumentException("class " + words[2]);
    }
    return switch (words[3]) {
      case "A" -> new Data.Address(Ipv4Address.parse(words[4]));
      case "CNAME", "PTR", "NS" -> new Data.Pointer(DnsRecord.typeOf(words[3]), absolute(words[4]));
      case "SRV" ->
          new Data.Service(
              Integer.parseInt(words[4]),
              Integer.parseInt(words[5]),
              Integer.parseInt(words[6]),
              absolute(words[7]));
      case "SOA" ->
          new Data.Authority(
              absolute(words[4]),
              absolute(words[5]),
              Integer.parseUnsignedInt(words[6]),
              Integer.parseInt(words[7]),
              Integer.parseInt(words[8]),
              Integer.parseInt(words[9]),
              Integer.parseInt(words[10]));
      default -> throw new IllegalArgumentException("type " + words[3]);
    };
  }

  private static String absolute(String name) {
    if (!name.endsWith(".")) {
      throw new IllegalArgumentException("name " + name);
    }
    return name.substring(0, name.length() - 1).toLowerCase(Locale.ROOT);
  }

  DnsRecord soa() {
    return soa;
  }

  String origin() {
    return origin;
  }

  /** Whether a name is the zone's own to answer for. */
  boolean covers(String name) {
    return origin.isEmpty() || name.equals(origin) || name.endsWith("." + origin);
  }

  /** Every record of a name, none if it has none; {@code name} in lower case. */
  List<DnsRecord> of(String name) {
    return records.getOrDefault(name, List.of());
  }

  /** Whether there is such a name, or one below it. */
  boolean exists(String name) {
    return records.containsKey(name) || ancestors.contains(name);
  }

  /** How many records there are. */
  int size() {
    return records.values().stream().mapToInt(List::size).sum();
  }

  /**
   * The address that the name of a pod says: {@code 10-42-0-7.NAMESPACE.pod.ORIGIN}, of any pod, as
   * coredns answers with {@code pods insecure}. Null if it is no such name.
   */
  @Nullable DnsRecord podByAddress(String name) {
    String suffix = ".pod." + origin;
    if (!name.endsWith(suffix)) {
      return null;
    }
    String[] labels = name.substring(0, name.length() - suffix.length()).split("\\.", -1);
    if (labels.length != 2 || !labels[0].matches("[0-9]{1,3}(-[0-9]{1,3}){3}")) {
      return null;
    }
    try {
      Ipv4Address address = Ipv4Address.parse(labels[0].replace('-', '.'));
      return new DnsRecord(name, soa.ttl(), new Data.Address(address));
    } catch (IllegalArgumentException _) {
      return null; // 300-1-1-1
    }
  }
}
