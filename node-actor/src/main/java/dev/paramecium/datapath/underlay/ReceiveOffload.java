package dev.paramecium.datapath.underlay;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Tcp;
import dev.paramecium.packet.Udp;
import dev.paramecium.packet.Vxlan;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * GRO: segments of one TCP connection that arrive one behind the other inside VXLAN become one
 * packet, as Linux merges them below the device, by the rules of {@code inet_gro_receive} and
 * {@code tcp_gro_receive}: the same headers but for lengths, identification, sequence number and
 * checksums; right checksums; no flag but ACK, PSH or FIN at the end.
 *
 * <pre>
 *   | outer … VXLAN | Ethernet | IPv4 | TCP | payload |      held
 *                                           + payload        merged: gsoSize is the first one's payload
 * </pre>
 *
 * Used by one thread. What is held comes out with {@link #take} before anything that came later.
 */
final class ReceiveOffload {

  private static final int INNER = OuterHeaders.LENGTH + Vxlan.HEADER_LENGTH;
  private static final int IP = INNER + Ethernet.HEADER_LENGTH;
  private static final int TCP = IP + Ipv4.MIN_HEADER_LENGTH;

  /** Bytes of outer IPv4 packet, headers included, that a merged packet may have. */
  private static final int LARGEST = 65_535 + Ethernet.HEADER_LENGTH;

  /**
   * Smaller bursts stay as they are: they belong to connections with small windows, which live from
   * an acknowledgement for each segment when some are lost, and there is little to save. One
   * datagram of a socket with segmentation offload holds 44 packets of an MTU of 1450.
   */
  private static final int LEAST_BURST = 24;

  private final SkBuffPool pool;
  private @Nullable SkBuff held;
  private int header;
  private int unit;
  private int nextSequence;
  private int packets;
  private long payloadSum;
  private boolean complete;

  private boolean merging;

  /** Of the payload that was verified last. */
  private long verifiedSum;

  ReceiveOffload(SkBuffPool pool) {
    this.pool = pool;
  }

  /** The next packets came together, so many of them. */
  void burst(int count) {
    merging = count >= LEAST_BURST && pool.hasLarge();
  }

  /**
   * Merges a packet, outer headers in front, with what is held.
   *
   * @return whether it is merged, and gone
   */
  boolean merge(SkBuff packet) {
    SkBuff first = held;
    if (first == null || complete || !merging || !continues(first, packet)) {
      return false;
    }
    int count = packet.length - header;
    SkBuff whole = first;
    if (packets == 1) {
      whole = pool.takeLarge();
      if (whole == null) {
        return false;
      }
      enlarge(first, whole);
    }
    System.arraycopy(
        packet.bytes, packet.head + header, whole.bytes, whole.head + whole.length, count);
    whole.length += count;
    payloadSum += verifiedSum;
    nextSequence += count;
    packets++;
    int flags = packet.u8(TCP + Tcp.FLAGS);
    whole.setU8(TCP + Tcp.FLAGS, whole.u8(TCP + Tcp.FLAGS) | flags);
    complete = count < unit || flags != Tcp.ACK;
    held = whole;
    pool.release(packet);
    return true;
  }

  private void enlarge(SkBuff first, SkBuff whole) {
    whole.head = first.head;
    whole.length = first.length;
    System.arraycopy(first.bytes, first.head, whole.bytes, whole.head, first.length);
    whole.checksumVerified = true;
    whole.gsoSize = unit;
    pool.release(first);
  }

  /**
   * Holds a packet that others may follow; nothing may be held.
   *
   * @return whether it is held
   */
  boolean hold(SkBuff packet) {
    if (!merging || !isCandidate(packet)) {
      return false;
    }
    int tcpHeader = (packet.u8(TCP + Tcp.DATA_OFFSET) >>> 4) * 4;
    header = TCP + tcpHeader;
    unit = packet.length - header;
    // An odd length would move the others' bytes to the other half of the checksum's words.
    if (unit <= 0 || (unit & 1) != 0 || !verify(packet)) {
      return false;
    }
    payloadSum = verifiedSum;
    nextSequence = packet.i32(TCP + Tcp.SEQUENCE) + unit;
    packets = 1;
    complete = false;
    held = packet;
    return true;
  }

  /** What is held, put right, or null; it is the caller's. */
  @Nullable SkBuff take() {
    SkBuff packet = held;
    held = null;
    if (packet != null && packets > 1) {
      finish(packet);
    }
    return packet;
  }

  /** A VXLAN packet with an unfragmented IPv4 TCP segment that says ACK and no more. */
  private static boolean isCandidate(SkBuff packet) {
    if (packet.length <= TCP + Tcp.MIN_HEADER_LENGTH
        || packet.u8(OuterHeaders.LENGTH + Vxlan.FLAGS) != Vxlan.FLAG_VNI
        || packet.u16(INNER + Ethernet.ETHER_TYPE) != EtherType.IPV4
        || packet.u8(IP) != 0x45
        || packet.u8(IP + Ipv4.PROTOCOL) != IpProtocol.TCP
        || packet.u16(IP + Ipv4.FRAGMENT) != Ipv4.DONT_FRAGMENT
        || packet.u16(IP + Ipv4.TOTAL_LENGTH) != packet.length - IP
        || !Checksum.isValid(packet.bytes, packet.head + IP, Ipv4.MIN_HEADER_LENGTH, 0)) {
      return false;
    }
    int tcpHeader = (packet.u8(TCP + Tcp.DATA_OFFSET) >>> 4) * 4;
    return tcpHeader >= Tcp.MIN_HEADER_LENGTH
        && TCP + tcpHeader <= packet.length
        && packet.u8(TCP + Tcp.FLAGS) == Tcp.ACK;
  }

  private boolean continues(SkBuff first, SkBuff packet) {
    int count = packet.length - header;
    return count > 0
        && count <= unit
        && first.length + count <= LARGEST
        && packet.u16(IP + Ipv4.TOTAL_LENGTH) == packet.length - IP
        && packet.u16(IP + Ipv4.IDENTIFICATION)
            == (first.u16(IP + Ipv4.IDENTIFICATION) + packets & 0xffff)
        && packet.i32(TCP + Tcp.SEQUENCE) == nextSequence
        && (packet.u8(TCP + Tcp.FLAGS) & ~(Tcp.PSH | Tcp.FIN)) == Tcp.ACK
        && sameOuter(first, packet)
        && same(first, packet, OuterHeaders.LENGTH, IP + Ipv4.TOTAL_LENGTH)
        && same(first, packet, IP + Ipv4.FRAGMENT, IP + Ipv4.CHECKSUM)
        && same(first, packet, IP + Ipv4.SOURCE, TCP + Tcp.SEQUENCE)
        && same(first, packet, TCP + Tcp.ACKNOWLEDGMENT, TCP + Tcp.FLAGS)
        && same(first, packet, TCP + Tcp.WINDOW, TCP + Tcp.CHECKSUM)
        && same(first, packet, TCP + Tcp.URGENT, header)
        && Checksum.isValid(packet.bytes, packet.head + IP, Ipv4.MIN_HEADER_LENGTH, 0)
        && verify(packet);
  }

  /** Addresses and ports of the tunnel's own packet. */
  private static boolean sameOuter(SkBuff first, SkBuff packet) {
    int source = Ethernet.HEADER_LENGTH + Ipv4.SOURCE;
    int end = Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH + Udp.LENGTH;
    return same(first, packet, source, end);
  }

  private static boolean same(SkBuff first, SkBuff packet, int from, int to) {
    return Arrays.equals(
        first.bytes,
        first.head + from,
        first.head + to,
        packet.bytes,
        packet.head + from,
        packet.head + to);
  }

  /** Whether a segment's checksum is right; then it need not be looked at again. */
  private boolean verify(SkBuff packet) {
    int length = packet.length - TCP;
    verifiedSum = Checksum.sum(packet.bytes, packet.head + header, packet.length - header);
    long expected =
        pseudo(packet, length)
            + Checksum.sum(packet.bytes, packet.head + TCP, header - TCP)
            + verifiedSum;
    packet.checksumVerified = Checksum.finish(expected) == 0;
    return packet.checksumVerified;
  }

  private static long pseudo(SkBuff packet, int length) {
    return Checksum.pseudoHeader(
        packet.i32(IP + Ipv4.SOURCE), packet.i32(IP + Ipv4.DESTINATION), IpProtocol.TCP, length);
  }

  private void finish(SkBuff whole) {
    length(whole, Ethernet.HEADER_LENGTH);
    length(whole, IP);
    int udp = Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH;
    whole.setU16(udp + Udp.LENGTH, whole.length - udp);
    whole.setU16(TCP + Tcp.CHECKSUM, 0);
    long sum =
        pseudo(whole, whole.length - TCP)
            + Checksum.sum(whole.bytes, whole.head + TCP, header - TCP)
            + payloadSum;
    whole.setU16(TCP + Tcp.CHECKSUM, Checksum.finish(sum));
  }

  private static void length(SkBuff whole, int ip) {
    whole.setU16(ip + Ipv4.TOTAL_LENGTH, whole.length - ip);
    whole.setU16(ip + Ipv4.CHECKSUM, 0);
    whole.setU16(
        ip + Ipv4.CHECKSUM,
        Checksum.finish(Checksum.sum(whole.bytes, whole.head + ip, Ipv4.MIN_HEADER_LENGTH)));
  }
}
