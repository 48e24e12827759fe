package dev.paramecium.inspect.tcpdump;

import dev.paramecium.inspect.packet.Packet;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where each TCP conversation's sequence numbers started, so that lines show relative ones ({@code
 * print-tcp.c}). The least recently seen of too many conversations is forgotten.
 */
final class TcpConversations {

  private static final int CAPACITY = 8192;

  private record Key(int low, int high, int lowPort, int highPort) {}

  /** Of the ends in the key's order. */
  private record Start(long low, long high) {}

  /**
   * What to subtract from a packet's numbers.
   *
   * @param sack from the numbers in a SACK option
   */
  record Base(long sequence, long acknowledgement, long sack) {

    static final Base ABSOLUTE = new Base(0, 0, 0);
  }

  private final Map<Key, Start> starts = new LinkedHashMap<>(64, 0.75f, true);

  /** Only packets with ACK belong to a conversation; its first stays absolute. */
  Base base(Packet packet) {
    if ((packet.tcpFlags() & Packet.TCP_ACK) == 0) {
      return Base.ABSOLUTE;
    }
    int source = packet.source().value();
    int destination = packet.destination().value();
    int order = Integer.compareUnsigned(source, destination);
    boolean sourceIsLow =
        order < 0 || (order == 0 && packet.sourcePort() <= packet.destinationPort());
    Key key =
        sourceIsLow
            ? new Key(source, destination, packet.sourcePort(), packet.destinationPort())
            : new Key(destination, source, packet.destinationPort(), packet.sourcePort());
    Start start = starts.get(key);
    if (start == null || (packet.tcpFlags() & Packet.TCP_SYN) != 0) {
      long own = packet.tcpSequence();
      long other = packet.tcpAcknowledgement() - 1;
      starts.put(key, sourceIsLow ? new Start(own, other) : new Start(other, own));
      if (starts.size() > CAPACITY) {
        starts.remove(starts.keySet().iterator().next());
      }
      return new Base(0, 0, other);
    }
    long own = sourceIsLow ? start.low : start.high;
    long other = sourceIsLow ? start.high : start.low;
    return new Base(own, other, other);
  }
}
