package dev.paramecium.deploy.verify;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.deploy.UserError;
import java.util.Locale;

/**
 * One question, and the answer that is expected.
 *
 * @param allowed whether the packet should be answered
 */
public record Check(Pair pair, boolean allowed) {

  /**
   * Who asks whom.
   *
   * @param port 0 for ICMP
   */
  public record Pair(PodName from, Destination to, Protocol protocol, int port) {

    /** {@code TCP 80}, {@code ICMP}. */
    public String service() {
      return protocol == Protocol.ICMP ? "ICMP" : protocol + " " + port;
    }

    /** Whether a pod asks itself, which no program of the node sees. */
    boolean isToItself() {
      return to instanceof Destination.OfPod(PodName pod) && pod.equals(from);
    }

    @Override
    public String toString() {
      return from + " to " + to + " " + service();
    }
  }

  /** What a probe can be sent by. */
  public enum Protocol {
    TCP(IpProtocol.TCP),
    UDP(IpProtocol.UDP),
    SCTP(IpProtocol.SCTP),
    ICMP(IpProtocol.ICMP);

    final int number;

    Protocol(int number) {
      this.number = number;
    }

    /** As {@code paramecium-probe} takes it. */
    String argument() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * In any case.
     *
     * @throws UserError for any other
     */
    public static Protocol parse(String text) {
      for (Protocol protocol : values()) {
        if (protocol.name().equalsIgnoreCase(text)) {
          return protocol;
        }
      }
      throw new UserError(
          UserError.USAGE, "protocol \"" + text + "\" is not known: use TCP, UDP, SCTP or ICMP");
    }
  }

  /** {@code allowed} or {@code denied}. */
  static String word(boolean allowed) {
    return allowed ? "allowed" : "denied";
  }
}
