package dev.paramecium.world;

import dev.paramecium.abi.Ipv4Address;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One host outside the cluster.
 *
 * @param name a DNS name, {@value #GATEWAY} excepted
 * @param address its only one
 * @param listeners what it serves; none for a host that is a client only
 */
public record HostSpec(String name, Ipv4Address address, List<Listener> listeners) {

  /** The name that the router to the hosts goes by. */
  public static final String GATEWAY = "gateway";

  private static final int MAX_NAME = 253;
  private static final String LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

  /** What answers on a port. */
  public enum Program {
    /** An HTTP server as kennethreitz/httpbin; over TCP alone. */
    HTTPBIN,
    /** RFC 862: everything comes back. */
    ECHO;

    static Program parse(String text) {
      for (Program program : values()) {
        if (program.toString().equals(text)) {
          return program;
        }
      }
      throw new IllegalArgumentException(
          "program \""
              + text
              + "\" is not known: use "
              + Arrays.stream(values()).map(Program::toString).collect(Collectors.joining(" or ")));
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A port and what answers there.
   *
   * @param port 1 to 65535
   * @param protocol {@code tcp} or {@code udp}
   */
  public record Listener(int port, String protocol, Program program) {

    public Listener {
      if (port < 1 || port > 65535) {
        throw new IllegalArgumentException("port " + port + " is out of range: 1 to 65535");
      }
      if (!protocol.equals("tcp") && !protocol.equals("udp")) {
        throw new IllegalArgumentException(
            "protocol \"" + protocol + "\" of port " + port + " must be tcp or udp");
      }
      if (program == Program.HTTPBIN && protocol.equals("udp")) {
        throw new IllegalArgumentException(
            "port " + port + "/udp cannot be httpbin, which serves TCP: use echo");
      }
    }

    /**
     * Reads {@code 80} or {@code 53/udp}, and a program's name.
     *
     * @throws IllegalArgumentException naming the value and what is allowed
     */
    public static Listener parse(String where, String program) {
      String[] parts = where.split("/", -1);
      if (parts.length > 2 || !parts[0].matches("[0-9]{1,5}")) {
        throw new IllegalArgumentException(
            "port \"" + where + "\" must be a number, or a number and a protocol as in 53/udp");
      }
      return new Listener(
          Integer.parseInt(parts[0]), parts.length == 1 ? "tcp" : parts[1], Program.parse(program));
    }

    /** As {@code 80/tcp}. */
    String where() {
      return port + "/" + protocol;
    }
  }

  public HostSpec {
    listeners = List.copyOf(listeners);
    if (name.length() > MAX_NAME || !name.matches(LABEL + "(\\." + LABEL + ")*")) {
      throw new IllegalArgumentException(
          "host name \""
              + name
              + "\" must have lower-case letters, digits, '-' and '.', as example.com");
    }
    if (name.equals(GATEWAY)) {
      throw new IllegalArgumentException(
          "host name \"" + name + "\" is the router's own: use another");
    }
    Set<String> taken = new HashSet<>();
    for (Listener listener : listeners) {
      if (!taken.add(listener.where())) {
        throw new IllegalArgumentException(
            "port " + listener.where() + " is there twice: give each port one program");
      }
    }
  }

  /**
   * Reads what {@link #toString} writes.
   *
   * @throws IllegalArgumentException naming the value and what is allowed
   */
  public static HostSpec parse(String text) {
    int equals = text.indexOf('=');
    if (equals < 0) {
      throw new IllegalArgumentException(
          "\"" + text + "\" must be NAME=ADDRESS[,PORT[/PROTOCOL]:PROGRAM…]");
    }
    String[] parts = text.substring(equals + 1).split(",", -1);
    List<Listener> listeners = new ArrayList<>();
    for (String listener : List.of(parts).subList(1, parts.length)) {
      int colon = listener.indexOf(':');
      if (colon < 0) {
        throw new IllegalArgumentException(
            "listener \"" + listener + "\" must be PORT[/PROTOCOL]:PROGRAM, as 80:httpbin");
      }
      listeners.add(Listener.parse(listener.substring(0, colon), listener.substring(colon + 1)));
    }
    return new HostSpec(text.substring(0, equals), Ipv4Address.parse(parts[0]), listeners);
  }

  /** As {@code example.com=203.0.113.10,80/tcp:httpbin}: how a command line has it. */
  @Override
  public String toString() {
    return name
        + "="
        + address
        + listeners.stream()
            .map(listener -> "," + listener.where() + ":" + listener.program())
            .collect(Collectors.joining());
  }
}
