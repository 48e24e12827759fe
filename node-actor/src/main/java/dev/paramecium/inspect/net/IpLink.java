package dev.paramecium.inspect.net;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.syscall.LinkInfo;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code ip link} and {@code ip address} ({@code ip/ipaddress.c}). */
final class IpLink {

  private static final Set<String> WRITES =
      Set.of("add", "a", "set", "s", "delete", "del", "change", "replace", "flush", "property");

  private static final String LINK_USAGE =
      """
      Usage: ip link show [ DEVICE | group GROUP ] [up] [master DEV] [type TYPE] [nomaster]

             ip link help

      TYPE := { veth | vxlan }\
      """;

  private static final String ADDRESS_USAGE =
      """
      Usage: ip address [ show [ dev IFNAME ] [ scope SCOPE-ID ] [ to PREFIX ]
                               [ master DEVICE ] [ nomaster ] [ type TYPE ] [up] ]
      SCOPE-ID := [ host | link | global ]\
      """;

  private IpLink() {}

  /** Which devices are asked for; null and empty mean any. */
  private static final class Selector {
    @Nullable String device;
    @Nullable String type;
    @Nullable String master;
    @Nullable String scope;
    @Nullable Ipv4Prefix to;
    boolean up;
    boolean noMaster;

    private boolean accepts(Device candidate) {
      return (device == null || candidate.name().equals(device))
          && (type == null || candidate.kind().equals(type))
          && (master == null || candidate.link().master().equals(master))
          && !(noMaster && !candidate.link().master().isEmpty())
          && !(up && !candidate.link().up());
    }
  }

  static int links(Ip.IpContext ip, Arguments words) {
    Selector selector = new Selector();
    if (words.hasNext()) {
      String command = words.next();
      if (command.equals("help")) {
        throw new ToolError(Arguments.USAGE, LINK_USAGE);
      }
      if (!isShow(command)) {
        throw refuse("link", command, words);
      }
      select(selector, words);
    }
    return show(ip, selector, false);
  }

  static int addresses(Ip.IpContext ip, Arguments words) {
    ip.requireOwnNamespace("address");
    Selector selector = new Selector();
    if (words.hasNext()) {
      String command = words.next();
      if (command.equals("help")) {
        throw new ToolError(Arguments.USAGE, ADDRESS_USAGE);
      }
      if (!isShow(command)) {
        throw refuse("address", command, words);
      }
      select(selector, words);
    }
    return show(ip, selector, true);
  }

  private static boolean isShow(String command) {
    return Arguments.matches(command, "show")
        || Arguments.matches(command, "list")
        || command.equals("lst");
  }

  private static ToolError refuse(String object, String command, Arguments words) {
    if (WRITES.contains(command)) {
      while (words.hasNext()) {
        String word = words.next();
        if (word.equals("help")) {
          return new ToolError(Arguments.USAGE, object.equals("link") ? LINK_USAGE : ADDRESS_USAGE);
        }
      }
      return Arguments.readOnly("ip " + object + " " + command);
    }
    return new ToolError(
        Arguments.USAGE, "Command \"" + command + "\" is unknown, try \"ip " + object + " help\".");
  }

  private static void select(Selector selector, Arguments words) {
    while (words.hasNext()) {
      String word = words.next();
      switch (word) {
        case "up" -> selector.up = true;
        case "nomaster" -> selector.noMaster = true;
        case "type" -> selector.type = words.next();
        case "master" -> selector.master = words.next();
        case "scope" -> selector.scope = words.next();
        case "to" -> selector.to = prefix(words.next());
        case "group" -> {
          String group = words.next();
          if (!group.equals("default") && !group.equals("0")) {
            throw new ToolError(
                Arguments.USAGE, "Error: argument \"" + group + "\" is wrong: Invalid group");
          }
        }
        default -> {
          String name = word.equals("dev") ? words.next() : word;
          if (selector.device != null) {
            throw Arguments.duplicate("dev", name);
          }
          selector.device = name;
        }
      }
    }
  }

  private static Ipv4Prefix prefix(String text) {
    try {
      return Ipv4Prefix.parse(text.contains("/") ? text : text + "/32");
    } catch (IllegalArgumentException e) {
      throw new ToolError(1, "Error: any valid prefix is expected rather than \"" + text + "\".");
    }
  }

