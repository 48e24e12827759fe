package dev.paramecium.container.process;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.RawSocket;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.TcpListener;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The open files of one process: passes calls on to the namespace's sockets and remembers what is
 * open, so that an exit closes it and no call reaches a process that is gone.
 */
final class OwnedSockets implements Sockets {

  private final Sockets sockets;
  private final Runnable entered;
  private final Consumer<RuntimeException> crashed;
  private final Set<TcpConnection> connections = identitySet();
  private final Set<Runnable> closers = identitySet();
  private final Set<Timer> timers = identitySet();
  private boolean closed;

  /**
   * @param entered hears that a handler or timer of the process is about to be called
   * @param crashed hears what a handler or timer of the process threw: the stack must not be torn
   *     by a program's fault
   */
  OwnedSockets(Sockets sockets, Runnable entered, Consumer<RuntimeException> crashed) {
    this.sockets = sockets;
    this.entered = entered;
    this.crashed = crashed;
  }

  private void guard(Runnable call) {
    if (closed) {
      return;
    }
    entered.run();
    try {
      call.run();
    } catch (RuntimeException e) {
      crashed.accept(e);
    }
  }

  private static <T> Set<T> identitySet() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  void closeAll() {
    closed = true;
    new ArrayList<>(timers).forEach(Timer::cancel);
    new ArrayList<>(closers).forEach(Runnable::run);
    new ArrayList<>(connections).forEach(TcpConnection::close);
    timers.clear();
    closers.clear();
    connections.clear();
  }

  @Override
  public TcpConnection connect(SocketAddress remote, TcpHandler handler) throws SocketException {
    OwnedHandler owned = new OwnedHandler(handler);
    OwnedConnection connection = new OwnedConnection(sockets.connect(remote, owned));
    owned.connection = connection;
    connections.add(connection);
    return connection;
  }

  @Override
  public TcpListener listen(Ipv4Address local, int port, int backlog, Acceptor acceptor)
      throws SocketException {
    TcpListener listener =
        sockets.listen(
            local,
            port,
            backlog,
            connection -> {
              OwnedConnection own = new OwnedConnection(connection);
              connections.add(own);
              OwnedHandler owned = new OwnedHandler(acceptor.accept(own));
              owned.connection = own;
              return owned;
            });
    Runnable closer = listener::close;
    closers.add(closer);
    return new TcpListener() {
      @Override
      public SocketAddress local() {
        return listener.local();
      }

      @Override
      public void close() {
        closers.remove(closer);
        listener.close();
      }
    };
  }

  @Override
  public UdpSocket bindUdp(Ipv4Address local, int port, UdpHandler handler) throws SocketException {
    UdpSocket socket =
        sockets.bindUdp(
            local,
            port,
            new UdpHandler() {
              @Override
              public void datagram(UdpSocket udp, SocketAddress from, byte[] payload) {
                guard(() -> handler.datagram(udp, from, payload));
              }

              @Override
              public void error(UdpSocket udp, SocketAddress remote, SocketError error) {
                guard(() -> handler.error(udp, remote, error));
              }
            });
    Runnable closer = socket::close;
    closers.add(closer);
    return new UdpSocket() {
      @Override
      public SocketAddress local() {
        return socket.local();
      }

      @Override
      public void send(SocketAddress remote, byte[] payload) throws SocketException {
        socket.send(remote, payload);
      }

      @Override
      public void close() {
        closers.remove(closer);
        socket.close();
      }
    };
  }

  @Override
  public PingSocket openPing(PingHandler handler) throws SocketException {
    PingSocket socket =
        sockets.openPing(
            new PingHandler() {
              @Override
              public void reply(Ipv4Address from, int sequence, int ttl, byte[] payload) {
                guard(() -> handler.reply(from, sequence, ttl, payload));
              }

              @Override
              public void error(Ipv4Address from, int type, int code, int sequence) {
                guard(() -> handler.error(from, type, code, sequence));
              }
            });
    Runnable closer = socket::close;
    closers.add(closer);
    return new PingSocket() {
      @Override
      public int identifier() {
        return socket.identifier();
      }

      @Override
      public void send(Ipv4Address destination, int sequence, int ttl, byte[] payload)
          throws SocketException {
        socket.send(destination, sequence, ttl, payload);
      }

      @Override
      public void close() {
        closers.remove(closer);
        socket.close();
      }
    };
  }

