package dev.paramecium.container.stack;

import dev.paramecium.packet.Ethernet;

/** Lengths in bytes of the headers that the stack writes, and the bits of IPv4's fragment word. */
final class Headers {

  static final int ETHERNET = Ethernet.HEADER_LENGTH;
  static final int IPV4 = dev.paramecium.packet.Ipv4.MIN_HEADER_LENGTH;
  static final int ICMP = dev.paramecium.packet.Icmp.HEADER_LENGTH;
  static final int UDP = dev.paramecium.packet.Udp.HEADER_LENGTH;
  static final int TCP = dev.paramecium.packet.Tcp.MIN_HEADER_LENGTH;

  static final int DONT_FRAGMENT = dev.paramecium.packet.Ipv4.DONT_FRAGMENT;
  static final int MORE_FRAGMENTS = dev.paramecium.packet.Ipv4.MORE_FRAGMENTS;
  static final int FRAGMENT_OFFSET = dev.paramecium.packet.Ipv4.FRAGMENT_OFFSET_MASK;

  private Headers() {}
}
