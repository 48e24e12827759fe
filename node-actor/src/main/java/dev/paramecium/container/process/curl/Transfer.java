package dev.paramecium.container.process.curl;

import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.process.http.MalformedMessageException;
import dev.paramecium.container.process.http.MessageParser;
import dev.paramecium.container.process.net.Resolver;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * One request and its response.
 *
 * <pre>
 *   resolve -&gt; connect (or a connection that is left) -&gt; send -&gt; head -&gt; body -&gt; done | failed
 * </pre>
 */
final class Transfer implements TcpHandler, MessageParser.Listener {

  /** Hears what a transfer does. */
  interface Observer {

    /** A line of -v, without its mark. */
    void note(String text);

    void requestHead(String text);

    void sent(int bytes);

    /** A complete head, as it came, to be shown or stored. */
    void responseHead(String text);

    /** A piece of the body, only lent; false to wait for {@link Transfer#drained}. */
    boolean body(byte[] bytes, int from, int count);

    /** The response is complete; {@code reusable} is the connection if it stays open. */
    void done(Headers headers, @Nullable Link reusable);

    void failed(Failure failure);
  }

  private final ProcessContext context;
  private final CurlOptions options;
  private final Url url;
  private final String method;
  private final byte @Nullable [] upload;
  private final Statistics statistics;
  private final Observer observer;

  private final Link link;
  private final MessageParser parser = new MessageParser(this);
  private byte[] output = {};
  private int outputOffset;
  private boolean connected;
  private boolean anyByte;
  private boolean headDone;
  private boolean closeAfter;
  private boolean finished;
  private boolean paused;
  private boolean peerClosed;
  private long bodyLength;
  private Headers headers = new Headers();
  private final StringBuilder rawHead = new StringBuilder();
  private Sockets.@Nullable Timer connectTimer;
  private Sockets.@Nullable Timer totalTimer;

  Transfer(
      ProcessContext context,
      CurlOptions options,
      Url url,
      String method,
      byte @Nullable [] upload,
      Statistics statistics,
      Link link,
      Observer observer) {
    this.context = context;
    this.options = options;
    this.url = url;
    this.method = method;
    this.upload = upload;
    this.statistics = statistics;
    this.link = link;
    this.observer = observer;
  }

  // ---- resolve and connect

  /**
   * Begins.
   *
   * @param timeoutMs what is left of --max-time, 0 for no limit
   */
  void start(long timeoutMs) {
    if (timeoutMs > 0) {
      totalTimer = context.sockets().schedule(timeoutMs, this::timedOut);
    }
    if (options.connectTimeoutMs > 0) {
      connectTimer = context.sockets().schedule(options.connectTimeoutMs, this::timedOut);
    }
    String pinned = pinned();
    new Resolver(context).resolve(pinned == null ? url.host() : pinned, this::resolved);
  }

  /** --resolve HOST:PORT:ADDRESS. */
  private @Nullable String pinned() {
    String prefix = url.host() + ":" + url.port() + ":";
    for (String entry : options.resolve) {
      if (entry.startsWith(prefix)) {
        return entry.substring(prefix.length());
      }
    }
    return null;
  }

  private void resolved(Resolver.Answer answer) {
    if (finished) {
      return;
    }
    switch (answer) {
      case Resolver.Answer.Found found -> {
        statistics.resolvedNs = context.clock().nanos();
        connect(new SocketAddress(found.addresses().getFirst(), url.port()));
      }
      case Resolver.Answer.NotFound _, Resolver.Answer.NoAnswer _ -> {
        String message = "Could not resolve host: " + url.host();
        observer.note(message);
        fail(new Failure(Failure.COULDNT_RESOLVE_HOST, message));
      }
    }
  }

  private void connect(SocketAddress remote) {
    statistics.remote = remote;
    statistics.connects++;
    observer.note("  Trying " + remote + "...");
    try {
      link.connect(context.sockets(), remote, this);
    } catch (SocketException e) {
      couldNotConnect(e.error());
    }
  }

  private void couldNotConnect(SocketError error) {
    SocketAddress remote = statistics.remote;
    observer.note(
        (error == SocketError.NETWORK_UNREACHABLE ? "Immediate connect fail for " : "connect to ")
            + (remote == null
                ? url.host()
                : error == SocketError.NETWORK_UNREACHABLE
                    ? remote.address() + ": "
                    : remote.address() + " port " + remote.port() + " failed: ")
            + error.text());
    String message =
        "Failed to connect to "
            + url.host()
            + " port "
            + url.port()
            + " after "
            + elapsedMs()
            + " ms: "
            + "Couldn't connect to server";
    observer.note(message);
    fail(
        new Failure(
            error == SocketError.TIMED_OUT ? Failure.OPERATION_TIMEDOUT : Failure.COULDNT_CONNECT,
            message));
  }