  @Override
  public RawSocket openRaw(int protocol, RawSocket.Handler handler) throws SocketException {
    RawSocket socket =
        sockets.openRaw(protocol, (from, payload) -> guard(() -> handler.datagram(from, payload)));
    Runnable closer = socket::close;
    closers.add(closer);
    return new RawSocket() {
      @Override
      public void send(Ipv4Address destination, byte[] payload) throws SocketException {
        socket.send(destination, payload);
      }

      @Override
      public void close() {
        closers.remove(closer);
        socket.close();
      }
    };
  }

  @Override
  public Timer schedule(long delayMs, Runnable task) {
    OwnedTimer timer = new OwnedTimer(task);
    timers.add(timer);
    timer.pending = sockets.schedule(delayMs, timer);
    return timer;
  }

  private final class OwnedTimer implements Timer, Runnable {
    private final Runnable task;
    private Timer pending = () -> {};

    OwnedTimer(Runnable task) {
      this.task = task;
    }

    @Override
    public void run() {
      if (timers.remove(this)) {
        guard(task);
      }
    }

    @Override
    public void cancel() {
      timers.remove(this);
      pending.cancel();
    }
  }

  /** Passes on, and is what the process sees in every call about this connection. */
  private final class OwnedConnection implements TcpConnection {
    private final TcpConnection connection;

    OwnedConnection(TcpConnection connection) {
      this.connection = connection;
    }

    @Override
    public SocketAddress local() {
      return connection.local();
    }

    @Override
    public SocketAddress remote() {
      return connection.remote();
    }

    @Override
    public int write(byte[] bytes, int from, int count) {
      return connection.write(bytes, from, count);
    }

    @Override
    public void shutdownWrite() {
      connection.shutdownWrite();
    }

    @Override
    public void close() {
      connection.close();
    }

    @Override
    public void abort() {
      connections.remove(this);
      connection.abort();
    }

    @Override
    public void pauseReading() {
      connection.pauseReading();
    }

    @Override
    public void resumeReading() {
      connection.resumeReading();
    }

    @Override
    public void setNoDelay(boolean on) {
      connection.setNoDelay(on);
    }

    @Override
    public void setKeepAlive(long idleMs, long intervalMs, int count) {
      connection.setKeepAlive(idleMs, intervalMs, count);
    }
  }

  private final class OwnedHandler implements TcpHandler {
    private final TcpHandler handler;
    private @Nullable OwnedConnection connection;

    OwnedHandler(TcpHandler handler) {
      this.handler = handler;
    }

    private @Nullable OwnedConnection open() {
      return closed ? null : connection;
    }

    @Override
    public void connected(TcpConnection ignored) {
      OwnedConnection own = open();
      if (own != null) {
        guard(() -> handler.connected(own));
      }
    }

    @Override
    public void data(TcpConnection ignored, byte[] bytes, int from, int count) {
      OwnedConnection own = open();
      if (own != null) {
        guard(() -> handler.data(own, bytes, from, count));
      }
    }

    @Override
    public void writable(TcpConnection ignored) {
      OwnedConnection own = open();
      if (own != null) {
        guard(() -> handler.writable(own));
      }
    }

    @Override
    public void peerClosed(TcpConnection ignored) {
      OwnedConnection own = open();
      if (own != null) {
        guard(() -> handler.peerClosed(own));
      }
    }

    @Override
    public void failed(TcpConnection ignored, SocketError error) {
      OwnedConnection own = open();
      if (own != null) {
        connections.remove(own);
        guard(() -> handler.failed(own, error));
      }
    }

    @Override
    public void closed(TcpConnection ignored) {
      OwnedConnection own = open();
      if (own != null) {
        connections.remove(own);
        guard(() -> handler.closed(own));
      }
    }
  }
}
