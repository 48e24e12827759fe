package dev.paramecium.container.process.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.http.Exchange;
import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.process.http.HttpServer;
import dev.paramecium.container.process.http.Request;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.socket.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * {@code kennethreitz/httpbin}: answers with what it was asked, on port 80 or {@code -b :PORT}.
 * Routes, methods and JSON as httpbin 0.9.2 under Flask.
 */
public final class Httpbin implements Process, HttpServer.Service {

  private static final int MAX_RANDOM_BYTES = 100 * 1024;
  private static final int MAX_STREAM = 100;
  private static final double MAX_DELAY_SECONDS = 10;
  private static final List<String> ANY_METHOD =
      List.of("GET", "POST", "PUT", "DELETE", "PATCH", "TRACE");

  private final ProcessContext context;

  private Httpbin(ProcessContext context) {
    this.context = context;
  }

  public static Process start(ProcessContext context) {
    Httpbin httpbin = new Httpbin(context);
    int port = port(context.argv());
    try {
      new HttpServer(context, port, new GunicornStyle(), httpbin);
    } catch (SocketException e) {
      httpbin.log("ERROR", "Connection in use: ('0.0.0.0', " + port + ")");
      context.exit(1);
      return httpbin;
    }
    httpbin.log("INFO", "Starting gunicorn 19.9.0");
    httpbin.log("INFO", "Listening at: http://0.0.0.0:" + port + " (1)");
    httpbin.log("INFO", "Using worker: gevent");
    httpbin.log("INFO", "Booting worker with pid: 8");
    return httpbin;
  }

  /** {@code -b 0.0.0.0:8080} or {@code --bind …}. */
  private static int port(List<String> argv) {
    for (int i = 1; i + 1 < argv.size(); i++) {
      if (argv.get(i).equals("-b") || argv.get(i).equals("--bind")) {
        String digits = argv.get(i + 1).substring(argv.get(i + 1).lastIndexOf(':') + 1);
        if (digits.matches("[0-9]{1,5}") && Integer.parseInt(digits) < 65536) {
          return Integer.parseInt(digits);
        }
      }
    }
    return 80;
  }

  private void log(String level, String message) {
    String time =
        DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss +0000", Locale.ROOT)
            .withZone(ZoneOffset.UTC)
            .format(Instant.ofEpochMilli(context.clock().epochMs()));
    context.printError("[" + time + "] [1] [" + level + "] " + message + "\n");
  }

  @Override
  public void signal(int number) {
    log("INFO", "Handling signal: " + (number == Signals.SIGTERM ? "term" : "int"));
    log("INFO", "Shutting down: Master");
    context.exit(0);
  }

  // ---- routes

  @Override
  public void handle(Exchange exchange) {
    Request request = exchange.request();
    String path = request.path();
    String[] parts = path.split("/", -1);
    String first = parts.length > 1 ? parts[1] : "";
    String argument = parts.length == 3 ? parts[2] : "";
    boolean bare = parts.length == 2;
    switch (first) {
      case "" -> {
        if (bare) {
          allow(exchange, List.of("GET"), () -> page(exchange));
        } else {
          notFound(exchange);
        }
      }
      case "get", "post", "put", "patch", "delete" -> {
        if (bare) {
          String method = first.toUpperCase(Locale.ROOT);
          allow(exchange, List.of(method), () -> echo(exchange, !method.equals("GET"), false));
        } else {
          notFound(exchange);
        }
      }
      case "anything" -> allow(exchange, ANY_METHOD, () -> echo(exchange, true, true));
      case "headers" ->
          get(exchange, bare, () -> json(exchange, Map.of("headers", headers(request))));
      case "ip" -> get(exchange, bare, () -> json(exchange, Map.of("origin", origin(exchange))));
      case "user-agent" -> get(exchange, bare, () -> json(exchange, userAgent(request)));
      case "uuid" -> get(exchange, bare, () -> json(exchange, Map.of("uuid", uuid().toString())));
      case "status" -> {
        if (argument.isEmpty()) {
          notFound(exchange);
        } else {
          allow(exchange, ANY_METHOD, () -> status(exchange, argument));
        }
      }
      case "delay" -> {
        if (argument.isEmpty()) {
          notFound(exchange);
        } else {
          allow(exchange, ANY_METHOD, () -> delay(exchange, argument));
        }
      }
      case "bytes" -> number(exchange, argument, n -> bytes(exchange, n));
      case "stream-bytes" -> number(exchange, argument, n -> streamBytes(exchange, n));
      case "stream" -> number(exchange, argument, n -> stream(exchange, n));
      case "redirect", "relative-redirect", "absolute-redirect" ->
          number(exchange, argument, n -> redirect(exchange, first, n));
      case "redirect-to" -> allow(exchange, ANY_METHOD, () -> redirectTo(exchange));
      case "base64" -> get(exchange, !argument.isEmpty(), () -> base64(exchange, argument));
      case "robots.txt" ->
          get(
              exchange,
              bare,
              () ->
                  respond(
                      exchange,
                      Response.of(200, "text/plain", "User-agent: *\nDisallow: /deny\n")));
      default -> notFound(exchange);
    }
  }

