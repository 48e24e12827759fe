package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Icmp;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Tcp;
import org.jspecify.annotations.Nullable;

/**
 * Direct server return ({@code bpf/lib/nodeport.h}, ENABLE_DSR): the node that is asked tells the
 * backend's node, in an IPv4 option of the first packet, who was asked; the backend's node answers
 * the client in that name by itself.
 *
 * <pre>
 *   client → node:port   nodeport_lb4 --20--> tail_nodeport_ipv4_dsr: option | IPv4 0x9a 8 | port | address |
 *   option → pod         handle_dsr_v4: a NAT entry   (pod:port → client) to (node:port)
 *   pod → client         xlate_dsr_v4: from node:port, past the node that was asked
 * </pre>
 *
 * Port and address stand in the option with their bytes in reverse, as v1.12.3 writes them.
 */
public final class Dsr {

  /** DSR_IPV4_OPT_32: copied option 26 of class 0, eight bytes long. */
  private static final int OPTION = 0x9a08_0000;

  private static final int OPTION_MASK = 0xffff_0000;
  private static final int OPTION_LENGTH = 8;

  /** Header length in words with this option and nothing else. */
  private static final int WORDS_WITH_OPTION = 7;

  private static final int IP = Ethernet.HEADER_LENGTH;
  private static final int OPTIONS = IP + Ipv4.MIN_HEADER_LENGTH;

  /** How much of the packet's payload an ICMP error quotes. */
  private static final int QUOTED_PAYLOAD = 8;

  private static final int DEFAULT_TTL = 64;

  private final NodePortConfig settings;
  private final Nat nat;
  private final Metrics metrics;

  Dsr(BpfLib lib, NodePortConfig settings, Nat nat) {
    this.settings = settings;
    this.nat = nat;
    this.metrics = lib.metrics();
  }

  /** Null if nothing of this node's is returned directly. */
  public static @Nullable Dsr compile(BpfLib lib) {
    NodePortConfig settings = lib.context().config().nodePort();
    return settings == null || settings.mode() == NodePortConfig.Mode.SNAT
        ? null
        : new Dsr(lib, settings, new Nat(lib.context(), settings, lib.conntrack()));
  }

  /** {@code nodeport_uses_dsr}. */
  boolean isUsedFor(int protocol) {
    return settings.mode() == NodePortConfig.Mode.DSR || protocol == IpProtocol.TCP;
  }

  // ---- on the node that was asked

  /**
   * {@code dsr_set_opt4}: of TCP only a SYN carries the option, the backend's node remembers.
   *
   * @param port in host order
   * @return 0 or a negative drop reason; {@link DropReason#FRAG_NEEDED} if it would not fit and the
   *     client is to hear of it
   */
  int setOption(SkBuff packet, int address, int port) {
    if (Ipv4Header.protocol(packet) == IpProtocol.TCP) {
      int flags = OPTIONS + Tcp.FLAGS;
      if (!Ipv4Header.has(packet, flags - 1, 2)) {
        return -DropReason.CT_INVALID_HDR;
      }
      if ((packet.u8(flags) & Tcp.SYN) == 0) {
        return 0;
      }
    }
    int total = packet.u16(IP + Ipv4.TOTAL_LENGTH) + OPTION_LENGTH;
    if (settings.pmtuDiscovery() && total > settings.mtu()) {
      return -DropReason.FRAG_NEEDED;
    }
    packet.push(OPTION_LENGTH);
    System.arraycopy(packet.bytes, packet.head + OPTION_LENGTH, packet.bytes, packet.head, OPTIONS);
    int before = packet.i32(IP);
    packet.setU8(IP, packet.u8(IP) + OPTION_LENGTH / Integer.BYTES);
    packet.setU16(IP + Ipv4.TOTAL_LENGTH, total);
    int checksum = Checksum.replace32(packet.u16(Ipv4Header.CHECKSUM), before, packet.i32(IP));
    int first = OPTION | Short.reverseBytes((short) port) & 0xffff;
    int second = Integer.reverseBytes(address);
    packet.setI32(OPTIONS, first);
    packet.setI32(OPTIONS + Integer.BYTES, second);
    checksum = Checksum.replace32(checksum, 0, first);
    packet.setU16(Ipv4Header.CHECKSUM, Checksum.replace32(checksum, 0, second));
    return 0;
  }

