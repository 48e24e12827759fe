package dev.paramecium.datapath.sock;

import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.SockKey;
import dev.paramecium.bpf.Sock;
import org.jspecify.annotations.Nullable;

/**
 * {@code struct bpf_sock_ops} of a connection that was just established, by either side, and what
 * {@code struct sk_msg_md} says of everything that is sent on it.
 */
final class SockOps {

  /** {@code sk_extract4_key}: from this socket to its peer. */
  final SockKey key;

  /** Who sends: the key of {@code cilium_ep_to_policy}. */
  final EndpointKey source;

  final Sock socket;

  /** The key that the socket was put into {@code cilium_sock_ops} under, or null. */
  @Nullable SockKey entry;

  /** Who follows this connection, or null. */
  @Nullable SocketTrace trace;

  SockOps(SockKey key, Sock socket) {
    this.key = key;
    this.source = new EndpointKey(key.source());
    this.socket = socket;
  }
}
