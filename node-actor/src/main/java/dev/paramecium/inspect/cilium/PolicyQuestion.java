package dev.paramecium.inspect.cilium;

import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.inspect.packet.Packet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which rule let a packet pass or held it back: what a monitor that is asked to be verbose asks the
 * agent about an event. v1.12.3's events do not carry the answer.
 *
 * @param endpoint whose policy decided
 * @param peer the other side's identity
 * @param port of ICMP the type
 */
record PolicyQuestion(int endpoint, boolean egress, int peer, int port, int protocol) {

  private static final int ICMP = 1;

  /** The question that an event raises; null if no policy decided. */
  static @Nullable PolicyQuestion of(@Nullable MonitorEvent event) {
    return switch (event) {
      case PolicyVerdictNotify verdict -> of(verdict);
      case DropNotify drop when isPolicys(drop.reason()) -> of(drop);
      case null, default -> null;
    };
  }

  private static PolicyQuestion of(PolicyVerdictNotify verdict) {
    Packet packet = new Packet(verdict.captured());
    return new PolicyQuestion(
        verdict.source(),
        verdict.direction() != PolicyVerdictNotify.INGRESS,
        verdict.remoteLabel(),
        packet.hasIcmp() ? packet.icmpType() : verdict.destinationPort(),
        verdict.protocol());
  }

  private static boolean isPolicys(int reason) {
    return reason == DropReason.POLICY || reason == DropReason.POLICY_DENY;
  }

  /** A program that drops on the way in names its own endpoint as the destination. */
  private static @Nullable PolicyQuestion of(DropNotify drop) {
    Packet packet = new Packet(drop.captured());
    if (!packet.hasIpv4()) {
      return null;
    }
    boolean ingress = (drop.destinationId() & 0xffff) == drop.source();
    boolean hasPorts = packet.hasTcp() || packet.hasUdp();
    return new PolicyQuestion(
        drop.source(),
        !ingress,
        ingress ? drop.sourceLabel() : drop.destinationLabel(),
        packet.hasIcmp() ? packet.icmpType() : hasPorts ? packet.destinationPort() : 0,
        packet.hasIcmp() ? ICMP : packet.protocol());
  }

  /** The command line that the agent answers. */
  List<String> words() {
    return List.of(
        "paramecium-policy",
        "decide",
        Integer.toString(endpoint),
        egress ? "egress" : "ingress",
        Integer.toUnsignedString(peer),
        Integer.toString(port),
        Integer.toString(protocol));
  }
}
