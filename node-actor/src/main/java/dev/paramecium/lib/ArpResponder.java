package dev.paramecium.lib;

import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Arp;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;

/** {@code bpf/lib/arp.h}: answers requests out of the request itself. */
public final class ArpResponder {

  private static final int AT = Ethernet.HEADER_LENGTH;
  private static final int HARDWARE_ETHERNET = 1;
  private static final long BROADCAST = 0xffff_ffff_ffffL;

  private ArpResponder() {}

  /**
   * {@code arp_validate}: whether this is a request that is sent to everybody or to {@code mac}.
   */
  public static boolean isRequest(SkBuff packet, long mac) {
    if (packet.length < AT + Arp.LENGTH
        || packet.u16(AT + Arp.OPERATION) != Arp.REQUEST
        || packet.u16(AT + Arp.HARDWARE_TYPE) != HARDWARE_ETHERNET
        || packet.u16(AT + Arp.PROTOCOL_TYPE) != EtherType.IPV4) {
      return false;
    }
    long destination = packet.mac(Ethernet.DESTINATION);
    return destination == BROADCAST || destination == mac;
  }

  /** The address that is asked for. */
  public static int target(SkBuff packet) {
    return packet.i32(AT + Arp.TARGET_IP);
  }

  /** {@code arp_respond}: makes the request its answer and sends it back where it came from. */
  public static int respond(SkBuff packet, long mac, int ifindex) {
    long asker = packet.mac(Ethernet.SOURCE);
    int askerIp = packet.i32(AT + Arp.SENDER_IP);
    int ip = target(packet);
    packet.setMac(Ethernet.SOURCE, mac);
    packet.setMac(Ethernet.DESTINATION, asker);
    packet.setU16(AT + Arp.OPERATION, Arp.REPLY);
    packet.setMac(AT + Arp.SENDER_MAC, mac);
    packet.setI32(AT + Arp.SENDER_IP, ip);
    packet.setMac(AT + Arp.TARGET_MAC, asker);
    packet.setI32(AT + Arp.TARGET_IP, askerIp);
    return Redirect.to(packet, ifindex, 0);
  }
}