  private static int show(Ip.IpContext ip, Selector selector, boolean withAddresses) {
    List<Device> all = ip.devices();
    String name = selector.device;
    if (name != null && all.stream().noneMatch(d -> d.name().equals(name))) {
      throw Arguments.noSuchDevice(name);
    }
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (Device device : all) {
      if (!selector.accepts(device)) {
        continue;
      }
      List<NamespaceView.Address> addresses =
          withAddresses ? addressesOf(ip, device, selector) : List.of();
      boolean filtered = ip.options().inetOnly || selector.scope != null || selector.to != null;
      if (withAddresses && (ip.options().inet6Only || (filtered && addresses.isEmpty()))) {
        continue;
      }
      if (ip.options().json) {
        json.add(toJson(ip, device, addresses, withAddresses));
      } else if (ip.options().brief) {
        ip.output().line(brief(device, addresses, withAddresses));
      } else {
        print(ip, device, addresses, withAddresses);
      }
    }
    if (ip.options().json) {
      ip.printJson(json);
    }
    return 0;
  }

  private static List<NamespaceView.Address> addressesOf(
      Ip.IpContext ip, Device device, Selector selector) {
    Ipv4Prefix to = selector.to;
    if (ip.options().linkOnly) {
      return List.of();
    }
    return ip.process().namespace().addresses().stream()
        .filter(a -> a.device().equals(device.name()))
        .filter(a -> selector.scope == null || a.scope().equals(selector.scope))
        .filter(a -> to == null || to.contains(a.address()))
        .toList();
  }

  private static void print(
      Ip.IpContext ip,
      Device device,
      List<NamespaceView.Address> addresses,
      boolean withAddresses) {
    if (withAddresses && ip.options().oneLine) {
      for (NamespaceView.Address address : addresses) {
        ip.printRecord(
            device.info().ifindex() + ": " + device.name() + addressText(device, address));
      }
      return;
    }
    StringBuilder text = new StringBuilder(head(ip, device, !withAddresses));
    KernelView.Attachment xdp = xdp(ip, device);
    if (xdp != null && (!withAddresses || ip.options().details)) {
      text.append(xdpProgram(ip, xdp));
    }
    if (ip.options().statistics) {
      text.append('\n').append(statistics(device.link().counters()));
    }
    for (NamespaceView.Address address : addresses) {
      text.append('\n').append(addressText(device, address));
    }
    ip.printRecord(text.toString());
  }

  private static String head(Ip.IpContext ip, Device device, boolean withMode) {
    StringBuilder text = new StringBuilder();
    text.append(device.info().ifindex()).append(": ").append(device.displayName());
    text.append(": <").append(String.join(",", device.flags())).append("> mtu ");
    text.append(device.info().mtu())
        .append(xdpMode(ip, device, withMode))
        .append(" qdisc ")
        .append(device.link().qdisc());
    if (!device.link().master().isEmpty()) {
      text.append(" master ").append(device.link().master());
    }
    text.append(" state ").append(device.operState());
    text.append(withMode ? " mode DEFAULT" : "").append(" group default qlen 1000\n    link/");
    text.append(device.linkType()).append(' ').append(device.info().mac());
    text.append(" brd ").append(device.broadcast());
    if (!device.peerNetns().isEmpty()) {
      text.append(" link-netns ").append(device.peerNetns());
    } else if (device.peerElsewhere() && (ip.kernel() != null || ip.options().details)) {
      text.append(" link-netnsid ").append(device.peerNetnsId());
    }
    if (ip.options().details) {
      boolean loopback = device.info().kind() == LinkInfo.Kind.LOOPBACK;
      text.append(" promiscuity 0  allmulti 0 minmtu ").append(loopback ? 0 : 68);
      text.append(" maxmtu ").append(loopback ? 0 : 65535).append(' ');
      switch (device.info().kind()) {
        case VETH -> text.append("\n    veth ");
        case VXLAN ->
            text.append(
                "\n    vxlan external id 0 srcport 0 0 dstport 8472 nolearning ttl auto ageing 300"
                    + " udpcsum noudp6zerocsumtx noudp6zerocsumrx ");
        case LOOPBACK, ETHERNET -> {}
      }
      int queues = device.info().kind() == LinkInfo.Kind.VETH ? 2 : 1;
      text.append("addrgenmode eui64 numtxqueues ").append(queues);
      text.append(" numrxqueues ").append(queues);
      text.append(" gso_max_size 65536 gso_max_segs 65535 tso_max_size ").append(tsoMax(device));
      text.append(" tso_max_segs 65535 gro_max_size 65536 ");
    }
    return text.toString();
  }

