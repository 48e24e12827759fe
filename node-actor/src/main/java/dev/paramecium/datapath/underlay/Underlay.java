package dev.paramecium.datapath.underlay;

import dev.paramecium.bpf.PacketBatch;
import java.util.Map;

/**
 * The network that the nodes' {@code eth0} are on. A node gives it complete frames and gets
 * complete frames; how they cross is the underlay's business.
 *
 * <pre>
 *   VXLAN frame   | Ethernet | IPv4 | UDP 8472 | VXLAN | inner frame |
 *                 '------- made anew -------'  '--- one datagram ---'     to NODE_IP:8472
 *   any other     | Ethernet | IPv4 | … |
 *                 '--- one datagram ----'                                to NODE_IP:8473
 * </pre>
 *
 * The outer headers of a VXLAN frame are those of the datagram that really crosses, so a capture on
 * the real interface and one on the emulated {@code eth0} show the same.
 */
public interface Underlay extends AutoCloseable {

  /** Starts delivering; called once. */
  void start(Receiver receiver);

  /**
   * The outer source port of a flow (RFC 7348, section 5: entropy for the underlay's load
   * balancing).
   */
  int sourcePort(int flowHash);

  /**
   * Sends frames, from the Ethernet header on, and takes them. Never blocks for long; what cannot
   * be sent is counted.
   */
  void send(PacketBatch frames);

  /** How it was built: {@code udp-gso}, {@code udp-nio}, {@code tcp}, {@code memory}. */
  String kind();

  /** Counters by name, {@code underlay_…}. */
  Map<String, Long> counters();

  /** Stops receiving and closes the sockets. Idempotent. */
  @Override
  void close();

  /** Where frames arrive. */
  @FunctionalInterface
  interface Receiver {

    /** Takes frames, from the Ethernet header on. Called on a thread of the underlay's. */
    void receive(PacketBatch frames);
  }
}
