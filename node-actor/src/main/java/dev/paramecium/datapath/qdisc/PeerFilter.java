package dev.paramecium.datapath.qdisc;

import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import java.util.List;

/** Which packets a fault concerns: by the address of the other end. */
final class PeerFilter {

  private final int[] networks;
  private final int[] masks;
  private final int addressOffset;

  /**
   * @param peers empty for any packet
   * @param addressOffset of the peer's address in the IPv4 header
   */
  PeerFilter(List<Ipv4Prefix> peers, int addressOffset) {
    this.networks = peers.stream().mapToInt(peer -> peer.address().value()).toArray();
    this.masks = peers.stream().mapToInt(peer -> Ipv4Prefix.mask(peer.length())).toArray();
    this.addressOffset = Ethernet.HEADER_LENGTH + addressOffset;
  }

  boolean matches(SkBuff packet) {
    if (networks.length == 0) {
      return true;
    }
    if (packet.length < Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH
        || packet.u16(Ethernet.ETHER_TYPE) != EtherType.IPV4) {
      return false;
    }
    int peer = packet.i32(addressOffset);
    for (int i = 0; i < networks.length; i++) {
      if ((peer & masks[i]) == networks[i]) {
        return true;
      }
    }
    return false;
  }
}
