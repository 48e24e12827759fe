package dev.paramecium.inspect.net;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.inspect.ToolError;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code ip neighbour} ({@code ip/ipneigh.c}). */
final class IpNeighbour {

  private static final String USAGE =
      """
      Usage: ip neigh show [ to PREFIX ] [ dev DEV ] [ nud STATE ]
             ip neigh get ADDR dev DEV

      STATE := { delay | failed | incomplete | permanent | probe | reachable | stale | all }\
      """;

  private IpNeighbour() {}

  static int run(Ip.IpContext ip, Arguments words) {
    ip.requireOwnNamespace("neigh");
    String command = words.hasNext() ? words.next() : "show";
    if (command.equals("help")) {
      throw new ToolError(Arguments.USAGE, USAGE);
    }
    boolean get = command.equals("get");
    if (Set.of("add", "del", "delete", "change", "replace", "flush").contains(command)) {
      throw Arguments.readOnly("ip neigh " + command);
    }
    if (!get && !Arguments.matches(command, "show") && !Arguments.matches(command, "list")) {
      throw new ToolError(
          Arguments.USAGE, "Command \"" + command + "\" is unknown, try \"ip neigh help\".");
    }
    @Nullable String device = null;
    @Nullable String state = null;
    @Nullable Ipv4Prefix to = null;
    while (words.hasNext()) {
      String word = words.next();
      switch (word) {
        case "dev" -> device = words.next();
        case "nud" -> state = words.next().toUpperCase(Locale.ROOT);
        case "to" -> to = prefix(words.next());
        case "proxy", "nomaster", "unused" -> {}
        default -> to = prefix(word);
      }
    }
    String name = device;
    if (name != null && ip.devices().stream().noneMatch(d -> d.name().equals(name))) {
      throw Arguments.cannotFindDevice(name);
    }
    return show(ip, device, state, to, get);
  }

  private static Ipv4Prefix prefix(String text) {
    try {
      return Ipv4Prefix.parse(text.contains("/") ? text : text + "/32");
    } catch (IllegalArgumentException e) {
      throw new ToolError(1, "Error: any valid prefix is expected rather than \"" + text + "\".");
    }
  }

  private static int show(
      Ip.IpContext ip,
      @Nullable String device,
      @Nullable String state,
      @Nullable Ipv4Prefix to,
      boolean get) {
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    int found = 0;
    for (NamespaceView.Neighbour neighbour : ip.process().namespace().neighbours()) {
      boolean wanted =
          (device == null || neighbour.device().equals(device))
              && (state == null || state.equals("ALL") || neighbour.state().equals(state))
              && (to == null || to.contains(neighbour.address()))
              && !ip.options().inet6Only;
      if (!wanted) {
        continue;
      }
      found++;
      if (ip.options().json) {
        ObjectNode entry = json.addObject().put("dst", neighbour.address().toString());
        if (device == null || get) {
          entry.put("dev", neighbour.device());
        }
        if (neighbour.mac() != null) {
          entry.put("lladdr", neighbour.mac().toString());
        }
        entry.putArray("state").add(neighbour.state());
      } else {
        ip.output()
            .line(
                neighbour.address()
                    + (device == null || get ? " dev " + neighbour.device() : "")
                    + (neighbour.mac() == null ? "" : " lladdr " + neighbour.mac())
                    + " "
                    + neighbour.state()
                    + " ");
      }
    }
    if (get && found == 0) {
      throw new ToolError(2, "RTNETLINK answers: No such file or directory");
    }
    if (ip.options().json) {
      ip.printJson(json);
    }
    return 0;
  }
}
