package dev.paramecium.inspect.net;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.syscall.DatapathConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code ip route} ({@code ip/iproute.c}). */
final class IpRoute {

  private static final Set<String> WRITES =
      Set.of("add", "del", "delete", "change", "append", "replace", "flush", "save", "restore");

  private static final String USAGE =
      """
      Usage: ip route { show | list } SELECTOR
             ip route get ADDRESS [ from ADDRESS ] [ oif STRING ]
      SELECTOR := [ root PREFIX ] [ match PREFIX ] [ exact PREFIX ] [ dev STRING ]
                  [ table TABLE_ID ] [ proto RTPROTO ] [ scope SCOPE ] [ via ADDRESS ]
      TABLE_ID := [ local | main | default | all | NUMBER ]\
      """;

  private IpRoute() {}

  /** A route and the table that it is in. */
  private record Entry(String type, String table, NamespaceView.Route route) {}

  private static final class Selector {
    String table = "main";
    @Nullable String device;
    @Nullable String protocol;
    @Nullable String scope;
    @Nullable Ipv4Address via;
    @Nullable Ipv4Prefix exact;
    @Nullable Ipv4Prefix root;
    @Nullable Ipv4Prefix match;

    private boolean accepts(Entry entry) {
      NamespaceView.Route route = entry.route;
      Ipv4Prefix wide = root;
      Ipv4Prefix narrow = match;
      return (table.equals("all") || entry.table.equals(table))
          && (device == null || route.device().equals(device))
          && (protocol == null || route.protocol().equals(protocol))
          && (scope == null || route.scope().equals(scope))
          && (via == null || via.equals(route.gateway()))
          && (exact == null || exact.equals(route.destination()))
          && (wide == null || within(route.destination(), wide))
          && (narrow == null || within(narrow, route.destination()));
    }

    private static boolean within(Ipv4Prefix inner, Ipv4Prefix outer) {
      return inner.length() >= outer.length() && outer.contains(inner.address());
    }
  }

  static int run(Ip.IpContext ip, Arguments words) {
    ip.requireOwnNamespace("route");
    if (!words.hasNext()) {
      return show(ip, new Selector());
    }
    String command = words.next();
    if (Arguments.matches(command, "help")) {
      throw new ToolError(Arguments.USAGE, USAGE);
    }
    if (command.equals("get")) {
      return get(ip, words);
    }
    if (Arguments.matches(command, "list")
        || Arguments.matches(command, "show")
        || command.equals("lst")) {
      return show(ip, select(words));
    }
    if (WRITES.contains(command)) {
      throw Arguments.readOnly("ip route " + command);
    }
    throw new ToolError(
        Arguments.USAGE, "Command \"" + command + "\" is unknown, try \"ip route help\".");
  }

  private static Selector select(Arguments words) {
    Selector selector = new Selector();
    while (words.hasNext()) {
      String word = words.next();
      switch (word) {
        case "table" -> selector.table = table(words.next());
        case "dev", "oif" -> selector.device = words.next();
        case "proto", "protocol" -> selector.protocol = words.next();
        case "scope" -> selector.scope = words.next();
        case "via" -> selector.via = address(words.next());
        case "root" -> selector.root = prefix(words.next());
        case "match" -> selector.match = prefix(words.next());
        case "exact", "to" -> selector.exact = prefix(words.next());
        case "type" -> words.next();
        default -> selector.exact = prefix(word);
      }
    }
    return selector;
  }

  private static String table(String name) {
    return switch (name) {
      case "main", "local", "default", "all" -> name;
      case "254" -> "main";
      case "255" -> "local";
      case "253" -> "default";
      default -> {
        if (!name.chars().allMatch(Character::isDigit)) {
          throw new ToolError(
              Arguments.USAGE,
              "Error: argument \"" + name + "\" is wrong: table id value is invalid\n");
        }
        yield name;
      }
    };
  }

  private static Ipv4Prefix prefix(String text) {
    if (text.equals("default")) {
      return new Ipv4Prefix(Ipv4Address.ANY, 0);
    }
    try {
      return text.contains("/")
          ? Ipv4Prefix.parse(text)
          : new Ipv4Prefix(Ipv4Address.parse(text), 32);
    } catch (IllegalArgumentException e) {
      throw new ToolError(1, "Error: any valid prefix is expected rather than \"" + text + "\".");
    }
  }

  private static Ipv4Address address(String text) {
    try {
      return Ipv4Address.parse(text);
    } catch (IllegalArgumentException e) {
      throw new ToolError(1, "Error: any valid prefix is expected rather than \"" + text + "\".");
    }
  }

  // ---- show

