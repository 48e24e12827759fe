package dev.paramecium.container.process.load;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;

/** Counts the bytes of one connection. */
final class TcpSink implements Process, TcpHandler {

  private final Arrivals arrivals;

  TcpSink(ProcessContext context, int port) throws SocketException {
    arrivals = new Arrivals(context);
    context.sockets().listen(Ipv4Address.ANY, port, 1, _ -> this);
  }

  @Override
  public void data(TcpConnection connection, byte[] bytes, int from, int count) {
    arrivals.add(count);
  }

  @Override
  public void peerClosed(TcpConnection connection) {
    connection.close();
    arrivals.finish();
  }

  @Override
  public void failed(TcpConnection connection, SocketError error) {
    arrivals.finish();
  }

  @Override
  public void signal(int number) {
    arrivals.finish();
  }
}