  private interface NumberRoute {
    void answer(int number);
  }

  private void number(Exchange exchange, String argument, NumberRoute route) {
    if (!argument.matches("[0-9]{1,9}")) {
      notFound(exchange);
    } else {
      allow(exchange, List.of("GET"), () -> route.answer(Integer.parseInt(argument)));
    }
  }

  private void get(Exchange exchange, boolean matches, Runnable route) {
    if (matches) {
      allow(exchange, List.of("GET"), route);
    } else {
      notFound(exchange);
    }
  }

  private void allow(Exchange exchange, List<String> methods, Runnable route) {
    String method = exchange.request().method();
    boolean asGet = method.equals("HEAD") && methods.contains("GET");
    if (methods.contains(method) || asGet) {
      route.run();
      return;
    }
    String allowed =
        String.join(", ", methods) + (methods.contains("GET") ? ", HEAD" : "") + ", OPTIONS";
    if (method.equals("OPTIONS")) {
      Headers headers = Headers.of("Content-Type", "text/html; charset=utf-8", "Allow", allowed);
      respond(exchange, new Response(200, headers, new byte[0]));
      return;
    }
    Response refused =
        error(405, "Method Not Allowed", "The method is not allowed for the requested URL.");
    refused.headers().add("Allow", allowed);
    respond(exchange, refused);
  }

  private static Response error(int status, String title, String text) {
    return Response.of(
        status,
        "text/html",
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<title>"
            + status
            + " "
            + title
            + "</title>\n<h1>"
            + title
            + "</h1>\n<p>"
            + text
            + "</p>\n");
  }

  private void notFound(Exchange exchange) {
    respond(
        exchange,
        error(
            404,
            "Not Found",
            "The requested URL was not found on the server.  If you entered the URL manually"
                + " please check your spelling and try again."));
  }

  /** Every answer carries the CORS fields. */
  private void respond(Exchange exchange, Response response) {
    exchange.respond(
        new Response(response.status(), cors(exchange, response.headers()), response.body()));
  }

  private static Headers cors(Exchange exchange, Headers headers) {
    Headers fields = new Headers().addAll(headers);
    fields.add("Access-Control-Allow-Origin", exchange.request().headers().get("Origin", "*"));
    fields.add("Access-Control-Allow-Credentials", "true");
    if (exchange.request().method().equals("OPTIONS")) {
      fields.add("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, PATCH, OPTIONS");
      fields.add("Access-Control-Max-Age", "3600");
    }
    return fields;
  }

  private void json(Exchange exchange, Map<String, ?> value) {
    respond(exchange, Response.of(200, "application/json", Json.pretty(value) + "\n"));
  }