  private long elapsedMs() {
    return (context.clock().nanos() - statistics.startNs) / 1_000_000;
  }

  private void timedOut() {
    String message;
    if (connected) {
      String of = bodyLength > 0 ? " out of " + bodyLength : "";
      message =
          "Operation timed out after "
              + elapsedMs()
              + " milliseconds with "
              + statistics.downloaded
              + of
              + " bytes received";
    } else {
      message =
          (statistics.resolvedNs == 0 ? "Resolving" : "Connection")
              + " timed out after "
              + elapsedMs()
              + " milliseconds";
    }
    observer.note(message);
    fail(new Failure(Failure.OPERATION_TIMEDOUT, message));
  }

  /**
   * Begins on a connection that an earlier transfer left open.
   *
   * @param timeoutMs what is left of --max-time, 0 for no limit
   */
  void startOnOpenLink(long timeoutMs) {
    if (timeoutMs > 0) {
      totalTimer = context.sockets().schedule(timeoutMs, this::timedOut);
    }
    link.use(this);
    connected = true;
    statistics.resolvedNs = context.clock().nanos();
    statistics.connectedNs = statistics.resolvedNs;
    statistics.remote = link.connection().remote();
    statistics.local = link.connection().local();
    observer.note("Re-using existing connection with host " + url.host());
    sendRequest();
  }

  @Override
  public void connected(TcpConnection to) {
    connected = true;
    if (connectTimer != null) {
      connectTimer.cancel();
    }
    statistics.connectedNs = context.clock().nanos();
    statistics.local = to.local();
    observer.note(
        "Connected to "
            + url.host()
            + " ("
            + to.remote().address()
            + ") port "
            + to.remote().port());
    to.setNoDelay(true);
    if (url.isSecure()) {
      send(TlsHello.clientHello(url.host(), context.random()));
    } else {
      sendRequest();
    }
  }

  // ---- the request

