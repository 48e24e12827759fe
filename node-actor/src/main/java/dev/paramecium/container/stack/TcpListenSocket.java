package dev.paramecium.container.stack;

import dev.paramecium.container.process.SocketInfo;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.Sockets.Acceptor;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.TcpListener;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A listener and its SYN queue; an established connection is accepted at once. */
final class TcpListenSocket implements TcpListener {

  private final Tcp tcp;
  private final SocketAddress local;
  private final int backlog;
  private final Acceptor acceptor;

  /** SO_MARK of what it accepts; 0 for the namespace's own. */
  final int mark;

  private final Set<TcpSocket> synQueue = new LinkedHashSet<>();

  TcpListenSocket(Tcp tcp, SocketAddress local, int backlog, Acceptor acceptor, int mark) {
    this.tcp = tcp;
    this.local = local;
    this.backlog = Math.max(1, backlog);
    this.acceptor = acceptor;
    this.mark = mark;
  }

  @Override
  public SocketAddress local() {
    return local;
  }

  SocketInfo info() {
    return new SocketInfo(
        SocketInfo.Protocol.TCP, SocketInfo.State.LISTEN, local, null, synQueue.size(), backlog);
  }

  boolean isFull() {
    return synQueue.size() >= backlog;
  }

  void remember(TcpSocket socket) {
    synQueue.add(socket);
  }

  void forget(TcpSocket socket) {
    synQueue.remove(socket);
  }

  TcpHandler accepted(TcpSocket socket) {
    synQueue.remove(socket);
    return acceptor.accept(socket);
  }

  @Override
  public void close() {
    tcp.removeListener(this);
    for (TcpSocket waiting : List.copyOf(synQueue)) {
      waiting.abort();
    }
  }
}
