package dev.paramecium.container.socket;

import dev.paramecium.bpf.Sock;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel asks about the sockets of one namespace before it does what a process wants: the
 * programs of the namespace's cgroup. Called by the namespace's own thread, in the middle of a
 * socket call.
 *
 * <p>Protocols are IP's numbers. A cookie names a socket on the whole node.
 */
public interface SocketHooks {

  /** The namespace's sockets, for a program that looks among them. */
  interface BoundSockets {
    /** Whether a socket is bound to the address and port, or to the port of every address. */
    boolean isBound(int protocol, int address, int port);
  }

  /** Makes the hooks of a namespace. */
  @FunctionalInterface
  interface Factory {
    SocketHooks of(BoundSockets sockets);
  }

  /** A connection in a sock map. */
  interface MappedSocket {

    /** Where a message goes instead of into packets; null if into packets. */
    @Nullable Sock redirect(int length);

    /** The socket is closed and leaves the map. */
    void closed();
  }

  /** A name for a new socket. */
  long newCookie();

  /** Where connect(2) to {@code remote} really goes. */
  SocketAddress connect(int protocol, long cookie, SocketAddress local, SocketAddress remote);

  /** Where sendto(2) on a UDP socket to {@code remote} really goes. */
  SocketAddress sendmsg(long cookie, SocketAddress local, SocketAddress remote);

  /** Whom recvfrom(2) on a UDP socket names. */
  SocketAddress recvmsg(long cookie, SocketAddress local, SocketAddress from);

  /** Whom getpeername(2) names. */
  SocketAddress getpeername(int protocol, long cookie, SocketAddress local, SocketAddress remote);

  /** Whether the socket may keep what bind(2) gave it; if not, the call fails with EPERM. */
  boolean mayBind(int protocol, long cookie, SocketAddress local);

  /** Whether {@link #established} asks anybody. */
  boolean wantsEstablished();

  /** A connection is established; answers its place in a sock map, or null if it has none. */
  @Nullable MappedSocket established(SocketAddress local, SocketAddress remote, Sock socket);

  /** Asks nobody. */
  static SocketHooks none() {
    return NoHooks.INSTANCE;
  }
}