  private static int show(Ip.IpContext ip, Selector selector) {
    String device = selector.device;
    if (device != null && ip.devices().stream().noneMatch(d -> d.name().equals(device))) {
      throw Arguments.cannotFindDevice(device);
    }
    List<Entry> entries = entries(ip);
    if (!Set.of("main", "local", "default", "all").contains(selector.table)
        && entries.stream().noneMatch(e -> e.table.equals(selector.table))) {
      throw new ToolError(2, "Error: ipv4: FIB table does not exist.\nDump terminated");
    }
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (Entry entry : ip.options().inet6Only ? List.<Entry>of() : entries) {
      if (!selector.accepts(entry)) {
        continue;
      }
      if (ip.options().json) {
        json.add(toJson(entry, selector));
      } else {
        ip.output().line(format(ip, entry, selector));
      }
    }
    if (ip.options().json) {
      ip.printJson(json);
    }
    return 0;
  }

  /** What the kernel would hold, in the order of its trie: table, address, longest prefix first. */
  private static List<Entry> entries(Ip.IpContext ip) {
    NamespaceView namespace = ip.process().namespace();
    List<Entry> main = new ArrayList<>();
    for (NamespaceView.Route route : namespace.routes()) {
      main.add(new Entry("", "main", route));
    }
    List<Entry> local = new ArrayList<>();
    for (NamespaceView.Address address : namespace.addresses()) {
      local.addAll(localEntries(address));
    }
    Comparator<Entry> order =
        Comparator.<Entry, Ipv4Address>comparing(e -> e.route.destination().address())
            .thenComparingInt(e -> -e.route.destination().length());
    main.sort(order);
    local.sort(order);
    List<Entry> all = new ArrayList<>(proxyTables(ip));
    all.addAll(main);
    all.addAll(local);
    return all;
  }

  /** An address of the namespace is a local route, its subnet's last one a broadcast route. */
  private static List<Entry> localEntries(NamespaceView.Address address) {
    List<Entry> entries = new ArrayList<>();
    Ipv4Address own = address.address();
    boolean loopback = own.value() >>> 24 == 127;
    entries.add(local("local", new Ipv4Prefix(own, 32), address, "host"));
    if (address.prefixLength() < 31) {
      Ipv4Prefix subnet = new Ipv4Prefix(own, address.prefixLength());
      int last = subnet.address().value() | ~Ipv4Prefix.mask(subnet.length());
      if (loopback) {
        entries.add(local("local", subnet, address, "host"));
      }
      entries.add(local("broadcast", new Ipv4Prefix(new Ipv4Address(last), 32), address, "link"));
    }
    return entries;
  }

  private static Entry local(
      String type, Ipv4Prefix destination, NamespaceView.Address address, String scope) {
    return new Entry(
        type,
        "local",
        new NamespaceView.Route(
            destination, null, address.device(), address.address(), scope, "kernel"));
  }

  /** What Cilium's {@code bpf/init.sh} adds for traffic to and from its proxy. */
  private static List<Entry> proxyTables(Ip.IpContext ip) {
    DatapathConfig config = ip.kernel() == null ? null : ip.kernel().config();
    if (config == null) {
      return List.of();
    }
    Ipv4Prefix everything = new Ipv4Prefix(Ipv4Address.ANY, 0);
    Ipv4Address router = config.routerIp();
    return List.of(
        new Entry(
            "local", "2004", new NamespaceView.Route(everything, null, "lo", null, "host", "boot")),
        new Entry(
            "",
            "2005",
            new NamespaceView.Route(everything, router, "cilium_host", null, "global", "boot")),
        new Entry(
            "",
            "2005",
            new NamespaceView.Route(
                new Ipv4Prefix(router, 32), null, "cilium_host", null, "link", "boot")));
  }

  private static String destination(NamespaceView.Route route) {
    Ipv4Prefix prefix = route.destination();
    if (prefix.length() == 0) {
      return "default";
    }
    return prefix.length() == 32 ? prefix.address().toString() : prefix.toString();
  }

  private static String format(Ip.IpContext ip, Entry entry, Selector selector) {
    NamespaceView.Route route = entry.route;
    boolean details = ip.options().details;
    StringBuilder text = new StringBuilder();
    if (!entry.type.isEmpty()) {
      text.append(entry.type).append(' ');
    } else if (details) {
      text.append("unicast ");
    }
    text.append(destination(route)).append(' ');
    if (route.gateway() != null) {
      text.append("via ").append(route.gateway()).append(' ');
    }
    if (selector.device == null) {
      text.append("dev ").append(route.device()).append(' ');
    }
    if (selector.table.equals("all") && !entry.table.equals("main")) {
      text.append("table ").append(entry.table).append(' ');
    }
    if (selector.protocol == null && (details || !route.protocol().equals("boot"))) {
      text.append("proto ").append(route.protocol()).append(' ');
    }
    if (selector.scope == null && (details || !route.scope().equals("global"))) {
      text.append("scope ").append(route.scope()).append(' ');
    }
    if (route.source() != null) {
      text.append("src ").append(route.source()).append(' ');
    }
    return text.toString();
  }

