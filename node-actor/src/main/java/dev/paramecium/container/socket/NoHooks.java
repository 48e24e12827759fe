package dev.paramecium.container.socket;

import dev.paramecium.bpf.Sock;
import org.jspecify.annotations.Nullable;

/** A namespace without a cgroup: everything goes on as it is. */
enum NoHooks implements SocketHooks {
  INSTANCE;

  @Override
  public long newCookie() {
    return 0;
  }

  @Override
  public SocketAddress connect(
      int protocol, long cookie, SocketAddress local, SocketAddress remote) {
    return remote;
  }

  @Override
  public SocketAddress sendmsg(long cookie, SocketAddress local, SocketAddress remote) {
    return remote;
  }

  @Override
  public SocketAddress recvmsg(long cookie, SocketAddress local, SocketAddress from) {
    return from;
  }

  @Override
  public SocketAddress getpeername(
      int protocol, long cookie, SocketAddress local, SocketAddress remote) {
    return remote;
  }

  @Override
  public boolean mayBind(int protocol, long cookie, SocketAddress local) {
    return true;
  }

  @Override
  public boolean wantsEstablished() {
    return false;
  }

  @Override
  public @Nullable MappedSocket established(
      SocketAddress local, SocketAddress remote, Sock socket) {
    return null;
  }
}
