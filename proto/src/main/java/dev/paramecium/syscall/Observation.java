package dev.paramecium.syscall;

import java.util.List;

/**
 * One step of a traced packet, as it happened.
 *
 * @param node the node's name
 * @param timestampNs wall clock, nanoseconds since the epoch; orders steps of different nodes only
 *     as well as their clocks agree
 * @param sequence orders the steps of one node
 * @param packetId the same at every step of one packet, on every node: derived from addresses,
 *     ports, IP id, TCP sequence and payload
 * @param step 1 to 8 in the walk ({@code Hook} says which), 0 for a step beside it
 * @param device the device that the hook belongs to
 * @param hook {@code tc ingress}, {@code tc egress}, {@code tail call}, {@code veth}, {@code
 *     stack}, {@code underlay}
 * @param program the section, as {@code bpf_lxc.o:[from-container]}; empty where no program runs
 * @param programId 0 where no program runs
 * @param functions what ran, in order, by the names of v1.12.3
 * @param verdict {@code TC_ACT_OK}, {@code TC_ACT_REDIRECT ifindex 7}, {@code TC_ACT_SHOT}, …
 * @param reason the drop reason's text, empty if not dropped
 * @param rule what decided, empty if nothing had to
 * @param reply whether the packet goes from the filter's destination to its source
 * @param vni the VXLAN network identifier on the wire or in the tunnel key, -1 if none
 */
public record Observation(
    String node,
    long timestampNs,
    long sequence,
    long packetId,
    int step,
    String device,
    int ifindex,
    String hook,
    String program,
    int programId,
    List<String> functions,
    List<Lookup> lookups,
    String verdict,
    String reason,
    String rule,
    boolean reply,
    PacketSummary packet,
    int vni) {

  public Observation {
    functions = List.copyOf(functions);
    lookups = List.copyOf(lookups);
  }

  /** A map lookup in the words of {@code cilium bpf … list}; an empty value is a miss. */
  public record Lookup(String map, String key, String value) {}

  /**
   * What the packet carried at this step.
   *
   * @param sourcePort 0 of a protocol without ports
   * @param destinationPort 0 of a protocol without ports
   * @param icmp what an ICMP message says, as {@code echo request, id 12, seq 1}; empty for other
   *     protocols
   * @param flags TCP flags as {@code SYN, ACK}; empty for other protocols
   * @param length bytes from the Ethernet header
   * @param payloadLength bytes above the transport header
   */
  public record PacketSummary(
      String sourceMac,
      String destinationMac,
      String source,
      String destination,
      int sourcePort,
      int destinationPort,
      String protocol,
      String flags,
      String icmp,
      int ttl,
      int length,
      int payloadLength) {}
}