  private void page(Exchange exchange) {
    respond(
        exchange,
        Response.of(
            200,
            "text/html; charset=utf-8",
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
                <meta charset="UTF-8">
                <title>httpbin.org</title>
            </head>
            <body>
                <h2 class="title">httpbin.org</h2>
                <p>A simple HTTP Request &amp; Response Service.</p>
            </body>
            </html>
            """));
  }

  // ---- what was asked, as httpbin tells it

  /** Field names as WSGI hands them on: joined by commas, each word with a capital. */
  private static Map<String, String> headers(Request request) {
    Map<String, String> fields = new TreeMap<>();
    for (Headers.Field field : request.headers().fields()) {
      StringBuilder name = new StringBuilder();
      boolean start = true;
      for (char c : field.name().replace('_', '-').toCharArray()) {
        name.append(start ? Character.toUpperCase(c) : Character.toLowerCase(c));
        start = c == '-';
      }
      fields.merge(name.toString(), field.value(), (a, b) -> a + "," + b);
    }
    if (fields.containsKey("Transfer-Encoding")) {
      fields.remove("Content-Length");
    }
    if (request.parameter("show_env").isEmpty() && !request.query().contains("show_env")) {
      fields.keySet().removeIf(HIDDEN::contains);
    }
    return fields;
  }

  /** What a proxy in front of httpbin.org adds, which httpbin hides. */
  private static final List<String> HIDDEN =
      List.of(
          "X-Varnish",
          "X-Request-Start",
          "X-Heroku-Queue-Depth",
          "X-Real-Ip",
          "X-Forwarded-Proto",
          "X-Forwarded-Protocol",
          "X-Forwarded-Ssl",
          "X-Heroku-Queue-Wait-Time",
          "X-Forwarded-For",
          "X-Heroku-Dynos-In-Use",
          "X-Forwarded-Port",
          "X-Request-Id",
          "Via",
          "Total-Route-Time",
          "Connect-Time");

  private static String origin(Exchange exchange) {
    return exchange
        .request()
        .headers()
        .get("X-Forwarded-For", exchange.client().address().toString());
  }

  private static Map<String, Object> userAgent(Request request) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("user-agent", headers(request).get("User-Agent"));
    return answer;
  }

  private static String url(Exchange exchange) {
    Request request = exchange.request();
    String host = request.headers().get("Host", exchange.server().toString());
    String scheme = request.headers().get("X-Forwarded-Proto", "http");
    String target = request.target();
    return scheme + "://" + host + (target.startsWith("/") ? target : "/" + target);
  }

  /** One value as text, several as a list. */
  private static Map<String, Object> flattened(Map<String, List<String>> parameters) {
    Map<String, Object> flat = new TreeMap<>();
    parameters.forEach(
        (name, values) -> flat.put(name, values.size() == 1 ? values.getFirst() : values));
    return flat;
  }

  private static Map<String, Object> asked(Exchange exchange) {
    Map<String, Object> answer = new TreeMap<>();
    answer.put("args", flattened(Request.parameters(exchange.request().query())));
    answer.put("headers", headers(exchange.request()));
    answer.put("origin", origin(exchange));
    answer.put("url", url(exchange));
    return answer;
  }

  private void echo(Exchange exchange, boolean body, boolean method) {
    json(exchange, withBody(exchange, body, method));
  }

  private static Map<String, Object> withBody(Exchange exchange, boolean body, boolean method) {
    Map<String, Object> answer = asked(exchange);
    if (method) {
      answer.put("method", exchange.request().method());
    }
    if (body) {
      String type = exchange.request().headers().get("Content-Type", "");
      String media = type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
      byte[] bytes = exchange.request().body();
      answer.put("data", "");
      answer.put("files", Map.of());
      answer.put("form", Map.of());
      answer.put("json", null);
      if (media.equals("application/x-www-form-urlencoded")) {
        String form = new String(bytes, StandardCharsets.UTF_8);
        answer.put("form", flattened(Request.parameters(form)));
      } else if (media.equals("multipart/form-data")) {
        MultipartForm form = MultipartForm.parse(type, bytes);
        answer.put("form", flattened(form.fields()));
        answer.put("files", flattened(form.files()));
      } else {
        answer.put("data", safeText(bytes));
        JsonNode parsed =
            bytes.length == 0 ? null : Json.parse(new String(bytes, StandardCharsets.UTF_8));
        answer.put("json", parsed);
      }
    }
    return answer;
  }

  /** Text as it is; anything else as a data URL. */
  static String safeText(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return "data:application/octet-stream;base64," + Base64.getEncoder().encodeToString(bytes);
    }
  }

  // ---- the routes that do more

  private void status(Exchange exchange, String codes) {
    String[] choices = codes.split(",", -1);
    int pick =
        choices.length == 1
            ? 0
            : Integer.remainderUnsigned(context.random().nextInt(), choices.length);
    String digits = choices[pick].split(":", 2)[0].strip();
    if (!digits.matches("[0-9]{1,4}")) {
      respond(exchange, Response.of(400, "text/html; charset=utf-8", "Invalid status code"));
      return;
    }
    int code = Integer.parseInt(digits);
    Headers headers = Headers.of("Content-Type", "text/html; charset=utf-8");
    String body = "";
    switch (code) {
      case 301, 302, 303, 305, 307 -> headers.add("Location", "/redirect/1");
      case 401 -> headers.add("WWW-Authenticate", "Basic realm=\"Fake Realm\"");
      case 407 -> headers.add("Proxy-Authenticate", "Basic realm=\"Fake Realm\"");
      case 402 -> headers.add("x-more-info", "http://vimeo.com/22053820");
      case 406 -> {
        headers = Headers.of("Content-Type", "application/json");
        Map<String, Object> refusal = new LinkedHashMap<>();
        refusal.put("message", "Client did not request a supported media type.");
        refusal.put(
            "accept", List.of("image/webp", "image/svg+xml", "image/jpeg", "image/png", "image/*"));
        body = Json.compact(refusal);
      }
      case 418 -> {
        headers.add("x-more-info", "http://tools.ietf.org/html/rfc2324");
        body = "\n    -=[ teapot ]=-\n";
      }
      default -> {}
    }
    respond(exchange, new Response(code, headers, body.getBytes(StandardCharsets.UTF_8)));
  }

  private void delay(Exchange exchange, String argument) {
    if (!argument.matches("[0-9]{1,6}(\\.[0-9]{1,9})?")) {
      respond(
          exchange,
          error(
              500,
              "Internal Server Error",
              "The server encountered an internal error and was unable to complete your request."
                  + "  Either the server is overloaded or there is an error in the application."));
      return;
    }
    double seconds = Math.min(Double.parseDouble(argument), MAX_DELAY_SECONDS);
    context
        .sockets()
        .schedule(
            Math.round(seconds * 1000),
            () -> {
              if (exchange.isOpen()) {
                Map<String, Object> answer = withBody(exchange, true, false);
                answer.remove("json");
                json(exchange, answer);
              }
            });
  }

  private byte[] random(int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) context.random().nextInt();
    }
    return bytes;
  }

  private void bytes(Exchange exchange, int count) {
    Headers type = Headers.of("Content-Type", "application/octet-stream");
    respond(exchange, new Response(200, type, random(Math.min(count, MAX_RANDOM_BYTES))));
  }

  private void streamBytes(Exchange exchange, int count) {
    byte[] all = random(Math.min(count, MAX_RANDOM_BYTES));
    String chunk = exchange.request().parameter("chunk_size");
    int size = chunk.matches("[1-9][0-9]{0,8}") ? Integer.parseInt(chunk) : 10 * 1024;
    exchange.stream(200, cors(exchange, Headers.of("Content-Type", "application/octet-stream")));
    for (int from = 0; from < all.length; from += size) {
      exchange.write(Arrays.copyOfRange(all, from, Math.min(all.length, from + size)));
    }
    exchange.end();
  }

  private void stream(Exchange exchange, int count) {
    Map<String, Object> asked = asked(exchange);
    Map<String, Object> line = new LinkedHashMap<>();
    for (String key : List.of("url", "args", "headers", "origin")) {
      line.put(key, asked.get(key));
    }
    exchange.stream(200, cors(exchange, Headers.of("Content-Type", "application/json")));
    for (int i = 0; i < Math.min(count, MAX_STREAM); i++) {
      line.put("id", i);
      exchange.write((Json.compact(line) + "\n").getBytes(StandardCharsets.UTF_8));
    }
    exchange.end();
  }

  private void redirect(Exchange exchange, String kind, int count) {
    if (count == 0) {
      notFound(exchange);
      return;
    }
    boolean absolute =
        kind.startsWith("absolute")
            || exchange.request().parameter("absolute").equalsIgnoreCase("true");
    String next =
        count == 1
            ? "/get"
            : (absolute ? "/absolute-redirect/" : "/relative-redirect/") + (count - 1);
    String host = exchange.request().headers().get("Host", exchange.server().toString());
    String location = absolute ? "http://" + host + next : next;
    Response response =
        kind.startsWith("relative")
            ? Response.of(302, "text/html; charset=utf-8", "")
            : Response.of(
                302,
                "text/html; charset=utf-8",
                "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n"
                    + "<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
                    + "<p>You should be redirected automatically to target URL: <a href=\""
                    + location
                    + "\">"
                    + location
                    + "</a>.  If not click the link.");
    response.headers().add("Location", location);
    respond(exchange, response);
  }

  private void redirectTo(Exchange exchange) {
    String target = exchange.request().parameter("url");
    if (target.isEmpty() || target.chars().anyMatch(c -> c < ' ' || c > 126)) {
      respond(
          exchange,
          error(
              400,
              "Bad Request",
              "The browser (or proxy) sent a request that this server could not understand."));
      return;
    }
    String wanted = exchange.request().parameter("status_code");
    int status = wanted.matches("3[0-9][0-9]") ? Integer.parseInt(wanted) : 302;
    Response response = Response.of(status, "text/html; charset=utf-8", "");
    response.headers().add("Location", target);
    respond(exchange, response);
  }

  private void base64(Exchange exchange, String value) {
    String decoded;
    try {
      decoded = new String(Base64.getUrlDecoder().decode(value), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      decoded = "Incorrect Base64 data try: SFRUUEJJTiBpcyBhd2Vzb21l";
    }
    respond(exchange, Response.of(200, "text/html; charset=utf-8", decoded));
  }

  /** A version 4 UUID (RFC 4122, 4.4) from the node's random source. */
  private UUID uuid() {
    long high = context.random().nextLong();
    long low = context.random().nextLong();
    return new UUID(
        (high & ~0xf000L) | 0x4000L, (low & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L);
  }
}