  private static KernelView.@Nullable Attachment xdp(Ip.IpContext ip, Device device) {
    KernelView kernel = ip.kernel();
    if (kernel == null) {
      return null;
    }
    for (KernelView.Attachment attachment : kernel.attachments()) {
      if (attachment.point().isXdp() && attachment.ifindex() == device.info().ifindex()) {
        return attachment;
      }
    }
    return null;
  }

  /** {@code xdp_dump}: behind the MTU, with the program's id where no line of its own follows. */
  private static String xdpMode(Ip.IpContext ip, Device device, boolean ownLine) {
    KernelView.Attachment xdp = xdp(ip, device);
    if (xdp == null) {
      return "";
    }
    return (xdp.point() == KernelView.AttachPoint.XDP ? " xdp" : " xdpgeneric")
        + (ownLine ? "" : "/id:" + xdp.programId());
  }

  private static String xdpProgram(Ip.IpContext ip, KernelView.Attachment xdp) {
    StringBuilder text = new StringBuilder("\n    prog/xdp id ").append(xdp.programId());
    KernelView kernel = Objects.requireNonNull(ip.kernel());
    for (KernelView.ProgramInfo program : kernel.programs()) {
      if (program.id() == xdp.programId()) {
        text.append(String.format(Locale.ROOT, " tag %016x jited ", program.tag()));
      }
    }
    return text.toString();
  }

  private static int tsoMax(Device device) {
    return switch (device.info().kind()) {
      case LOOPBACK, VETH -> 524280;
      case ETHERNET, VXLAN -> 65536;
    };
  }

