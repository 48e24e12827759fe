package dev.paramecium.deploy.walk;

import dev.paramecium.syscall.Observation;
import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Optional;

/**
 * Tells a walk to a person: for each step the place, the hook, what ran, what was looked up, what
 * was decided.
 */
public final class WalkPrinter {

  private static final String BOLD = "\u001b[1m";
  private static final String DIM = "\u001b[2m";
  private static final String RED = "\u001b[31m";
  private static final String PLAIN = "\u001b[0m";

  private final PrintStream out;
  private final boolean colours;

  public WalkPrinter(PrintStream out, boolean colours) {
    this.out = out;
    this.colours = colours;
  }

  /** Colours only on a terminal, and not when NO_COLOR is set (no-color.org). */
  public static boolean coloursWanted() {
    String noColour = System.getenv("NO_COLOR");
    return Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()
        && (noColour == null || noColour.isEmpty());
  }

  /**
   * Prints every step.
   *
   * @param title such as {@code The request}
   */
  public void print(String title, Walk walk) {
    Observation.PacketSummary packet = walk.steps().getFirst().packet();
    out.println();
    out.println(
        bold(title)
            + "  "
            + endpoint(packet.source(), packet.sourcePort())
            + " -> "
            + endpoint(packet.destination(), packet.destinationPort())
            + "  "
            + packet.protocol()
            + (packet.flags().isEmpty() ? "" : " [" + packet.flags() + "]")
            + (packet.icmp().isEmpty() ? "" : " " + packet.icmp())
            + (packet.length() == 0 ? "" : ", " + packet.length() + " bytes"));
    for (Observation observation : walk.steps()) {
      print(observation);
    }
  }

  private void print(Observation step) {
    String number = step.step() == 0 ? "·" : Integer.toString(step.step());
    StringBuilder head = new StringBuilder();
    head.append(String.format(Locale.ROOT, "%3s  %-12s", number, step.node()));
    if (!step.device().isEmpty()) {
      head.append(' ').append(step.device()).append('(').append(step.ifindex()).append(')');
    }
    head.append("  ").append(step.hook());
    if (!step.program().isEmpty()) {
      head.append("  ").append(step.program());
      if (step.programId() > 0) {
        head.append(" id ").append(step.programId());
      }
    }
    out.println(bold(head.toString()));
    if (!step.functions().isEmpty()) {
      detail("runs", String.join(" → ", step.functions()));
    }
    for (Observation.Lookup lookup : step.lookups()) {
      detail(
          lookup.map(),
          lookup.key() + "  →  " + (lookup.value().isEmpty() ? "(no entry)" : lookup.value()));
    }
    Observation.PacketSummary packet = step.packet();
    if (packet.sourceMac().isEmpty()) {
      detail(
          "socket",
          endpoint(packet.source(), packet.sourcePort())
              + " > "
              + endpoint(packet.destination(), packet.destinationPort())
              + (packet.length() == 0 ? "" : ", " + packet.length() + " bytes"));
    } else {
      detail(
          "frame",
          packet.sourceMac()
              + " > "
              + packet.destinationMac()
              + ", ttl "
              + packet.ttl()
              + (step.vni() >= 0 ? ", VNI " + step.vni() : ""));
    }
    if (!step.rule().isEmpty()) {
      detail("decided by", step.rule());
    }
    if (!step.verdict().isEmpty()) {
      detail(
          "verdict",
          step.reason().isEmpty() ? step.verdict() : red(step.verdict() + ": " + step.reason()));
    }
  }

  private void detail(String name, String text) {
    String label = String.format(Locale.ROOT, "%-24s", name);
    out.println("       " + (colours ? DIM + label + PLAIN : label) + " " + text);
  }

  private String bold(String text) {
    return colours ? BOLD + text + PLAIN : text;
  }

  private String red(String text) {
    return colours ? RED + text + PLAIN : text;
  }

  private static String endpoint(String address, int port) {
    return port == 0 ? address : address + ":" + port;
  }
}
