package dev.paramecium.container.process.http;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** In what an HTTP server differs from another, beside what it serves. */
public interface ServerStyle {

  /** The fields of a response, in the order in which this server sends them. */
  Headers head(Head response);

  /** The answer to what is not HTTP, after which the connection closes. */
  Response malformed(MalformedMessageException fault);

  /** The reason phrase that this server sends. */
  default String reason(int status) {
    return Response.reason(status);
  }

  /** How long an idle connection is kept, and how long a request's head may take. */
  long idleMs();

  /**
   * What a server knows when it sends a response's head.
   *
   * @param fields the application's
   * @param length of the body; {@link MessageParser#CHUNKED}, or {@link MessageParser#UNTIL_CLOSE}
   *     to an HTTP/1.0 client
   * @param date IMF-fixdate (RFC 9110, 5.6.7)
   */
  record Head(int status, Headers fields, long length, boolean keepAlive, String date) {

    /** The application's fields, then Content-Length or Transfer-Encoding. */
    public Headers framed() {
      Headers framed = new Headers().addAll(fields);
      return frame(framed);
    }

    /** Adds Content-Length or Transfer-Encoding where the status has a body. */
    public Headers frame(Headers headers) {
      if (length == MessageParser.CHUNKED) {
        headers.add("Transfer-Encoding", "chunked");
      } else if (length >= 0 && status >= 200 && status != 204 && status != 304) {
        headers.add("Content-Length", String.valueOf(length));
      }
      return headers;
    }
  }

  /** A time as HTTP writes it: {@code Mon, 09 Jan 2023 19:29:52 GMT}. */
  static String httpDate(long epochMs) {
    return DateTimeFormatter.ofPattern("EEE, dd MMM uuuu HH:mm:ss 'GMT'", Locale.US)
        .withZone(ZoneOffset.UTC)
        .format(Instant.ofEpochMilli(epochMs));
  }
}
