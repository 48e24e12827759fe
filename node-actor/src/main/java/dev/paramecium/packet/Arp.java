package dev.paramecium.packet;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;

/**
 * ARP for IPv4 over Ethernet (RFC 826): 28 bytes.
 *
 * <pre>
 *   0            2            4        5        6           8            14           18           24
 *   | hardware 1 | proto 0800 | hlen 6 | plen 4 | operation | sender MAC | sender IP  | target MAC | target IP |
 * </pre>
 */
public final class Arp {

  public static final int HARDWARE_TYPE = 0;
  public static final int PROTOCOL_TYPE = 2;
  public static final int HARDWARE_LENGTH = 4;
  public static final int PROTOCOL_LENGTH = 5;
  public static final int OPERATION = 6;
  public static final int SENDER_MAC = 8;
  public static final int SENDER_IP = 14;
  public static final int TARGET_MAC = 18;
  public static final int TARGET_IP = 24;
  public static final int LENGTH = 28;

  public static final int REQUEST = 1;
  public static final int REPLY = 2;

  /** The first 6 bytes of every packet of this kind. */
  private static final int ETHERNET_IPV4 = 0x0001_0800;

  private static final int LENGTHS = 0x0604;

  private Arp() {}

  /** A packet in place. */
  public static final class View {
    private byte[] bytes = new byte[LENGTH];
    private int at;

    /** False if the bytes are too few, or of another hardware or protocol. */
    public boolean wrap(byte[] bytes, int at, int length) {
      if (length < LENGTH
          || Wire.i32(bytes, at) != ETHERNET_IPV4
          || Wire.u16(bytes, at + HARDWARE_LENGTH) != LENGTHS) {
        return false;
      }
      this.bytes = bytes;
      this.at = at;
      return true;
    }

    public int operation() {
      return Wire.u16(bytes, at + OPERATION);
    }

    public long senderMac() {
      return Wire.mac(bytes, at + SENDER_MAC);
    }

    public int senderIp() {
      return Wire.i32(bytes, at + SENDER_IP);
    }

    public long targetMac() {
      return Wire.mac(bytes, at + TARGET_MAC);
    }

    public int targetIp() {
      return Wire.i32(bytes, at + TARGET_IP);
    }

    /** Makes the reply of a request: who was asked for becomes the sender, at {@code mac}. */
    public void turnIntoReply(long mac) {
      int asked = targetIp();
      Wire.setU16(bytes, at + OPERATION, REPLY);
      Wire.setMac(bytes, at + TARGET_MAC, senderMac());
      Wire.setI32(bytes, at + TARGET_IP, senderIp());
      Wire.setMac(bytes, at + SENDER_MAC, mac);
      Wire.setI32(bytes, at + SENDER_IP, asked);
    }
  }

  /**
   * A packet's value.
   *
   * @param operation {@link #REQUEST} or {@link #REPLY}
   */
  public record Packet(
      int operation,
      MacAddress senderMac,
      Ipv4Address senderIp,
      MacAddress targetMac,
      Ipv4Address targetIp) {

    public Packet {
      Wire.require("ARP operation", operation, 0xffff);
    }

    /** Who has {@code target}? */
    public static Packet request(MacAddress mac, Ipv4Address sender, Ipv4Address target) {
      return new Packet(REQUEST, mac, sender, MacAddress.ZERO, target);
    }

    /** Writes the 28 bytes; answers the index after them. */
    public int encode(byte[] out, int at) {
      Wire.setI32(out, at, ETHERNET_IPV4);
      Wire.setU16(out, at + HARDWARE_LENGTH, LENGTHS);
      Wire.setU16(out, at + OPERATION, operation);
      Wire.setMac(out, at + SENDER_MAC, senderMac.value());
      Wire.setI32(out, at + SENDER_IP, senderIp.value());
      Wire.setMac(out, at + TARGET_MAC, targetMac.value());
      Wire.setI32(out, at + TARGET_IP, targetIp.value());
      return at + LENGTH;
    }

    public byte[] encode() {
      byte[] out = new byte[LENGTH];
      encode(out, 0);
      return out;
    }
  }
}