  /**
   * {@code dsr_reply_icmp4}: turns a packet that has no room for the option into the ICMP error
   * that tells its sender so, and sends it back.
   */
  int replyTooBig(SkBuff packet) {
    metrics.count(packet, DropReason.FRAG_NEEDED, MetricsKey.EGRESS);
    int quoted = Ipv4Header.l4Offset(packet) - IP + QUOTED_PAYLOAD;
    int icmp = OPTIONS;
    int headers = Ipv4.MIN_HEADER_LENGTH + Icmp.HEADER_LENGTH;
    long sender = packet.mac(Ethernet.SOURCE);
    long own = packet.mac(Ethernet.DESTINATION);
    int tos = packet.u8(IP + Ipv4.TOS);
    int identification = packet.u16(IP + Ipv4.IDENTIFICATION);
    int source = Ipv4Header.saddr(packet);
    int destination = Ipv4Header.daddr(packet);
    packet.trim(IP + quoted);
    packet.push(headers);
    packet.setMac(Ethernet.DESTINATION, sender);
    packet.setMac(Ethernet.SOURCE, own);
    packet.setU16(Ethernet.ETHER_TYPE, EtherType.IPV4);
    packet.setU16(IP, 0x4500 | tos);
    packet.setU16(IP + Ipv4.TOTAL_LENGTH, headers + quoted);
    packet.setU16(IP + Ipv4.IDENTIFICATION, identification);
    packet.setU16(IP + Ipv4.FRAGMENT, Ipv4.DONT_FRAGMENT);
    packet.setU8(IP + Ipv4.TTL, DEFAULT_TTL);
    packet.setU8(IP + Ipv4.PROTOCOL, IpProtocol.ICMP);
    packet.setU16(Ipv4Header.CHECKSUM, 0);
    packet.setI32(Ipv4Header.SOURCE, destination);
    packet.setI32(Ipv4Header.DESTINATION, source);
    packet.setU16(Ipv4Header.CHECKSUM, checksum(packet, IP, Ipv4.MIN_HEADER_LENGTH));
    packet.setU8(icmp + Icmp.TYPE, Icmp.DESTINATION_UNREACHABLE);
    packet.setU8(icmp + Icmp.CODE, Icmp.FRAGMENTATION_NEEDED);
    packet.setU16(icmp + Icmp.CHECKSUM, 0);
    packet.setU16(icmp + Icmp.IDENTIFIER, 0);
    packet.setU16(icmp + Icmp.NEXT_HOP_MTU, settings.mtu() - OPTION_LENGTH);
    packet.setU16(icmp + Icmp.CHECKSUM, checksum(packet, icmp, Icmp.HEADER_LENGTH + quoted));
    return Redirect.to(packet, packet.ifindex, 0);
  }

  private static int checksum(SkBuff packet, int at, int length) {
    return Checksum.finish(Checksum.sum(packet.bytes, packet.head + at, length));
  }

  // ---- on the backend's node

  /**
   * {@code handle_dsr_v4}: remembers in whose name the client is to be answered.
   *
   * @return 1 if the packet carries the option, 0 if not, or a negative drop reason
   */
  public int remember(SkBuff packet, PerCpu cpu) {
    if (Ipv4Header.headerWords(packet) != WORDS_WITH_OPTION) {
      return 0;
    }
    if (!Ipv4Header.has(packet, OPTIONS, OPTION_LENGTH)) {
      return -DropReason.INVALID;
    }
    int first = packet.i32(OPTIONS);
    if ((first & OPTION_MASK) != OPTION) {
      return 0;
    }
    int port = Short.reverseBytes((short) first) & 0xffff;
    int address = Integer.reverseBytes(packet.i32(OPTIONS + Integer.BYTES));
    return nat.createDsr(packet, address, port, cpu) < 0 ? -DropReason.INVALID : 1;
  }

  /**
   * {@code xlate_dsr_v4}: an answer comes from whoever was asked.
   *
   * @param tuple of a lookup that answered REPLY
   * @return 0 or a negative drop reason
   */
  public int translate(SkBuff packet, Ipv4CtTuple tuple, int l4Offset, PerCpu cpu) {
    return nat.rewriteFromDsr(packet, tuple, l4Offset, cpu);
  }
}
