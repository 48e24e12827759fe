package dev.paramecium.container.process.server;

import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.process.http.MalformedMessageException;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.process.http.ServerStyle;
import java.nio.charset.StandardCharsets;

/** Go's {@code net/http}, which agnhost is built on. */
final class GoStyle implements ServerStyle {

  /** Go keeps idle connections for ever; here a client that is gone is noticed after this long. */
  private static final long IDLE_MS = 180_000;

  @Override
  public Headers head(Head response) {
    Headers headers = new Headers().addAll(response.fields()).remove("Content-Type");
    headers.add("Date", response.date());
    response.frame(headers);
    String type = response.fields().get("Content-Type");
    if (type != null) {
      headers.add("Content-Type", type);
    }
    if (!response.keepAlive()) {
      headers.add("Connection", "close");
    }
    return headers;
  }

  @Override
  public Response malformed(MalformedMessageException fault) {
    String status = fault.status() + " " + Response.reason(fault.status());
    return new Response(
        fault.status(),
        Headers.of("Content-Type", "text/plain; charset=utf-8", "Connection", "close"),
        status.getBytes(StandardCharsets.US_ASCII));
  }

  @Override
  public long idleMs() {
    return IDLE_MS;
  }
}
