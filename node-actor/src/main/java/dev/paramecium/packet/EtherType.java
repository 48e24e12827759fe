package dev.paramecium.packet;

/** What an Ethernet frame carries (IANA ieee-802-numbers). */
public final class EtherType {

  public static final int IPV4 = 0x0800;
  public static final int ARP = 0x0806;
  public static final int VLAN = 0x8100;
  public static final int IPV6 = 0x86dd;
  public static final int SERVICE_VLAN = 0x88a8;

  /** Smaller numbers are the length of an IEEE 802.3 frame. */
  public static final int MIN = 0x0600;

  private EtherType() {}
}
