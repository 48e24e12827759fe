package dev.paramecium.container.process;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.IcmpErrorText;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code paramecium-probe tcp|udp|icmp ADDRESS PORT}: sends one packet that wants an answer and
 * exits 0 if one came within two seconds, 3 if the answer was that nobody listens there, 1 if none
 * came. It is on every image's PATH, so that {@code paramecium trace} works from any pod.
 */
public final class Probe implements Executable {

  /** What it is called. */
  public static final String NAME = "paramecium-probe";

  private static final long LIMIT_MS = 2000;
  private static final int ANSWERED = 0;
  private static final int NOT_ANSWERED = 1;
  private static final int USAGE = 2;
  private static final int REFUSED = 3;
  private static final int TTL = 64;

  @Override
  public Process start(ProcessContext context) {
    Running running = new Running(context);
    running.send(context.argv());
    return running;
  }

  private static final class Running implements Process, TcpHandler, UdpHandler, PingHandler {

    private final ProcessContext context;
    private Sockets.@Nullable Timer timer;
    private @Nullable TcpConnection connection;
    private @Nullable UdpSocket udp;
    private @Nullable PingSocket ping;
    private boolean over;

    Running(ProcessContext context) {
      this.context = context;
    }

    void send(List<String> argv) {
      if (argv.size() != 4) {
        end(USAGE, "usage: " + NAME + " tcp|udp|icmp ADDRESS PORT");
        return;
      }
      try {
        Ipv4Address address = Ipv4Address.parse(argv.get(2));
        int port = Integer.parseInt(argv.get(3));
        timer = context.sockets().schedule(LIMIT_MS, () -> end(NOT_ANSWERED, "no answer"));
        send(argv.get(1), address, port);
      } catch (SocketException | IllegalArgumentException e) {
        end(NOT_ANSWERED, String.valueOf(e.getMessage()));
      }
    }

    private void send(String protocol, Ipv4Address address, int port) throws SocketException {
      switch (protocol) {
        case "tcp" ->
            connection = context.sockets().connect(new SocketAddress(address, port), this);
        case "udp" -> {
          udp = context.sockets().bindUdp(Ipv4Address.ANY, 0, this);
          udp.send(
              new SocketAddress(address, port), "paramecium\n".getBytes(StandardCharsets.UTF_8));
        }
        case "icmp" -> {
          ping = context.sockets().openPing(this);
          ping.send(address, 1, TTL, new byte[56]);
        }
        default -> end(USAGE, "protocol \"" + protocol + "\" is not known: use tcp, udp or icmp");
      }
    }

    private void end(int code, String message) {
      if (over) {
        return;
      }
      over = true;
      if (timer != null) {
        timer.cancel();
      }
      if (connection != null) {
        connection.close();
      }
      if (udp != null) {
        udp.close();
      }
      if (ping != null) {
        ping.close();
      }
      if (code != ANSWERED) {
        context.stderr((message + "\n").getBytes(StandardCharsets.UTF_8));
      }
      context.exit(code);
    }

    @Override
    public void connected(TcpConnection made) {
      end(ANSWERED, "");
    }

    @Override
    public void data(TcpConnection made, byte[] bytes, int from, int count) {
      // The handshake was the answer; what a server says first is not read.
    }

    @Override
    public void peerClosed(TcpConnection made) {
      end(ANSWERED, "");
    }

    @Override
    public void failed(TcpConnection made, SocketError error) {
      failed(error);
    }

    private void failed(SocketError error) {
      end(error == SocketError.CONNECTION_REFUSED ? REFUSED : NOT_ANSWERED, error.text());
    }

    @Override
    public void datagram(UdpSocket socket, SocketAddress from, byte[] payload) {
      end(ANSWERED, "");
    }

    @Override
    public void error(UdpSocket socket, SocketAddress remote, SocketError error) {
      failed(error);
    }

    @Override
    public void reply(Ipv4Address from, int sequence, int ttl, byte[] payload) {
      end(ANSWERED, "");
    }

    @Override
    public void error(Ipv4Address from, int type, int code, int sequence) {
      end(NOT_ANSWERED, IcmpErrorText.of(type, code) + ", says " + from);
    }

    @Override
    public void signal(int number) {
      end(128 + number, "signal " + number);
    }
  }
}