  private static ObjectNode toJson(Entry entry, Selector selector) {
    NamespaceView.Route route = entry.route;
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (!entry.type.isEmpty()) {
      json.put("type", entry.type);
    }
    json.put("dst", destination(route));
    if (route.gateway() != null) {
      json.put("gateway", route.gateway().toString());
    }
    if (selector.device == null) {
      json.put("dev", route.device());
    }
    if (selector.table.equals("all") && !entry.table.equals("main")) {
      json.put("table", entry.table);
    }
    if (!route.protocol().equals("boot")) {
      json.put("protocol", route.protocol());
    }
    if (!route.scope().equals("global")) {
      json.put("scope", route.scope());
    }
    if (route.source() != null) {
      json.put("prefsrc", route.source().toString());
    }
    json.putArray("flags");
    return json;
  }

  // ---- get

  private static int get(Ip.IpContext ip, Arguments words) {
    Ipv4Address to = null;
    Ipv4Address from = null;
    while (words.hasNext()) {
      String word = words.next();
      switch (word) {
        case "from" -> from = address(words.next());
        case "oif", "iif", "dev" -> {
          String device = words.next();
          if (ip.devices().stream().noneMatch(d -> d.name().equals(device))) {
            throw Arguments.cannotFindDevice(device);
          }
        }
        case "mark", "uid", "tos", "ipproto", "sport", "dport" -> words.next();
        default -> to = address(word.equals("to") ? words.next() : word);
      }
    }
    if (to == null) {
      throw new ToolError(1, "need at least a destination address");
    }
    NamespaceView namespace = ip.process().namespace();
    Ipv4Address destination = to;
    boolean local =
        to.value() >>> 24 == 127
            || namespace.addresses().stream().anyMatch(a -> a.address().equals(destination));
    NamespaceView.Route route =
        local
            ? new NamespaceView.Route(new Ipv4Prefix(to, 32), null, "lo", to, "host", "kernel")
            : namespace.routeTo(to);
    if (route == null) {
      throw new ToolError(2, "RTNETLINK answers: Network is unreachable");
    }
    Ipv4Address source = from != null ? null : sourceOf(namespace, route);
    if (ip.options().json) {
      ip.printJson(getJson(local, to, from, route, source));
    } else {
      ip.printRecord(getText(ip, local, to, from, route, source));
    }
    return 0;
  }

  /** The route's own preferred source, else the first address of its device. */
  private static @Nullable Ipv4Address sourceOf(
      NamespaceView namespace, NamespaceView.Route route) {
    if (route.source() != null) {
      return route.source();
    }
    return namespace.addresses().stream()
        .filter(a -> a.device().equals(route.device()))
        .map(NamespaceView.Address::address)
        .findFirst()
        .orElse(null);
  }

  private static String getText(
      Ip.IpContext ip,
      boolean local,
      Ipv4Address to,
      @Nullable Ipv4Address from,
      NamespaceView.Route route,
      @Nullable Ipv4Address source) {
    StringBuilder text = new StringBuilder(local ? "local " : "").append(to);
    if (from != null) {
      text.append(" from ").append(from);
    }
    if (route.gateway() != null && !route.gateway().equals(to)) {
      text.append(" via ").append(route.gateway());
    }
    text.append(" dev ").append(route.device());
    if (source != null) {
      text.append(" src ").append(source);
    }
    // The images of pods have busybox's ip, which prints neither uid nor cache.
    if (ip.kernel() != null) {
      text.append(" uid 0 \n    cache ").append(local ? "<local> " : "");
    }
    return text.toString();
  }

  private static ArrayNode getJson(
      boolean local,
      Ipv4Address to,
      @Nullable Ipv4Address from,
      NamespaceView.Route route,
      @Nullable Ipv4Address source) {
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    ObjectNode entry = json.addObject();
    if (local) {
      entry.put("type", "local");
    }
    entry.put("dst", to.toString());
    if (from != null) {
      entry.put("from", from.toString());
    }
    if (route.gateway() != null && !route.gateway().equals(to)) {
      entry.put("gateway", route.gateway().toString());
    }
    entry.put("dev", route.device());
    if (source != null) {
      entry.put("prefsrc", source.toString());
    }
    entry.putArray("flags");
    entry.put("uid", 0);
    ArrayNode cache = entry.putArray("cache");
    if (local) {
      cache.add("local");
    }
    return json;
  }
}
