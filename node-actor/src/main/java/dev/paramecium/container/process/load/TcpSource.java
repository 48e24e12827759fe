package dev.paramecium.container.process.load;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import java.util.List;

/** Writes to one connection as fast as it takes the bytes. */
final class TcpSource implements Process, TcpHandler {

  /** One write, as iperf3's. */
  private static final int WRITE = 128 << 10;

  private final ProcessContext context;
  private final byte[] bytes = new byte[WRITE];
  private final int durationMs;
  private long endsAt;
  private long written;
  private boolean closing;

  TcpSource(ProcessContext context, List<String> words, int durationMs) throws SocketException {
    this.context = context;
    this.durationMs = durationMs;
    context
        .sockets()
        .connect(new SocketAddress(Ipv4Address.parse(words.get(2)), Load.number(words, 3)), this);
  }

  @Override
  public void connected(TcpConnection connection) {
    endsAt = context.clock().nanos() + durationMs * Load.NANOS_PER_MS;
    writable(connection);
  }

  @Override
  public void writable(TcpConnection connection) {
    int taken = WRITE;
    while (taken == WRITE && !closing) {
      taken = connection.write(bytes, 0, WRITE);
      written += taken;
      if (context.clock().nanos() >= endsAt) {
        closing = true;
        connection.close();
      }
    }
  }

  @Override
  public void data(TcpConnection connection, byte[] from, int at, int count) {
    // A sink says nothing.
  }

  @Override
  public void peerClosed(TcpConnection connection) {
    connection.close();
  }

  @Override
  public void closed(TcpConnection connection) {
    finish(0);
  }

  @Override
  public void failed(TcpConnection connection, SocketError error) {
    context.printError(error.text() + "\n");
    finish(1);
  }

  private void finish(int code) {
    context.print("sent=" + written + "\n");
    context.exit(code);
  }

  @Override
  public void signal(int number) {
    finish(128 + number);
  }
}
