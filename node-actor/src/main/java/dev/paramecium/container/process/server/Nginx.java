package dev.paramecium.container.process.server;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.http.Exchange;
import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.process.http.HttpServer;
import dev.paramecium.container.process.http.MalformedMessageException;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.process.http.ServerStyle;
import dev.paramecium.container.socket.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** {@code nginx} 1.25 with its default configuration: the welcome page on port 80. */
public final class Nginx implements Process, HttpServer.Service {

  private static final String VERSION = "nginx/1.25.3";
  private static final String WELCOME =
      """
      <!DOCTYPE html>
      <html>
      <head>
      <title>Welcome to nginx!</title>
      <style>
      html { color-scheme: light dark; }
      body { width: 35em; margin: 0 auto;
      font-family: Tahoma, Verdana, Arial, sans-serif; }
      </style>
      </head>
      <body>
      <h1>Welcome to nginx!</h1>
      <p>If you see this page, the nginx web server is successfully installed and
      working. Further configuration is required.</p>

      <p>For online documentation and support please refer to
      <a href="http://nginx.org/">nginx.org</a>.<br/>
      Commercial support is available at
      <a href="http://nginx.com/">nginx.com</a>.</p>

      <p><em>Thank you for using nginx.</em></p>
      </body>
      </html>
      """;

  private final ProcessContext context;

  private Nginx(ProcessContext context) {
    this.context = context;
  }

  public static Process start(ProcessContext context) {
    Nginx nginx = new Nginx(context);
    try {
      new HttpServer(context, 80, new Style(), nginx);
    } catch (SocketException e) {
      nginx.notice("emerg", "bind() to 0.0.0.0:80 failed (98: Address already in use)");
      context.exit(1);
      return nginx;
    }
    nginx.notice("notice", "using the \"epoll\" event method");
    nginx.notice("notice", VERSION);
    nginx.notice("notice", "start worker processes");
    return nginx;
  }

  private String time(String pattern) {
    return DateTimeFormatter.ofPattern(pattern, Locale.US)
        .withZone(ZoneOffset.UTC)
        .format(Instant.ofEpochMilli(context.clock().epochMs()));
  }

  private void notice(String level, String message) {
    context.printError(time("uuuu/MM/dd HH:mm:ss") + " [" + level + "] 1#1: " + message + "\n");
  }

  @Override
  public void handle(Exchange exchange) {
    String path = exchange.request().path();
    String method = exchange.request().method();
    Response response;
    if (!method.equals("GET") && !method.equals("HEAD")) {
      response = error(405, "405 Not Allowed");
    } else if (path.equals("/") || path.equals("/index.html")) {
      response =
          new Response(
              200,
              Headers.of(
                  "Content-Type", "text/html",
                  "Last-Modified", "Tue, 24 Oct 2023 13:46:47 GMT",
                  "ETag", "\"6537cac7-267\"",
                  "Accept-Ranges", "bytes"),
              WELCOME.getBytes(StandardCharsets.US_ASCII));
    } else {
      notice(
          "error",
          "open() \"/usr/share/nginx/html"
              + path
              + "\" failed (2: No such file or directory), client: "
              + exchange.client().address()
              + ", server: localhost, request: \""
              + method
              + " "
              + exchange.request().target()
              + " HTTP/1.1\"");
      response = error(404, "404 Not Found");
    }
    exchange.respond(response);
    Headers asked = exchange.request().headers();
    context.print(
        exchange.client().address()
            + " - - ["
            + time("dd/MMM/uuuu:HH:mm:ss +0000")
            + "] \""
            + method
            + " "
            + exchange.request().target()
            + " HTTP/1."
            + exchange.request().minorVersion()
            + "\" "
            + exchange.status()
            + " "
            + exchange.bodyBytes()
            + " \""
            + asked.get("Referer", "-")
            + "\" \""
            + asked.get("User-Agent", "-")
            + "\" \""
            + asked.get("X-Forwarded-For", "-")
            + "\"\n");
  }

  private static Response error(int status, String title) {
    String page =
        "<html>\r\n<head><title>"
            + title
            + "</title></head>\r\n<body>\r\n<center><h1>"
            + title
            + "</h1></center>\r\n<hr><center>"
            + VERSION
            + "</center>\r\n</body>\r\n</html>\r\n";
    return Response.of(status, "text/html", page);
  }

  @Override
  public void signal(int number) {
    notice("notice", "signal " + number + " received, exiting");
    context.exit(number == Signals.SIGTERM || number == Signals.SIGINT ? 0 : 128 + number);
  }

  private static final class Style implements ServerStyle {
    @Override
    public Headers head(Head response) {
      Headers fields = response.fields();
      Headers headers = Headers.of("Server", VERSION, "Date", response.date());
      headers.add("Content-Type", fields.get("Content-Type", "text/html"));
      response.frame(headers);
      String modified = fields.get("Last-Modified");
      if (modified != null) {
        headers.add("Last-Modified", modified);
      }
      headers.add("Connection", response.keepAlive() ? "keep-alive" : "close");
      if (modified != null) {
        headers.add("ETag", fields.get("ETag", "")).add("Accept-Ranges", "bytes");
      }
      return headers;
    }

    @Override
    public Response malformed(MalformedMessageException fault) {
      Response page = error(fault.status(), fault.status() + " " + reason(fault.status()));
      Headers headers =
          Headers.of("Server", VERSION)
              .addAll(page.headers())
              .add("Content-Length", String.valueOf(page.body().length))
              .add("Connection", "close");
      return new Response(page.status(), headers, page.body());
    }

    @Override
    public String reason(int status) {
      return status == 302
          ? "Moved Temporarily"
          : status == 405 ? "Not Allowed" : Response.reason(status);
    }

    @Override
    public long idleMs() {
      return 65_000;
    }
  }
}
