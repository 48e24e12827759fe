package dev.paramecium.container.process.server;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.util.Arrays;

/**
 * {@code echo-server PORT/tcp|udp}: sends everything back to where it came from (RFC 862). A TCP
 * connection lasts until its client ends it; while the client does not read, the server does not
 * either.
 */
public final class EchoServer {

  /** The program's name. */
  public static final String NAME = "echo-server";

  private static final int BACKLOG = 128;

  private EchoServer() {}

  public static Process start(ProcessContext context) {
    String where = context.argv().size() == 2 ? context.argv().get(1) : "";
    if (!where.matches("[0-9]{1,5}/(tcp|udp)")) {
      context.printError("usage: " + NAME + " PORT/tcp or " + NAME + " PORT/udp\n");
      context.exit(2);
      return ended(context);
    }
    int slash = where.indexOf('/');
    int port = Integer.parseInt(where, 0, slash, 10);
    try {
      if (port < 1 || port > 65535) {
        context.printError(NAME + ": port " + port + " is out of range: 1 to 65535\n");
        context.exit(2);
      } else if (where.endsWith("udp")) {
        context
            .sockets()
            .bindUdp(
                Ipv4Address.ANY,
                port,
                (socket, from, payload) -> answer(context, socket, from, payload));
        context.print("echoing on " + where + "\n");
      } else {
        context.sockets().listen(Ipv4Address.ANY, port, BACKLOG, Echo::new);
        context.print("echoing on " + where + "\n");
      }
    } catch (SocketException e) {
      context.printError(NAME + ": " + where + ": " + e.getMessage() + "\n");
      context.exit(1);
    }
    return ended(context);
  }

  private static Process ended(ProcessContext context) {
    return number -> context.exit(number == Signals.SIGTERM ? 0 : Signals.exitCode(number));
  }

  private static void answer(
      ProcessContext context, UdpSocket socket, SocketAddress from, byte[] payload) {
    try {
      socket.send(from, payload);
    } catch (SocketException e) {
      context.printError("echo to " + from + ": " + e.getMessage() + "\n");
    }
  }

  /** One connection; what the send buffer did not take waits here. */
  private static final class Echo implements TcpHandler {

    private byte[] waiting = {};
    private boolean peerIsDone;

    Echo(TcpConnection connection) {
      connection.setNoDelay(true);
    }

    @Override
    public void data(TcpConnection connection, byte[] bytes, int from, int count) {
      int taken = waiting.length == 0 ? connection.write(bytes, from, count) : 0;
      if (taken < count) {
        int before = waiting.length;
        waiting = Arrays.copyOf(waiting, before + count - taken);
        System.arraycopy(bytes, from + taken, waiting, before, count - taken);
        connection.pauseReading();
      }
    }

    @Override
    public void writable(TcpConnection connection) {
      int taken = connection.write(waiting, 0, waiting.length);
      waiting = Arrays.copyOfRange(waiting, taken, waiting.length);
      if (waiting.length == 0) {
        connection.resumeReading();
        if (peerIsDone) {
          connection.close();
        }
      }
    }

    @Override
    public void peerClosed(TcpConnection connection) {
      peerIsDone = true;
      if (waiting.length == 0) {
        connection.close();
      }
    }

    @Override
    public void failed(TcpConnection connection, SocketError error) {
      waiting = new byte[0];
    }
  }
}
