package dev.paramecium.container.process.server;

import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.process.http.MalformedMessageException;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.process.http.ServerStyle;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** gunicorn 19.9.0 with gevent workers. */
final class GunicornStyle implements ServerStyle {

  /** gunicorn's keepalive setting is 2 s; a head may take its timeout, 30 s. */
  private static final long IDLE_MS = 30_000;

  @Override
  public Headers head(Head response) {
    Headers headers =
        Headers.of(
            "Server",
            "gunicorn/19.9.0",
            "Date",
            response.date(),
            "Connection",
            response.keepAlive() ? "keep-alive" : "close");
    Headers fields = response.fields();
    String type = fields.get("Content-Type");
    if (type != null) {
      headers.add("Content-Type", type);
    }
    response.frame(headers);
    headers.addAll(new Headers().addAll(fields).remove("Content-Type"));
    return headers;
  }

  @Override
  public Response malformed(MalformedMessageException fault) {
    String reason = fault.status() == 413 ? "Request Entity Too Large" : "Bad Request";
    String detail =
        String.valueOf(fault.getMessage())
            .replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;")
            .replace("'", "&#x27;");
    String page =
        "<html>\n  <head>\n    <title>"
            + reason
            + "</title>\n  </head>\n  <body>\n    <h1><p>"
            + reason
            + "</p></h1>\n    "
            + detail
            + "\n  </body>\n</html>\n";
    byte[] body = page.getBytes(StandardCharsets.UTF_8);
    return new Response(
        fault.status(),
        Headers.of(
            "Connection",
            "close",
            "Content-Type",
            "text/html",
            "Content-Length",
            String.valueOf(body.length)),
        body);
  }

  @Override
  public String reason(int status) {
    return Response.reason(status).toUpperCase(Locale.ROOT);
  }

  @Override
  public long idleMs() {
    return IDLE_MS;
  }
}
