package dev.paramecium.container.process.server;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.ProcessContext.Child;
import dev.paramecium.container.process.ProcessContext.ChildSpec;
import dev.paramecium.container.process.ProcessContext.Output;
import dev.paramecium.container.process.http.Exchange;
import dev.paramecium.container.process.http.HttpServer;
import dev.paramecium.container.process.http.Request;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.process.net.Resolver;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code agnhost netexec [--http-port=8080] [--udp-port=8081]}: HTTP with /hostname, /clientip,
 * /echo, /dial, /shell, /healthz, /redirect, /exit, /shutdown, and the same commands over UDP.
 */
final class Netexec implements HttpServer.Service {

  private static final String PLAIN = "text/plain; charset=utf-8";
  private static final long DIAL_TIMEOUT_MS = 5000;

  private final ProcessContext context;
  private final GoLog log;
  private final boolean udp;

  private Netexec(ProcessContext context, boolean udp) {
    this.context = context;
    this.log = new GoLog(context);
    this.udp = udp;
  }

  static Process start(ProcessContext context, GoFlags flags) {
    int httpPort = flags.number("http-port", 8080);
    int udpPort = flags.number("udp-port", 8081);
    Netexec netexec = new Netexec(context, udpPort != -1);
    GoLog log = netexec.log;
    try {
      if (udpPort != -1) {
        context.sockets().bindUdp(Ipv4Address.ANY, udpPort, new Agnhost.Commands(context, log));
        log.line("Started UDP server on port  " + udpPort);
      }
      new HttpServer(context, httpPort, new GoStyle(), netexec);
      log.line("Started HTTP server on port " + httpPort);
    } catch (SocketException e) {
      log.line("listen :" + httpPort + ": bind: " + Agnhost.lower(e.error()));
      context.exit(1);
    }
    return Agnhost.untilSignal(context);
  }

  @Override
  public void handle(Exchange exchange) {
    Request request = exchange.request();
    switch (request.path()) {
      case "/clientip" -> answer(exchange, "/clientip", exchange.client().toString());
      case "/hostname", "/hostName" -> answer(exchange, request.path(), context.hostname());
      case "/echo" -> echo(exchange);
      case "/healthz" -> {
        log.line("GET /healthz");
        exchange.respond(
            new Response(udp ? 200 : 412, Response.of(200, PLAIN, "").headers(), new byte[0]));
      }
      case "/redirect" -> redirect(exchange);
      case "/dial" -> dial(exchange);
      case "/shell" -> shell(exchange);
      case "/exit" -> exit(exchange);
      case "/shutdown" -> {
        log.line("GET /shutdown");
        context.exit(0);
      }
      default -> answer(exchange, "/", "NOW: " + Instant.ofEpochMilli(context.clock().epochMs()));
    }
  }

  private void answer(Exchange exchange, String logged, String text) {
    log.line("GET " + logged);
    exchange.respond(Response.of(200, PLAIN, text));
  }

  private static Response error(int status, String message) {
    return Response.of(status, PLAIN, message + "\n");
  }

  /** A parameter of the query, or of the form in the body. */
  private static String form(Exchange exchange, String name) {
    String value = exchange.request().parameter(name);
    if (!value.isEmpty()) {
      return value;
    }
    String body = new String(exchange.request().body(), StandardCharsets.UTF_8);
    List<String> values = Request.parameters(body).get(name);
    return values == null ? "" : values.getFirst();
  }

  private void echo(Exchange exchange) {
    String message = form(exchange, "msg");
    String code = form(exchange, "code");
    log.line("GET /echo?msg=" + message + "&code=" + code);
    if (!code.isEmpty() && !code.matches("[1-9][0-9]{2}")) {
      exchange.respond(
          Response.of(
              200, PLAIN, "argument 'code' must be an integer or empty, got \"" + code + "\"\n"));
      return;
    }
    exchange.respond(Response.of(code.isEmpty() ? 200 : Integer.parseInt(code), PLAIN, message));
  }

  private void redirect(Exchange exchange) {
    String location = form(exchange, "location");
    String code = form(exchange, "code");
    log.line("GET /redirect?location=" + location + "&code=" + code);
    int status = code.matches("3[0-9]{2}") ? Integer.parseInt(code) : 302;
    Response response = Response.of(status, PLAIN, "");
    response.headers().add("Location", location.replaceAll("[\\r\\n]", ""));
    exchange.respond(response);
  }

  private void exit(Exchange exchange) {
    String code = form(exchange, "code");
    long waitMs = GoFlags.duration(form(exchange, "wait").isEmpty() ? "0" : form(exchange, "wait"));
    log.line("GET /exit?code=" + code);
    if (waitMs < 0 || !code.matches("[0-9]{0,3}")) {
      exchange.respond(
          Response.of(200, PLAIN, "argument 'code' must be an integer [0-127] or empty\n"));
      return;
    }
    int exitCode = code.isEmpty() ? 0 : Integer.parseInt(code);
    exchange.respond(Response.of(200, PLAIN, ""));
    context.sockets().schedule(waitMs, () -> context.exit(exitCode));
  }

  private static Output into(ByteArrayOutputStream buffer) {
    return bytes -> {
      buffer.writeBytes(bytes);
      return true;
    };
  }

  // ---- /shell

