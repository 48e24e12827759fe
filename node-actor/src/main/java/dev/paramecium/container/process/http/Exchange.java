package dev.paramecium.container.process.http;

import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketAddress;
import java.nio.charset.StandardCharsets;

/** One request and its answer. */
public final class Exchange {

  private final ServerConnection connection;
  private final Request request;
  private final long startedNs;
  private boolean answered;
  private boolean chunked;
  private int status;
  private long bodyBytes;

  Exchange(ServerConnection connection, Request request, long startedNs) {
    this.connection = connection;
    this.request = request;
    this.startedNs = startedNs;
  }

  public Request request() {
    return request;
  }

  public ProcessContext context() {
    return connection.context();
  }

  public SocketAddress client() {
    return connection.remote();
  }

  public SocketAddress server() {
    return connection.local();
  }

  /** How long ago the request was complete. */
  public long elapsedNs() {
    return context().clock().nanos() - startedNs;
  }

  /** For access logs: the status and body length that were sent. */
  public int status() {
    return status;
  }

  public long bodyBytes() {
    return bodyBytes;
  }

  /** Whether the client is still there; an answer to one that is gone goes nowhere. */
  public boolean isOpen() {
    return connection.isOpen();
  }

  /** Sends the whole answer. */
  public void respond(Response response) {
    boolean head = request.method().equals("HEAD");
    begin(response.status(), response.headers(), response.body().length);
    if (!head && response.status() != 204 && response.status() != 304) {
      bodyBytes = response.body().length;
      connection.send(response.body());
    }
    finish();
  }

  /** Starts an answer whose body comes with {@link #write} and ends with {@link #end}. */
  public void stream(int streamStatus, Headers headers) {
    chunked = request.minorVersion() > 0;
    begin(streamStatus, headers, chunked ? MessageParser.CHUNKED : MessageParser.UNTIL_CLOSE);
  }

  /** Starts an answer of known length whose body comes with {@link #write}. */
  public void stream(int streamStatus, Headers headers, long length) {
    begin(streamStatus, headers, length);
  }

  private void begin(int beginStatus, Headers headers, long length) {
    if (answered) {
      throw new IllegalStateException("a second answer to " + request.target());
    }
    answered = true;
    status = beginStatus;
    connection.sendHead(request, beginStatus, headers, length);
  }

  public void write(byte[] bytes) {
    if (bytes.length == 0 || request.method().equals("HEAD")) {
      return;
    }
    bodyBytes += bytes.length;
    if (chunked) {
      connection.send(
          (Integer.toHexString(bytes.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
      connection.send(bytes);
      connection.send(new byte[] {'\r', '\n'});
    } else {
      connection.send(bytes);
    }
  }

  public void end() {
    if (chunked && !request.method().equals("HEAD")) {
      connection.send("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }
    finish();
  }

  private void finish() {
    connection.answered();
  }
}
