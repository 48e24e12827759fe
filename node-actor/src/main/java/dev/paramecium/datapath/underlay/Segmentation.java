package dev.paramecium.datapath.underlay;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Tcp;
import dev.paramecium.packet.Udp;
import dev.paramecium.packet.Vxlan;
import org.jspecify.annotations.Nullable;

/**
 * GSO: a TCP segment larger than the MTU becomes the packets that it stands for, as a network card
 * or the kernel's {@code skb_segment} makes them, inside a VXLAN packet or bare.
 *
 * <pre>
 *   | outer … VXLAN | Ethernet | IPv4 | TCP |  payload, gsoSize + gsoSize + rest  |
 *   each packet:  the same headers with lengths, identification + i, sequence number, flags, checksums of its own
 * </pre>
 */
public final class Segmentation {

  private static final int OUTER = OuterHeaders.LENGTH + Vxlan.HEADER_LENGTH;

  private Segmentation() {}

  /** How many packets a large one stands for. */
  public static int count(SkBuff large) {
    int payload = large.length - payloadAt(large);
    return (payload + large.gsoSize - 1) / large.gsoSize;
  }

  /** The packet number {@code index}, or null if there is no buffer for it; {@code large} stays. */
  public static @Nullable SkBuff packet(SkBuff large, int index, SkBuffPool pool) {
    int header = payloadAt(large);
    int from = header + index * large.gsoSize;
    int size = Math.min(large.gsoSize, large.length - from);
    SkBuff packet = pool.take();
    if (packet == null) {
      return null;
    }
    int tunnel = ipAt(large) - Ethernet.HEADER_LENGTH;
    packet.head -= tunnel; // there is headroom for a tunnel's headers, and no more bytes behind
    packet.length = header + size;
    System.arraycopy(large.bytes, large.head, packet.bytes, packet.head, header);
    System.arraycopy(large.bytes, large.head + from, packet.bytes, packet.head + header, size);
    packet.hash = large.hash;
    packet.traced = large.traced;
    packet.mark = large.mark;
    if (tunnel > 0) {
      outer(packet, index);
    }
    inner(packet, ipAt(large), index, index * large.gsoSize, from + size == large.length);
    return packet;
  }

  private static void outer(SkBuff packet, int index) {
    ip(packet, Ethernet.HEADER_LENGTH, index);
    int udp = Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH;
    packet.setU16(udp + Udp.LENGTH, packet.length - udp);
  }

  private static void inner(SkBuff packet, int ip, int index, int offset, boolean last) {
    ip(packet, ip, index);
    int tcp = ip + headerLength(packet, ip);
    packet.setI32(tcp + Tcp.SEQUENCE, packet.i32(tcp + Tcp.SEQUENCE) + offset);
    if (!last) {
      packet.setU8(tcp + Tcp.FLAGS, packet.u8(tcp + Tcp.FLAGS) & ~(Tcp.FIN | Tcp.PSH));
    }
    int length = packet.length - tcp;
    long pseudo =
        Checksum.pseudoHeader(
            packet.i32(ip + Ipv4.SOURCE),
            packet.i32(ip + Ipv4.DESTINATION),
            IpProtocol.TCP,
            length);
    packet.setU16(tcp + Tcp.CHECKSUM, 0);
    packet.setU16(
        tcp + Tcp.CHECKSUM,
        Checksum.finish(Checksum.sum(packet.bytes, packet.head + tcp, length) + pseudo));
  }

  private static void ip(SkBuff packet, int ip, int index) {
    packet.setU16(ip + Ipv4.TOTAL_LENGTH, packet.length - ip);
    packet.setU16(ip + Ipv4.IDENTIFICATION, packet.u16(ip + Ipv4.IDENTIFICATION) + index);
    packet.setU16(ip + Ipv4.CHECKSUM, 0);
    packet.setU16(
        ip + Ipv4.CHECKSUM,
        Checksum.finish(Checksum.sum(packet.bytes, packet.head + ip, headerLength(packet, ip))));
  }

  private static int headerLength(SkBuff packet, int ip) {
    return (packet.u8(ip) & 0xf) * 4;
  }

  private static int ipAt(SkBuff large) {
    boolean tunnelled = OuterHeaders.isUdpTo(large, Vxlan.LINUX_PORT);
    return (tunnelled ? OUTER : 0) + Ethernet.HEADER_LENGTH;
  }

  private static int payloadAt(SkBuff large) {
    int ip = ipAt(large);
    int tcp = ip + headerLength(large, ip);
    return tcp + (large.u8(tcp + Tcp.DATA_OFFSET) >>> 4) * 4;
  }
}
