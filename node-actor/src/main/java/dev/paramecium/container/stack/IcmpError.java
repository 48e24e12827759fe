package dev.paramecium.container.stack;

import dev.paramecium.container.socket.SocketError;

/**
 * An ICMP error (RFC 792) that came for this host.
 *
 * @param from who sent it: a router, the peer, or this host about a neighbour that does not answer
 * @param info the second word: for {@link #FRAGMENTATION_NEEDED} the next hop's MTU in its low half
 * @param quoted the start of the datagram that it is about, lent until the call returns
 */
record IcmpError(int from, int type, int code, int info, Datagram quoted) {

  static final int DESTINATION_UNREACHABLE = 3;
  static final int TIME_EXCEEDED = 11;
  static final int PARAMETER_PROBLEM = 12;

  static final int NET_UNREACHABLE = 0;
  static final int HOST_UNREACHABLE = 1;
  static final int PROTOCOL_UNREACHABLE = 2;
  static final int PORT_UNREACHABLE = 3;
  static final int FRAGMENTATION_NEEDED = 4;
  static final int TTL_EXCEEDED = 0;
  static final int REASSEMBLY_TIMEOUT = 1;

  boolean isFragmentationNeeded() {
    return type == DESTINATION_UNREACHABLE && code == FRAGMENTATION_NEEDED;
  }

  /** The errno that the kernel gives sockets ({@code icmp_err_convert} in net/ipv4/icmp.c). */
  SocketError socketError() {
    if (type != DESTINATION_UNREACHABLE) {
      return SocketError.HOST_UNREACHABLE;
    }
    return switch (code) {
      case NET_UNREACHABLE, 6, 9, 11 -> SocketError.NETWORK_UNREACHABLE;
      case PROTOCOL_UNREACHABLE -> SocketError.PROTOCOL_NOT_SUPPORTED;
      case PORT_UNREACHABLE -> SocketError.CONNECTION_REFUSED;
      case FRAGMENTATION_NEEDED -> SocketError.MESSAGE_TOO_LONG;
      default -> SocketError.HOST_UNREACHABLE;
    };
  }
}
