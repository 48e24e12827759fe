package dev.paramecium.container.process.server;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.net.Resolver;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * {@code agnhost connect HOST:PORT [--timeout D] [--protocol tcp|udp]}: exit 0 if the connection
 * was made (over UDP: answered), else 1 and TIMEOUT, REFUSED, DNS, OTHER or UNKNOWN on stderr.
 */
final class AgnhostConnect implements TcpHandler, UdpHandler {

  private final ProcessContext context;
  private final String protocol;
  private final long timeoutMs;
  private final String data;
  private String destination = "";
  private @Nullable UdpSocket socket;
  private @Nullable SocketAddress remote;

  private AgnhostConnect(ProcessContext context, GoFlags flags) {
    this.context = context;
    this.protocol = flags.text("protocol", "tcp");
    this.timeoutMs = flags.millis("timeout");
    this.data = flags.text("udp-data", "hostname");
  }

  static Process start(ProcessContext context, GoFlags flags) {
    AgnhostConnect connect = new AgnhostConnect(context, flags);
    if (flags.operands().size() != 1) {
      throw new IllegalArgumentException("accepts 1 arg(s), received " + flags.operands().size());
    }
    connect.begin(flags.operands().getFirst());
    return Agnhost.untilSignal(context);
  }

  private void end(String message) {
    context.printError(message + "\n");
    context.exit(1);
  }

  private void begin(String target) {
    destination = target;
    if (!protocol.isEmpty() && !protocol.equals("tcp") && !protocol.equals("udp")) {
      end(
          protocol.equals("sctp")
              ? "OTHER: dial sctp " + target + ": protocol not supported"
              : "Unsupported protocol");
      return;
    }
    int colon = target.lastIndexOf(':');
    String port = target.substring(colon + 1);
    if (colon < 0) {
      end("UNKNOWN: address " + target + ": missing port in address");
      return;
    }
    if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65535) {
      end("DNS: lookup " + protocol + "/" + port + ": unknown port");
      return;
    }
    String host = target.substring(0, colon);
    new Resolver(context)
        .resolve(
            host,
            answer -> {
              if (answer instanceof Resolver.Answer.Found found) {
                open(new SocketAddress(found.addresses().getFirst(), Integer.parseInt(port)));
              } else {
                end("DNS: lookup " + host + ": no such host");
              }
            });
  }

  private void open(SocketAddress to) {
    remote = to;
    if (timeoutMs > 0) {
      context.sockets().schedule(timeoutMs, this::timedOut);
    }
    try {
      if (protocol.equals("udp")) {
        socket = context.sockets().bindUdp(Ipv4Address.ANY, 0, this);
        socket.send(to, (data + "\n").getBytes(StandardCharsets.UTF_8));
      } else {
        context.sockets().connect(to, this);
      }
    } catch (SocketException e) {
      report(e.error());
    }
  }

  private void timedOut() {
    UdpSocket udp = socket;
    end(
        udp == null
            ? "TIMEOUT"
            : "TIMEOUT: read udp " + udp.local() + "->" + remote + ": i/o timeout");
  }

  private void report(SocketError error) {
    UdpSocket udp = socket;
    String local = udp == null ? "" : udp.local() + "->";
    String read = "read udp " + local + remote + ": read: " + Agnhost.lower(error);
    switch (error) {
      case TIMED_OUT -> end("TIMEOUT");
      case CONNECTION_REFUSED -> end(udp == null ? "REFUSED" : "REFUSED: " + read);
      default ->
          end(
              udp == null
                  ? "OTHER: dial tcp " + destination + ": connect: " + Agnhost.lower(error)
                  : "UNKNOWN: " + read);
    }
  }

  @Override
  public void connected(TcpConnection connection) {
    connection.close();
    context.exit(0);
  }

  @Override
  public void data(TcpConnection connection, byte[] bytes, int from, int count) {}

  @Override
  public void peerClosed(TcpConnection connection) {}

  @Override
  public void failed(TcpConnection connection, SocketError error) {
    report(error);
  }

  @Override
  public void datagram(UdpSocket from, SocketAddress sender, byte[] payload) {
    if (payload.length == 0) {
      end(
          "OTHER: No data received from the server. Cannot guarantee the server received the"
              + " request.");
    } else {
      context.exit(0);
    }
  }

  @Override
  public void error(UdpSocket from, SocketAddress to, SocketError error) {
    report(error);
  }
}
