package dev.paramecium.container.stack;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.stack.ScriptedPeer.Sent;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Wire;

/** ICMP errors for a {@link ScriptedPeer}, byte by byte. */
final class IcmpFrames {

  private IcmpFrames() {}

  /** A router at {@code from} says that {@code about} was too big for its next hop. */
  static byte[] fragmentationNeeded(
      Ipv4Address from, Ipv4Address to, Sent about, int localPort, int remotePort, int mtu) {
    return error(from, to, about.seq(), localPort, remotePort, 3, 4, mtu);
  }

  static byte[] error(
      Ipv4Address from,
      Ipv4Address to,
      int seq,
      int localPort,
      int remotePort,
      int type,
      int code,
      int info) {
    byte[] frame = new byte[14 + 20 + 8 + 28];
    Wire.setU16(frame, 0, 0x0200);
    Wire.setI32(frame, 2, 2);
    Wire.setU16(frame, 6, 0x0200);
    Wire.setI32(frame, 8, 1);
    Wire.setU16(frame, 12, 0x0800);
    ip(frame, 14, 56, IpProtocol.ICMP, from.value(), to.value());
    frame[34] = (byte) type;
    frame[35] = (byte) code;
    Wire.setI32(frame, 38, info);
    ip(frame, 42, 1500, IpProtocol.TCP, to.value(), from.value());
    Wire.setU16(frame, 62, localPort);
    Wire.setU16(frame, 64, remotePort);
    Wire.setI32(frame, 66, seq);
    Wire.setU16(frame, 36, Checksum.finish(Checksum.sum(frame, 34, 36)));
    return frame;
  }

  private static void ip(byte[] frame, int at, int total, int protocol, int from, int to) {
    Wire.setU16(frame, at, 0x4500);
    Wire.setU16(frame, at + 2, total);
    Wire.setU16(frame, at + 8, 64 << 8 | protocol);
    Wire.setI32(frame, at + 12, from);
    Wire.setI32(frame, at + 16, to);
    Wire.setU16(frame, at + 10, Checksum.finish(Checksum.sum(frame, at, 20)));
  }
}
