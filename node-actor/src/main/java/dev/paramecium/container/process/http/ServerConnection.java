package dev.paramecium.container.process.http;

import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** One client of an {@link HttpServer}: reads a request, waits for its answer, reads the next. */
final class ServerConnection implements TcpHandler, MessageParser.Listener {

  private final HttpServer server;
  private final TcpConnection connection;
  private final MessageParser parser = new MessageParser(this);
  private final Deque<byte[]> output = new ArrayDeque<>();
  private int outputOffset;
  private byte[] unread = {};
  private boolean answering;
  private boolean parsing;
  private boolean keepAlive;
  private boolean closeWhenSent;
  private boolean peerClosed;
  private boolean open = true;
  private Sockets.@Nullable Timer idle;

  private String method = "";
  private String target = "";
  private int minorVersion = 1;
  private Headers headers = new Headers();
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();

  ServerConnection(HttpServer server, TcpConnection connection) {
    this.server = server;
    this.connection = connection;
    connection.setNoDelay(true);
    armIdle();
  }

  ProcessContext context() {
    return server.context();
  }

  SocketAddress remote() {
    return connection.remote();
  }

  SocketAddress local() {
    return connection.local();
  }

  boolean isOpen() {
    return open;
  }

  private void armIdle() {
    cancelIdle();
    idle = context().sockets().schedule(server.style().idleMs(), this::idleExpired);
  }

  private void cancelIdle() {
    if (idle != null) {
      idle.cancel();
      idle = null;
    }
  }

  private void idleExpired() {
    idle = null;
    if (!answering && output.isEmpty()) {
      close();
    }
  }

  // ---- what comes

  @Override
  public void data(TcpConnection from, byte[] bytes, int offset, int count) {
    if (!open || closeWhenSent) {
      return;
    }
    if (answering) {
      stash(bytes, offset, count);
      connection.pauseReading();
      return;
    }
    parse(bytes, offset, count);
  }

  private void stash(byte[] bytes, int offset, int count) {
    int old = unread.length;
    unread = Arrays.copyOf(unread, old + count);
    System.arraycopy(bytes, offset, unread, old, count);
  }

  private void parse(byte[] bytes, int offset, int count) {
    parsing = true;
    int at = offset;
    int limit = offset + count;
    try {
      while (at < limit && open && !closeWhenSent) {
        if (answering) {
          stash(bytes, at, limit - at);
          break;
        }
        at += parser.feed(bytes, at, limit - at);
      }
    } catch (MalformedMessageException e) {
      refuse(e);
    }
    parsing = false;
  }

  private void refuse(MalformedMessageException fault) {
    Response response = server.style().malformed(fault);
    keepAlive = false;
    send(
        ("HTTP/1.1 "
                + response.status()
                + " "
                + server.style().reason(response.status())
                + "\r\n"
                + response.headers()
                + "\r\n")
            .getBytes(StandardCharsets.ISO_8859_1));
    send(response.body());
    closeWhenSent = true;
    flush();
  }

  @Override
  public long head(String startLine, Headers fields) throws MalformedMessageException {
    String[] words = startLine.split(" ", -1);
    if (words.length != 3
        || !MessageParser.isToken(words[0])
        || words[1].isEmpty()
        || !words[2].matches("HTTP/1\\.[01]")) {
      throw new MalformedMessageException(400, "Invalid Request Line '" + startLine + "'");
    }
    method = words[0];
    target = words[1];
    minorVersion = words[2].charAt(7) - '0';
    headers = fields;
    body.reset();
    keepAlive =
        minorVersion > 0
            ? !fields.hasToken("Connection", "close")
            : fields.hasToken("Connection", "keep-alive");
    long length = MessageParser.bodyLength(fields, 0);
    if (length > HttpServer.MAX_BODY) {
      throw tooLarge();
    }
    if (length != 0 && "100-continue".equalsIgnoreCase(fields.get("Expect", ""))) {
      send("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }
    return length;
  }

  private static MalformedMessageException tooLarge() {
    return new MalformedMessageException(
        413, "a request body of more than " + HttpServer.MAX_BODY + " bytes");
  }

  @Override
  public void body(byte[] bytes, int from, int count) throws MalformedMessageException {
    if (body.size() + count > HttpServer.MAX_BODY) {
      throw tooLarge();
    }
    body.write(bytes, from, count);
  }

  @Override
  public void end() {
    answering = true;
    cancelIdle();
    Request request = new Request(method, target, minorVersion, headers, body.toByteArray());
    body.reset();
    server.service().handle(new Exchange(this, request, context().clock().nanos()));
  }

  // ---- what goes

  void sendHead(Request request, int status, Headers fields, long length) {
    if (length == MessageParser.UNTIL_CLOSE) {
      keepAlive = false;
    }
    Headers complete =
        server
            .style()
            .head(
                new ServerStyle.Head(
                    status,
                    fields,
                    length,
                    keepAlive,
                    ServerStyle.httpDate(context().clock().epochMs())));
    send(
        ("HTTP/1.1 " + status + " " + server.style().reason(status) + "\r\n" + complete + "\r\n")
            .getBytes(StandardCharsets.ISO_8859_1));
  }

  void send(byte[] bytes) {
    if (open && bytes.length > 0) {
      output.add(bytes);
      flush();
    }
  }

  void answered() {
    answering = false;
    if (!keepAlive) {
      closeWhenSent = true;
    }
    flush();
    if (open && !closeWhenSent) {
      armIdle();
      readOn();
    }
  }

  /** Goes on with what came while the last request was being answered. */
  private void readOn() {
    if (parsing) {
      return;
    }
    byte[] next = unread;
    unread = new byte[0];
    if (next.length > 0) {
      parse(next, 0, next.length);
    }
    if (open && unread.length == 0) {
      connection.resumeReading();
      if (peerClosed && !answering && output.isEmpty()) {
        close();
      }
    }
  }

  private void flush() {
    while (open) {
      byte[] next = output.peek();
      if (next == null) {
        if (closeWhenSent) {
          close();
        }
        return;
      }
      int taken = connection.write(next, outputOffset, next.length - outputOffset);
      outputOffset += taken;
      if (outputOffset < next.length) {
        return;
      }
      output.poll();
      outputOffset = 0;
    }
  }

  @Override
  public void writable(TcpConnection to) {
    flush();
  }

  @Override
  public void peerClosed(TcpConnection from) {
    peerClosed = true;
    if (!answering && output.isEmpty()) {
      close();
    }
  }

  private void close() {
    if (open) {
      open = false;
      cancelIdle();
      output.clear();
      connection.close();
    }
  }

  @Override
  public void failed(TcpConnection from, SocketError error) {
    open = false;
    cancelIdle();
    output.clear();
  }

  @Override
  public void closed(TcpConnection from) {
    open = false;
    cancelIdle();
  }
}
