package dev.paramecium.deploy.cluster;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** What this machine is called, and which of its addresses others reach it at. */
public final class OwnAddress {

  private static final Duration RETRY = Duration.ofSeconds(2);

  private OwnAddress() {}

  /** The machine's name as a kubelet would take it: lower-case. */
  public static String hostname() {
    try {
      return InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT);
    } catch (UnknownHostException e) {
      throw new UserError(
          UserError.USAGE,
          "this machine's name cannot be found (" + e.getMessage() + "): give --name.");
    }
  }

  /**
   * An address of this machine, given as it is or as a name that stands for it.
   *
   * @param option the command line's word, for the error
   */
  public static Ipv4Address named(String option, String name) {
    try {
      for (InetAddress address : InetAddress.getAllByName(name)) {
        if (address instanceof Inet4Address && NetworkInterface.getByInetAddress(address) != null) {
          return Ipv4Address.parse(address.getHostAddress());
        }
      }
    } catch (UnknownHostException | SocketException e) {
      throw new UserError(
          UserError.USAGE,
          option
              + " is \""
              + name
              + "\", which has no address here ("
              + e.getMessage()
              + "): give an IPv4 address of this machine, or a name for it.");
    }
    throw new UserError(
        UserError.USAGE,
        option
            + " is \""
            + name
            + "\", which is no address of this machine: give one that 'ip -4 addr' shows.");
  }

  /**
   * The source address of the route to a control plane. Waits until one of the names is known and
   * there is a route.
   *
   * @param targets host:port
   * @param progress told what is waited for
   */
  public static Ipv4Address towards(List<String> targets, Consumer<String> progress) {
    while (true) {
      Joining.Found found = Joining.lookUp(targets);
      for (String link : found.addresses()) {
        int colon = link.lastIndexOf(':');
        try (DatagramSocket socket = new DatagramSocket()) {
          // Connecting sends nothing: the kernel looks the route up.
          socket.connect(
              new InetSocketAddress(
                  InetAddress.ofLiteral(link.substring(0, colon)),
                  Integer.parseInt(link.substring(colon + 1))));
          return Ipv4Address.parse(socket.getLocalAddress().getHostAddress());
        } catch (IOException | UncheckedIOException e) {
          progress.accept("no route to " + link + " yet: " + e.getMessage());
        }
      }
      if (!found.unknown().isEmpty()) {
        progress.accept("no IPv4 address is known yet for " + String.join(", ", found.unknown()));
      }
      try {
        Thread.sleep(RETRY);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new UserError(UserError.FAILED, "interrupted while looking for --ip's default.");
      }
    }
  }
}
