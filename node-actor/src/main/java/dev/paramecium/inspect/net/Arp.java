package dev.paramecium.inspect.net;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.inspect.Tool;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.inspect.ToolOutput;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code arp}: net-tools 2.10 on a node, busybox in a pod, whose only form is the BSD one. */
public final class Arp implements Tool {

  private static final String USAGE =
      """
      Usage:
        arp [-vn]  [<HW>] [-i <if>] [-a] [<hostname>]             <-Display ARP cache

              -a                       display (all) hosts in alternative (BSD) style
              -e                       display (all) hosts in default (Linux) style
              -v, --verbose            be verbose
              -n, --numeric            don't resolve names
              -i, --device             specify network interface (e.g. eth0)\
      """;

  private final boolean busybox;

  private Arp(boolean busybox) {
    this.busybox = busybox;
  }

  /** The node's {@code arp}. */
  public static Executable onNode() {
    return Tool.executable(new Arp(false));
  }

  /** A pod's {@code arp}. */
  public static Executable inPod() {
    return Tool.executable(new Arp(true));
  }

  @Override
  public int run(List<String> arguments, ProcessContext process, ToolOutput output) {
    boolean bsd = busybox;
    boolean verbose = false;
    @Nullable String device = null;
    @Nullable String host = null;
    for (int i = 0; i < arguments.size(); i++) {
      String word = arguments.get(i);
      switch (word) {
        case "--numeric" -> {}
        case "--verbose" -> verbose = true;
        case "--help" -> throw new ToolError(0, USAGE);
        case "-V", "--version" -> {
          output.line("net-tools 2.10");
          return 0;
        }
        case "-i", "--device", "-H", "-A", "-p", "-t" -> {
          if (i + 1 == arguments.size()) {
            throw new ToolError(
                1, "arp: option requires an argument -- '" + word.substring(1) + "'\n" + USAGE);
          }
          i++;
          if (word.equals("-i") || word.equals("--device")) {
            device = arguments.get(i);
          }
        }
        case "-s", "-d", "-f", "-Ds", "--set", "--delete", "--file" ->
            throw Arguments.readOnly("arp " + word);
        default -> {
          if (!word.startsWith("-") || word.length() == 1) {
            host = word;
          } else {
            for (int at = 1; at < word.length(); at++) {
              char flag = word.charAt(at);
              switch (flag) {
                case 'n', 'D' -> {}
                case 'a' -> bsd = true;
                case 'e' -> bsd = busybox;
                case 'v' -> verbose = true;
                case 'h' -> throw new ToolError(0, USAGE);
                default ->
                    throw new ToolError(1, "arp: invalid option -- '" + flag + "'\n" + USAGE);
              }
            }
          }
        }
      }
    }
    return show(process.namespace(), output, bsd, verbose, device, host);
  }

  private int show(
      NamespaceView namespace,
      ToolOutput output,
      boolean bsd,
      boolean verbose,
      @Nullable String device,
      @Nullable String host) {
    Ipv4Address address = host == null ? null : parse(host);
    List<NamespaceView.Neighbour> all = namespace.neighbours();
    List<NamespaceView.Neighbour> found =
        all.stream()
            .filter(n -> device == null || n.device().equals(device))
            .filter(n -> address == null || n.address().equals(address))
            .toList();
    if (!bsd && !found.isEmpty()) {
      output.line(
          "Address                  HWtype  HWaddress           Flags Mask            Iface");
    }
    for (NamespaceView.Neighbour neighbour : found) {
      output.line(bsd ? bsdLine(neighbour) : linuxLine(neighbour));
    }
    if (verbose) {
      output.line(
          "Entries: "
              + all.size()
              + "\tSkipped: "
              + (all.size() - found.size())
              + "\tFound: "
              + found.size());
    }
    if (found.isEmpty() && !busybox) {
      if (host != null && !bsd) {
        output.line(host + " (" + host + ") -- no entry");
      } else if (!all.isEmpty() || bsd) {
        output.line("arp: in " + all.size() + " entries no match found.");
      }
    }
    return 0;
  }

  private static Ipv4Address parse(String host) {
    try {
      return Ipv4Address.parse(host);
    } catch (IllegalArgumentException e) {
      throw new ToolError(255, host + ": Unknown host");
    }
  }

  private static String bsdLine(NamespaceView.Neighbour neighbour) {
    return "? ("
        + neighbour.address()
        + ") at "
        + (neighbour.mac() == null ? "<incomplete>" : neighbour.mac() + " [ether]")
        + (neighbour.state().equals("PERMANENT") ? " PERM" : "")
        + " on "
        + neighbour.device();
  }

  private static String linuxLine(NamespaceView.Neighbour neighbour) {
    String address = pad(neighbour.address().toString(), 23) + "  ";
    String hardware =
        neighbour.mac() == null
            ? pad("", 8) + pad("(incomplete)", 20)
            : pad("ether", 8) + pad(neighbour.mac().toString(), 20);
    String flags =
        neighbour.mac() == null ? "" : neighbour.state().equals("PERMANENT") ? "CM" : "C";
    return address + hardware + pad(flags, 6) + pad("", 15) + " " + neighbour.device();
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }
}
