package dev.paramecium.container.process.server;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.process.http.HttpServer;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * {@code agnhost}, the server and client of Kubernetes' end-to-end tests: {@code netexec}, {@code
 * connect}, {@code serve-hostname}, {@code porter}, {@code pause}.
 */
public final class Agnhost {

  private Agnhost() {}

  public static Process start(ProcessContext context) {
    List<String> argv = context.argv();
    String command = argv.size() > 1 ? argv.get(1) : "help";
    List<String> arguments = argv.subList(Math.min(2, argv.size()), argv.size());
    try {
      return switch (command) {
        case "pause" -> {
          context.print("Paused\n");
          yield Pause.start(context);
        }
        case "netexec" -> Netexec.start(context, new GoFlags(arguments, List.of()));
        case "connect" -> AgnhostConnect.start(context, new GoFlags(arguments, List.of()));
        case "serve-hostname" ->
            serveHostname(context, new GoFlags(arguments, List.of("tcp", "udp", "http", "close")));
        case "porter" -> porter(context);
        case "help", "--help", "-h" -> {
          context.print("Usage:\n  app [connect|netexec|pause|porter|serve-hostname]\n");
          context.exit(0);
          yield untilSignal(context);
        }
        default -> refuse(context, "unknown command \"" + command + "\" for \"app\"");
      };
    } catch (IllegalArgumentException e) {
      return refuse(context, String.valueOf(e.getMessage()));
    }
  }

  private static Process refuse(ProcessContext context, String message) {
    context.printError("Error: " + message + "\n");
    context.exit(1);
    return untilSignal(context);
  }

  static Process untilSignal(ProcessContext context) {
    return number -> context.exit(Signals.exitCode(number));
  }

  // ---- serve-hostname

  private static Process serveHostname(ProcessContext context, GoFlags flags) {
    GoLog log = new GoLog(context);
    int port = flags.number("port", 9376);
    boolean tcp = flags.isOn("tcp", false);
    boolean udp = flags.isOn("udp", false);
    boolean http = flags.isOn("http", true);
    if (http && (tcp || udp)) {
      log.line("Can't server TCP/UDP mode and HTTP mode at the same time");
      context.exit(1);
      return untilSignal(context);
    }
    byte[] hostname = context.hostname().getBytes(StandardCharsets.UTF_8);
    try {
      if (tcp) {
        context
            .sockets()
            .listen(Ipv4Address.ANY, port, 128, connection -> greet(connection, hostname, log));
      }
      if (udp) {
        context
            .sockets()
            .bindUdp(
                Ipv4Address.ANY,
                port,
                (socket, from, _) -> {
                  log.line("UDP request from " + from);
                  send(socket, from, hostname);
                });
      }
      if (http) {
        new HttpServer(
            context,
            port,
            new GoStyle(),
            exchange -> {
              log.line("HTTP request from " + exchange.client());
              Headers headers = Headers.of("Content-Type", "text/plain; charset=utf-8");
              exchange.respond(new Response(200, headers, hostname));
            });
      }
    } catch (SocketException e) {
      log.line("Error from net.Listen(): listen tcp :" + port + ": bind: " + lower(e.error()));
      context.exit(1);
      return untilSignal(context);
    }
    log.line("Serving on port " + port + ".");
    return number -> {
      log.line("Shutting down after receiving signal: " + name(number) + ".");
      context.exit(0);
    };
  }

  private static String name(int signal) {
    return signal == Signals.SIGTERM ? "terminated" : "interrupt";
  }

  /** An errno's text as Go prints it. */
  static String lower(SocketError error) {
    return error.text().substring(0, 1).toLowerCase(Locale.ROOT) + error.text().substring(1);
  }

  static void send(UdpSocket socket, SocketAddress to, byte[] bytes) {
    try {
      socket.send(to, bytes);
    } catch (SocketException e) {
      throw new IllegalStateException("an answer that came from " + to + " cannot go there", e);
    }
  }

  private static TcpHandler greet(TcpConnection connection, byte[] hostname, GoLog log) {
    log.line("TCP request from " + connection.remote());
    connection.write(hostname, 0, hostname.length);
    connection.close();
    return new TcpHandler() {
      @Override
      public void data(TcpConnection from, byte[] bytes, int offset, int count) {}

      @Override
      public void peerClosed(TcpConnection from) {}

      @Override
      public void failed(TcpConnection from, SocketError error) {}
    };
  }

  // ---- porter

  /** Serves what SERVE_PORT_80=text and SERVE_SCTP_PORT_… in the environment say. */
  private static Process porter(ProcessContext context) {
    GoLog log = new GoLog(context);
    context.env().entrySet().stream()
        .filter(entry -> entry.getKey().matches("SERVE_PORT_[0-9]{1,5}"))
        .sorted(Map.Entry.comparingByKey())
        .forEach(
            entry -> {
              int port = Integer.parseInt(entry.getKey().substring(11));
              try {
                new HttpServer(
                    context,
                    port,
                    new GoStyle(),
                    exchange ->
                        exchange.respond(
                            Response.of(200, "text/plain; charset=utf-8", entry.getValue())));
              } catch (SocketException | IllegalArgumentException e) {
                log.line("server on port \"" + port + "\" failed: " + e.getMessage());
              }
            });
    return untilSignal(context);
  }

  /** Datagrams by netexec's commands: {@code hostname}, {@code echo MSG}, {@code clientip}. */
  record Commands(ProcessContext context, GoLog log) implements UdpHandler {
    @Override
    public void datagram(UdpSocket socket, SocketAddress from, byte[] payload) {
      String text = new String(payload, StandardCharsets.UTF_8).strip();
      log.line("Got UDP command: \"" + text + "\"");
      String command = text.toLowerCase(Locale.ROOT);
      String answer = "";
      if (command.startsWith("echo ")) {
        answer = text.substring(5);
      } else if (command.equals("hostname")) {
        answer = context.hostname();
      } else if (command.equals("clientip")) {
        answer = from.toString();
      } else if (!text.isEmpty()) {
        log.line("Unknown UDP command received: " + text);
        return;
      }
      send(socket, from, answer.getBytes(StandardCharsets.UTF_8));
    }
  }
}