  private void sendRequest() {
    Headers fields = Headers.of("Host", url.authority());
    String credentials = options.user.isEmpty() ? url.user() : options.user;
    if (!credentials.isEmpty()) {
      String pair = credentials.contains(":") ? credentials : credentials + ":";
      fields.add(
          "Authorization",
          "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)));
    }
    if (!options.userAgent.isEmpty()) {
      fields.add("User-Agent", options.userAgent);
    }
    fields.add("Accept", options.json ? "application/json" : "*/*");
    if (!options.referer.isEmpty()) {
      fields.add("Referer", options.referer);
    }
    if (!options.cookie.isEmpty()) {
      fields.add("Cookie", options.cookie);
    }
    byte[] body = upload == null ? new byte[0] : upload;
    if (upload != null) {
      fields.add("Content-Length", String.valueOf(body.length));
      if (options.json) {
        fields.add("Content-Type", "application/json");
      } else if (options.uploadFile == null) {
        fields.add("Content-Type", "application/x-www-form-urlencoded");
      }
    }
    String head =
        method
            + " "
            + url.target()
            + (options.http10 ? " HTTP/1.0" : " HTTP/1.1")
            + "\r\n"
            + options.merge(fields)
            + "\r\n";
    statistics.requestedNs = context.clock().nanos();
    statistics.requestBytes += head.length();
    statistics.uploaded += body.length;
    observer.requestHead(head);
    if (body.length > 0) {
      observer.sent(body.length);
    }
    byte[] start = head.getBytes(StandardCharsets.UTF_8);
    byte[] message = new byte[start.length + body.length];
    System.arraycopy(start, 0, message, 0, start.length);
    System.arraycopy(body, 0, message, start.length, body.length);
    send(message);
  }

  private void send(byte[] bytes) {
    output = bytes;
    outputOffset = 0;
    flush();
  }

  private void flush() {
    if (!finished && outputOffset < output.length) {
      outputOffset += link.connection().write(output, outputOffset, output.length - outputOffset);
    }
  }

  @Override
  public void writable(TcpConnection to) {
    flush();
  }

  // ---- the response

  @Override
  public void data(TcpConnection from, byte[] bytes, int offset, int count) {
    if (finished) {
      return;
    }
    if (!anyByte) {
      anyByte = true;
      statistics.firstByteNs = context.clock().nanos();
      if (url.isSecure()) {
        wrongVersion();
        return;
      }
      if (!looksLikeHttp(bytes, offset, count)) {
        fail(new Failure(Failure.UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed"));
        return;
      }
    }
    int at = offset;
    int limit = offset + count;
    try {
      while (at < limit && !finished) {
        at += parser.feed(bytes, at, limit - at);
      }
    } catch (MalformedMessageException e) {
      fail(new Failure(Failure.RECV_ERROR, String.valueOf(e.getMessage())));
    }
  }

  private void wrongVersion() {
    String message = "OpenSSL/3.1.4: error:0A00010B:SSL routines::wrong version number";
    observer.note(message);
    fail(new Failure(Failure.SSL_CONNECT_ERROR, message));
  }

  private static boolean looksLikeHttp(byte[] bytes, int from, int count) {
    String start = new String(bytes, from, Math.min(count, 5), StandardCharsets.ISO_8859_1);
    return "HTTP/".startsWith(start);
  }

  @Override
  public long head(String startLine, Headers fields) throws MalformedMessageException {
    if (!startLine.matches("HTTP/1\\.[01] [0-9]{3}( .*)?")) {
      throw new MalformedMessageException(400, "Unsupported HTTP version in response");
    }
    int status = Integer.parseInt(startLine.substring(9, 12));
    int minor = startLine.charAt(7) - '0';
    rawHead.setLength(0);
    rawHead.append(startLine).append("\r\n").append(fields).append("\r\n");
    statistics.headerBytes += rawHead.length();
    observer.responseHead(rawHead.toString());
    if (status < 200) {
      return 0;
    }
    headDone = true;
    headers = fields;
    statistics.headers = fields;
    statistics.httpCode = status;
    statistics.httpMinor = minor;
    closeAfter =
        fields.hasToken("Connection", "close")
            || (minor == 0 && !fields.hasToken("Connection", "keep-alive"));
    if (options.fail && status >= 400) {
      fail(new Failure(Failure.HTTP_RETURNED_ERROR, "The requested URL returned error: " + status));
      return 0;
    }
    if (method.equals("HEAD") || status == 204 || status == 304) {
      return 0;
    }
    long length = MessageParser.bodyLength(fields, MessageParser.UNTIL_CLOSE);
    bodyLength = length;
    closeAfter |= length == MessageParser.UNTIL_CLOSE;
    return length;
  }

  /** The body's announced length, or one of {@link MessageParser}'s constants. */
  long bodyLength() {
    return bodyLength;
  }

  @Override
  public void body(byte[] bytes, int from, int count) {
    if (finished) {
      return;
    }
    statistics.downloaded += count;
    if (!observer.body(bytes, from, count)) {
      paused = true;
      link.connection().pauseReading();
    }
  }

  /** Output has room again. */
  void drained() {
    if (paused && !finished) {
      paused = false;
      link.connection().resumeReading();
    }
  }

  @Override
  public void end() {
    if (finished || !headDone) {
      return;
    }
    finish();
    link.use(null);
    boolean reusable = !closeAfter && !peerClosed && outputOffset == output.length;
    if (!reusable) {
      link.close();
    } else if (paused) {
      link.connection().resumeReading();
    }
    observer.done(headers, reusable ? link : null);
  }

  @Override
  public void peerClosed(TcpConnection from) {
    peerClosed = true;
    if (finished) {
      return;
    }
    if (url.isSecure()) {
      fail(
          new Failure(
              Failure.SSL_CONNECT_ERROR,
              "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to "
                  + url.host()
                  + ":"
                  + url.port()));
    } else if (!anyByte) {
      observer.note("Empty reply from server");
      fail(new Failure(Failure.GOT_NOTHING, "Empty reply from server"));
    } else if (!parser.closed() && !finished) {
      long left = bodyLength - statistics.downloaded;
      String message =
          bodyLength > 0
              ? "transfer closed with " + left + " bytes remaining to read"
              : "transfer closed with outstanding read data remaining";
      observer.note(message);
      fail(new Failure(Failure.PARTIAL_FILE, message));
    }
  }

  @Override
  public void failed(TcpConnection from, SocketError error) {
    if (finished) {
      return;
    }
    if (!connected) {
      couldNotConnect(error);
    } else {
      String message = "Recv failure: " + error.text();
      observer.note(message);
      fail(new Failure(Failure.RECV_ERROR, message));
    }
  }

  private void fail(Failure failure) {
    if (finished) {
      return;
    }
    finish();
    link.use(null);
    link.close();
    observer.failed(failure);
  }

  private void finish() {
    finished = true;
    statistics.endNs = context.clock().nanos();
    if (connectTimer != null) {
      connectTimer.cancel();
    }
    if (totalTimer != null) {
      totalTimer.cancel();
    }
  }
}