  /** Two tables of six columns; a column is as wide as its widest number. */
  private static String statistics(KernelView.Counters c) {
    String[][] rows = {
      {"bytes", "packets", "errors", "dropped", "missed", "mcast"},
      numbers(c.rxBytes(), c.rxPackets(), c.rxErrors(), c.rxDropped()),
      {"bytes", "packets", "errors", "dropped", "carrier", "collsns"},
      numbers(c.txBytes(), c.txPackets(), c.txErrors(), c.txDropped())
    };
    int[] widths = {10, 7, 6, 7, 7, 7};
    for (int i = 1; i < rows.length; i += 2) {
      for (int column = 0; column < widths.length; column++) {
        widths[column] = Math.max(widths[column], rows[i][column].length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < rows.length; i++) {
      boolean header = i % 2 == 0;
      text.append(i == 0 ? "" : "\n").append(header ? (i == 0 ? "    RX: " : "    TX: ") : "    ");
      for (int column = 0; column < widths.length; column++) {
        int width = widths[column] - (header && column == 0 ? 4 : 0);
        text.repeat(' ', width - rows[i][column].length()).append(rows[i][column]).append(' ');
      }
      text.repeat(' ', header ? 10 : 0);
    }
    return text.toString();
  }

  private static String[] numbers(long bytes, long packets, long errors, long dropped) {
    return new String[] {
      Long.toString(bytes),
      Long.toString(packets),
      Long.toString(errors),
      Long.toString(dropped),
      "0",
      "0"
    };
  }

  private static String addressText(Device device, NamespaceView.Address address) {
    String broadcast = broadcast(device, address);
    return "    inet "
        + address.address()
        + "/"
        + address.prefixLength()
        + (broadcast.isEmpty() ? "" : " brd " + broadcast)
        + " scope "
        + address.scope()
        + " "
        + device.name()
        + "\n       valid_lft forever preferred_lft forever";
  }

  /** The subnet's broadcast address, which only the underlay's device has one configured of. */
  private static String broadcast(Device device, NamespaceView.Address address) {
    if (device.info().kind() != LinkInfo.Kind.ETHERNET || address.prefixLength() > 30) {
      return "";
    }
    int host = ~Ipv4Prefix.mask(address.prefixLength());
    return Ipv4Address.format(address.address().value() | host);
  }

  private static String brief(
      Device device, List<NamespaceView.Address> addresses, boolean withAddresses) {
    StringBuilder text = new StringBuilder();
    text.append(pad(device.displayName(), 16)).append(' ').append(pad(device.operState(), 14));
    text.append(' ');
    if (withAddresses) {
      for (NamespaceView.Address address : addresses) {
        text.append(address.address()).append('/').append(address.prefixLength()).append(' ');
      }
    } else {
      text.append(device.info().mac()).append(" <").append(String.join(",", device.flags()));
      text.append("> ");
    }
    return text.toString();
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static ObjectNode toJson(
      Ip.IpContext ip,
      Device device,
      List<NamespaceView.Address> addresses,
      boolean withAddresses) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("ifindex", device.info().ifindex());
    if (device.peerElsewhere()) {
      json.put("link_index", device.info().peerIfindex());
    } else if (!device.peer().isEmpty()) {
      json.put("link", device.peer());
    }
    json.put("ifname", device.name());
    device.flags().forEach(json.putArray("flags")::add);
    json.put("mtu", device.info().mtu());
    KernelView.Attachment xdp = xdp(ip, device);
    if (xdp != null) {
      json.putObject("xdp")
          .put("mode", xdp.point() == KernelView.AttachPoint.XDP ? 1 : 2)
          .putObject("prog")
          .put("id", xdp.programId());
    }
    json.put("qdisc", device.link().qdisc());
    if (!device.link().master().isEmpty()) {
      json.put("master", device.link().master());
    }
    json.put("operstate", device.operState());
    if (!withAddresses) {
      json.put("linkmode", "DEFAULT");
    }
    json.put("group", "default");
    json.put("txqlen", 1000);
    json.put("link_type", device.linkType());
    json.put("address", device.info().mac().toString());
    json.put("broadcast", device.broadcast());
    if (device.peerElsewhere()) {
      json.put("link_netnsid", device.peerNetnsId());
    }
    if (ip.options().details) {
      details(json, device);
    }
    if (ip.options().statistics) {
      KernelView.Counters c = device.link().counters();
      ObjectNode stats = json.putObject("stats64");
      stats
          .putObject("rx")
          .put("bytes", c.rxBytes())
          .put("packets", c.rxPackets())
          .put("errors", c.rxErrors())
          .put("dropped", c.rxDropped())
          .put("over_errors", 0)
          .put("multicast", 0);
      stats
          .putObject("tx")
          .put("bytes", c.txBytes())
          .put("packets", c.txPackets())
          .put("errors", c.txErrors())
          .put("dropped", c.txDropped())
          .put("carrier_errors", 0)
          .put("collisions", 0);
    }
    if (withAddresses) {
      ArrayNode list = json.putArray("addr_info");
      for (NamespaceView.Address address : addresses) {
        ObjectNode entry = list.addObject();
        entry.put("family", "inet").put("local", address.address().toString());
        entry.put("prefixlen", address.prefixLength());
        String broadcast = broadcast(device, address);
        if (!broadcast.isEmpty()) {
          entry.put("broadcast", broadcast);
        }
        entry.put("scope", address.scope()).put("label", device.name());
        entry.put("valid_life_time", 4294967295L).put("preferred_life_time", 4294967295L);
      }
    }
    return json;
  }

  private static void details(ObjectNode json, Device device) {
    boolean loopback = device.info().kind() == LinkInfo.Kind.LOOPBACK;
    json.put("promiscuity", 0).put("allmulti", 0);
    json.put("min_mtu", loopback ? 0 : 68).put("max_mtu", loopback ? 0 : 65535);
    switch (device.info().kind()) {
      case VETH -> json.putObject("linkinfo").put("info_kind", "veth");
      case VXLAN -> {
        ObjectNode info = json.putObject("linkinfo").put("info_kind", "vxlan");
        ObjectNode data = info.putObject("info_data").put("external", true).put("id", 0);
        data.putObject("port_range").put("low", 0).put("high", 0);
        data.put("port", 8472).put("learning", false).put("ttl", 0).put("df", "unset");
        data.put("ageing", 300).put("udp_csum", true).put("udp_zero_csum6_tx", false);
        data.put("udp_zero_csum6_rx", false);
      }
      case LOOPBACK, ETHERNET -> {}
    }
    int queues = device.info().kind() == LinkInfo.Kind.VETH ? 2 : 1;
    json.put("inet6_addr_gen_mode", "eui64");
    json.put("num_tx_queues", queues).put("num_rx_queues", queues).put("gso_max_size", 65536);
    json.put("gso_max_segs", 65535).put("tso_max_size", tsoMax(device));
    json.put("tso_max_segs", 65535).put("gro_max_size", 65536);
  }
}
