package dev.paramecium.kernel;

import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Vlan;

/**
 * What whoever has CAP_NET_RAW can send: frames that are nearly right, so that they get far, and
 * frames that are not.
 *
 * <pre>
 *   noise | ARP | any EtherType | IPv4 of any protocol, TCP and UDP with ports, ICMP errors
 *     then, now and then: a fragment, wrong lengths, changed bytes, 802.1Q tags, cut short
 * </pre>
 */
final class RawFrames {

  private static final int IP = Ethernet.HEADER_LENGTH;
  private static final int L4 = IP + Ipv4.MIN_HEADER_LENGTH;
  private static final int[] PROTOCOLS = {1, 6, 17, 1, 6, 17, 132, 58, 4, 41};
  private static final int[] PORTS = {80, 8472, 68, 53, 0, 65535, 4240};

  private final RandomSource random;
  private final int[] addresses;
  private final long[] macs;

  /**
   * @param addresses that sources and destinations are taken from, besides random ones
   * @param macs the same for Ethernet addresses
   */
  RawFrames(RandomSource random, int[] addresses, long[] macs) {
    this.random = random;
    this.addresses = addresses;
    this.macs = macs;
  }

  /** Fills an empty packet with a frame, its mark and its tunnel key. */
  void fill(SkBuff packet) {
    packet.length = below(16) == 0 ? below(1800) : L4 + below(below(8) == 0 ? 1500 : 100);
    for (int i = 0; i < packet.length; i++) {
      packet.setU8(i, random.nextInt());
    }
    packet.mark = below(2) == 0 ? 0 : random.nextInt() & 0xffff_0000 | below(16) << 8;
    if (below(2) == 0) {
      packet.hasTunnelKey = true;
      packet.tunnelId = below(2) == 0 ? below(8) : random.nextInt();
      packet.tunnelRemote = address();
      packet.tunnelTtl = below(256);
    }
    if (packet.length < L4 + 40 || below(16) == 0) {
      return;
    }
    packet.setMac(Ethernet.DESTINATION, macs[below(macs.length)]);
    packet.setMac(Ethernet.SOURCE, macs[below(macs.length)]);
    switch (below(12)) {
      case 0, 1 -> arp(packet);
      case 2 -> packet.setU16(Ethernet.ETHER_TYPE, below(2) == 0 ? EtherType.IPV6 : below(65536));
      default -> ipv4(packet);
    }
    for (int tags = below(8) == 0 ? 1 + below(2) : 0; tags > 0; tags--) {
      tag(packet);
    }
    if (below(16) == 0) {
      packet.trim(below(packet.length));
    }
  }

  private void arp(SkBuff packet) {
    packet.setU16(Ethernet.ETHER_TYPE, EtherType.ARP);
    packet.setU16(IP, 1);
    packet.setU16(IP + 2, EtherType.IPV4);
    packet.setU16(IP + 4, 0x0604);
    packet.setU16(IP + 6, 1 + below(3));
    packet.setI32(IP + 14, address());
    packet.setI32(IP + 24, address());
    change(packet, IP, 28);
  }

  private void ipv4(SkBuff packet) {
    packet.setU16(Ethernet.ETHER_TYPE, EtherType.IPV4);
    header(packet, IP, packet.length - IP);
    int protocol = packet.u8(IP + Ipv4.PROTOCOL);
    int checksumAt = -1;
    if (protocol == 1) {
      packet.setU8(L4, new int[] {0, 3, 5, 8, 11, 12, below(256)}[below(7)]);
      packet.setU8(L4 + 1, below(6));
      header(packet, L4 + 8, packet.length - L4 - 8); // what an error says it is about
      checksumAt = 2;
    } else if (protocol == 6 || protocol == 17 || protocol == 132) {
      packet.setU16(L4, port());
      packet.setU16(L4 + 2, port());
      if (protocol == 6) {
        packet.setU8(L4 + 12, below(4) == 0 ? below(256) : 0x50);
        packet.setU8(L4 + 13, below(4) == 0 ? below(256) : 1 << below(5));
        checksumAt = 16;
      } else if (protocol == 17) {
        packet.setU16(L4 + 4, below(8) == 0 ? below(65536) : packet.length - L4);
        checksumAt = 6;
      }
    }
    boolean right = below(4) != 0;
    if (right && checksumAt >= 0) {
      int length = packet.length - L4;
      packet.setU16(L4 + checksumAt, 0);
      long pseudo =
          protocol == 1
              ? 0
              : Checksum.pseudoHeader(
                  packet.i32(IP + Ipv4.SOURCE),
                  packet.i32(IP + Ipv4.DESTINATION),
                  protocol,
                  length);
      packet.setU16(
          L4 + checksumAt,
          Checksum.finish(pseudo + Checksum.sum(packet.bytes, packet.head + L4, length)));
    }
    if (below(4) == 0) {
      packet.setU16(
          IP + Ipv4.IDENTIFICATION, below(4)); // few identifications, so that fragments meet
      packet.setU16(IP + Ipv4.FRAGMENT, below(2) << 13 | (below(2) == 0 ? below(4) : below(8192)));
    }
    if (below(8) == 0) {
      packet.setU16(IP + Ipv4.TOTAL_LENGTH, below(65536));
    }
    if (below(8) == 0) {
      packet.setU8(IP, 0x40 | below(16));
    }
    if (below(4) == 0) {
      change(packet, IP, packet.length - IP);
    }
    if (right) {
      finish(packet, IP);
    }
  }

  private void header(SkBuff packet, int at, int length) {
    packet.setU16(at, 0x4500);
    packet.setU16(at + Ipv4.TOTAL_LENGTH, length);
    packet.setU16(at + Ipv4.FRAGMENT, 0);
    packet.setU8(at + Ipv4.TTL, below(4) == 0 ? below(3) : 64);
    packet.setU8(
        at + Ipv4.PROTOCOL, below(8) == 0 ? below(256) : PROTOCOLS[below(PROTOCOLS.length)]);
    packet.setI32(at + Ipv4.SOURCE, address());
    packet.setI32(at + Ipv4.DESTINATION, address());
    finish(packet, at);
  }

  /** The header checksum, over as many bytes as the header says that it has and the frame has. */
  private static void finish(SkBuff packet, int at) {
    int length = Math.min((packet.u8(at) & 0xf) * 4, packet.length - at);
    packet.setU16(at + Ipv4.CHECKSUM, 0);
    packet.setU16(
        at + Ipv4.CHECKSUM, Checksum.finish(Checksum.sum(packet.bytes, packet.head + at, length)));
  }

  private void tag(SkBuff packet) {
    long destination = packet.mac(Ethernet.DESTINATION);
    long source = packet.mac(Ethernet.SOURCE);
    packet.push(Vlan.TAG_LENGTH);
    packet.setMac(Ethernet.DESTINATION, destination);
    packet.setMac(Ethernet.SOURCE, source);
    packet.setU16(Ethernet.ETHER_TYPE, below(4) == 0 ? EtherType.SERVICE_VLAN : EtherType.VLAN);
    packet.setU16(Ethernet.HEADER_LENGTH, random.nextInt());
  }

  private void change(SkBuff packet, int from, int count) {
    for (int changes = below(6); changes > 0; changes--) {
      packet.setU8(from + below(count), random.nextInt());
    }
  }

  private int address() {
    return below(8) == 0 ? random.nextInt() : addresses[below(addresses.length)];
  }

  private int port() {
    return below(2) == 0 ? below(65536) : PORTS[below(PORTS.length)];
  }

  private int below(int bound) {
    return Integer.remainderUnsigned(random.nextInt(), bound);
  }
}
