package dev.paramecium.datapath.sock;

import org.jspecify.annotations.Nullable;

/**
 * {@code struct bpf_sock_addr}: one socket call of one socket, and the address in it, which a
 * program may change. Of post_bind4 it is {@code struct bpf_sock}, and the address is the socket's
 * own. Addresses are numbers, ports in host order.
 *
 * <p>A namespace has one and fills it for each call; only its own thread uses it.
 */
public final class SockAddr {

  /** {@code init_net}'s cookie: what {@code bpf_get_netns_cookie(NULL)} answers. */
  public static final long HOST_NETNS_COOKIE = 1;

  /** {@code bpf_sk_lookup_tcp} and {@code _udp} in the socket's own namespace. */
  @FunctionalInterface
  public interface Lookup {
    /** Whether a socket is bound to the address and port, or to the port of every address. */
    boolean isBound(int protocol, int address, int port);
  }

  /** {@code user_ip4}. */
  public int address;

  /** {@code user_port}. */
  public int port;

  /** An IP protocol number. */
  public int protocol;

  /** {@code bpf_get_socket_cookie}. */
  public long cookie;

  /** {@code bpf_get_netns_cookie}. */
  final long netnsCookie;

  /** The namespace's other sockets. */
  final Lookup sockets;

  /** Who follows this call, or null. */
  @Nullable SocketTrace trace;

  // ---- variables of the running program

  /** {@code struct lb4_key} of the service that was found: a wildcard's address is 0. */
  int keyAddress;

  int keyScope;

  /** Room for one map value. */
  final byte[] value = new byte[32];

  public SockAddr(long netnsCookie, Lookup sockets) {
    this.netnsCookie = netnsCookie;
    this.sockets = sockets;
  }

  /** {@code ctx_in_hostns}. */
  boolean isInHostNamespace() {
    return netnsCookie == HOST_NETNS_COOKIE;
  }

  void set(int callProtocol, long socketCookie, int callAddress, int callPort) {
    protocol = callProtocol;
    cookie = socketCookie;
    address = callAddress;
    port = callPort;
  }
}