  private void shell(Exchange exchange) {
    String command = form(exchange, "shellCommand");
    String script = command.isEmpty() ? form(exchange, "cmd") : command;
    log.line("GET /shell?cmd=" + script);
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    Output collect = into(output);
    Child child =
        context.spawn(
            new ChildSpec(List.of("/bin/sh", "-c", script), context.env(), false, collect, collect),
            code -> {
              Map<String, Object> answer = new TreeMap<>();
              if (output.size() > 0) {
                answer.put("output", output.toString(StandardCharsets.UTF_8));
              }
              if (code != 0) {
                answer.put("error", "exit status " + code);
              }
              exchange.respond(Response.of(200, PLAIN, Json.compact(answer)));
            });
    if (child == null) {
      exchange.respond(error(417, "fork/exec /bin/sh: no such file or directory"));
    }
  }

  // ---- /dial

  private void dial(Exchange exchange) {
    Request request = exchange.request();
    String host = request.parameter("host");
    String port = request.parameter("port");
    String what = request.parameter("request");
    String protocol = request.parameter("protocol").toLowerCase(Locale.ROOT);
    String tries = request.parameter("tries");
    log.line(
        "GET /dial?host="
            + host
            + "&protocol="
            + protocol
            + "&port="
            + port
            + "&request="
            + what
            + "&tries="
            + tries);
    if (!tries.matches("[0-9]{0,3}")) {
      exchange.respond(error(400, "tries parameter is invalid. " + tries));
    } else if (what.isEmpty()) {
      exchange.respond(error(400, "request parameter not specified. <nil>"));
    } else if (!protocol.isEmpty() && !protocol.equals("http") && !protocol.equals("udp")) {
      exchange.respond(error(400, "unsupported protocol. " + protocol));
    } else if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65535) {
      exchange.respond(error(400, "host and/or port param are invalid. " + host + ":" + port));
    } else {
      int count = tries.isEmpty() ? 1 : Integer.parseInt(tries);
      new Resolver(context)
          .resolve(
              host,
              answer -> {
                if (answer instanceof Resolver.Answer.Found found) {
                  SocketAddress to =
                      new SocketAddress(found.addresses().getFirst(), Integer.parseInt(port));
                  new Dial(exchange, to, what, protocol.equals("udp"), count).next();
                } else {
                  exchange.respond(
                      error(
                          400,
                          "host and/or port param are invalid. lookup " + host + ": no such host"));
                }
              });
    }
  }

  /** One request after another to one address. */
  private final class Dial {
    private final Exchange exchange;
    private final SocketAddress to;
    private final String request;
    private final boolean overUdp;
    private int left;
    private final List<String> responses = new ArrayList<>();
    private final List<String> errors = new ArrayList<>();

    Dial(Exchange exchange, SocketAddress to, String request, boolean overUdp, int tries) {
      this.exchange = exchange;
      this.to = to;
      this.request = request;
      this.overUdp = overUdp;
      this.left = tries;
    }

    void next() {
      if (left-- <= 0) {
        Map<String, List<String>> answer = new TreeMap<>();
        if (!responses.isEmpty()) {
          answer.put("responses", responses);
        }
        if (!errors.isEmpty()) {
          answer.put("errors", errors);
        }
        exchange.respond(Response.of(200, PLAIN, Json.go(answer)));
      } else if (overUdp) {
        dialUdp();
      } else {
        dialHttp();
      }
    }

    private void took(@Nullable String response, @Nullable String error) {
      if (response != null) {
        responses.add(response);
      }
      if (error != null) {
        errors.add(error);
      }
      next();
    }

    /** curl is the HTTP client that every image has. */
    private void dialHttp() {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      String url = "http://" + to + "/" + request;
      ChildSpec spec =
          new ChildSpec(
              List.of("curl", "-sS", "-m", String.valueOf(DIAL_TIMEOUT_MS / 1000), url),
              context.env(),
              false,
              into(out),
              into(err));
      Child child =
          context.spawn(
              spec,
              code -> {
                if (code == 0) {
                  took(out.toString(StandardCharsets.UTF_8), null);
                } else {
                  String reason = err.toString(StandardCharsets.UTF_8).strip();
                  took(null, "Get \"" + url + "\": " + reason);
                }
              });
      if (child == null) {
        took(null, "Get \"" + url + "\": no HTTP client");
      }
    }

    private void dialUdp() {
      Answer answer = new Answer();
      try {
        UdpSocket socket = context.sockets().bindUdp(Ipv4Address.ANY, 0, answer);
        answer.socket = socket;
        socket.send(to, request.getBytes(StandardCharsets.UTF_8));
        context
            .sockets()
            .schedule(
                DIAL_TIMEOUT_MS,
                () -> answer.end(null, "read udp " + socket.local() + "->" + to + ": i/o timeout"));
      } catch (SocketException e) {
        answer.end(null, Agnhost.lower(e.error()));
      }
    }

    private final class Answer implements UdpHandler {
      private @Nullable UdpSocket socket;
      private boolean ended;

      void end(@Nullable String response, @Nullable String error) {
        if (!ended) {
          ended = true;
          if (socket != null) {
            socket.close();
          }
          took(
              response,
              error == null ? null : "reading from udp connection failed. err:'" + error + "'");
        }
      }

      @Override
      public void datagram(UdpSocket from, SocketAddress sender, byte[] payload) {
        end(new String(payload, StandardCharsets.UTF_8), null);
      }

      @Override
      public void error(UdpSocket from, SocketAddress remote, SocketError error) {
        end(null, Agnhost.lower(error));
      }
    }
  }
}
