package dev.paramecium.container.probe;

import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.process.curl.TlsHello;
import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.process.http.MalformedMessageException;
import dev.paramecium.container.process.http.MessageParser;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.HttpReply;
import dev.paramecium.syscall.HttpRequest;
import dev.paramecium.syscall.Result;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * One GET as {@code pkg/probe/http} sends it: a connection of its own, redirects to the same host
 * followed, the answer's first bytes kept. No server in the emulated network speaks TLS: with https
 * it is sent a ClientHello, and its answer is told as Go tells it.
 */
public final class HttpGet implements TcpHandler, MessageParser.Listener {

  private static final int MAX_REDIRECTS = 10;
  private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.[01] ([0-9]{3})( .*)?");
  private static final String AWAITING = " (Client.Timeout exceeded while awaiting headers)";

  private final Sockets sockets;
  private final RandomSource random;
  private final HttpRequest request;
  private final ActorRef<Result<HttpReply>> replyTo;
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private MessageParser parser = new MessageParser(this);
  private Sockets.@Nullable Timer timer;
  private @Nullable TcpConnection connection;
  private SocketAddress remote;
  private String scheme;
  private String target;
  private byte[] unsent = {};
  private boolean connected;
  private boolean anyData;
  private int redirects;
  private int status;
  private String location = "";
  private boolean over;

  private HttpGet(
      Sockets sockets,
      RandomSource random,
      HttpRequest request,
      ActorRef<Result<HttpReply>> replyTo) {
    this.sockets = sockets;
    this.random = random;
    this.request = request;
    this.replyTo = replyTo;
    this.remote = new SocketAddress(request.address(), request.port());
    this.scheme = request.scheme();
    this.target = request.target();
  }

  /** Answers {@code replyTo} once, after the request's timeout at the latest. */
  public static void start(
      Sockets sockets,
      RandomSource random,
      HttpRequest request,
      ActorRef<Result<HttpReply>> replyTo) {
    HttpGet get = new HttpGet(sockets, random, request, replyTo);
    get.timer = sockets.schedule(request.timeoutMs(), get::timeOut);
    get.connect();
  }

  private void connect() {
    parser = new MessageParser(this);
    body.reset();
    connected = false;
    anyData = false;
    status = 0;
    location = "";
    try {
      connection = sockets.connect(remote, this);
    } catch (SocketException e) {
      fail(GoError.dial(remote, e.error()));
    }
  }

  private void timeOut() {
    end(
        Result.failed(
            Errno.ETIMEDOUT,
            !connected
                ? GoError.dialTimeout(remote) + AWAITING
                : status == 0
                    ? "context deadline exceeded" + AWAITING
                    : "context deadline exceeded (Client.Timeout or context cancellation while"
                        + " reading body)"));
  }

  private void fail(String message) {
    end(Result.failed(Errno.EIO, message));
  }

  private void end(Result<HttpReply> result) {
    if (over) {
      return;
    }
    over = true;
    if (timer != null) {
      timer.cancel();
    }
    if (connection != null) {
      connection.close();
    }
    replyTo.tell(result);
  }

  // ---- the connection

  @Override
  public void connected(TcpConnection made) {
    connected = true;
    unsent =
        scheme.equals("https")
            ? TlsHello.clientHello(remote.address().toString(), random)
            : head().getBytes(StandardCharsets.UTF_8);
    writable(made);
  }

  private String head() {
    StringBuilder head = new StringBuilder("GET ").append(target).append(" HTTP/1.1\r\n");
    String host = remote.toString();
    for (HttpRequest.Header header : request.headers()) {
      if (header.name().equalsIgnoreCase("Host")) {
        host = header.value();
      }
    }
    head.append("Host: ").append(host).append("\r\n");
    for (HttpRequest.Header header : request.headers()) {
      if (!header.name().equalsIgnoreCase("Host")) {
        head.append(header.name()).append(": ").append(header.value()).append("\r\n");
      }
    }
    return head.append("Connection: close\r\n\r\n").toString();
  }

  @Override
  public void writable(TcpConnection to) {
    int sent = to.write(unsent, 0, unsent.length);
    unsent = Arrays.copyOfRange(unsent, sent, unsent.length);
  }

  @Override
  public void data(TcpConnection from, byte[] bytes, int offset, int count) {
    if (over || !from.equals(connection)) {
      return;
    }
    if (scheme.equals("https")) {
      boolean plain =
          new String(bytes, offset, count, StandardCharsets.ISO_8859_1).startsWith("HTTP/");
      fail(
          plain
              ? "http: server gave HTTP response to HTTPS client"
              : "tls: first record does not look like a TLS handshake");
      return;
    }
    anyData = true;
    try {
      parser.feed(bytes, offset, count);
    } catch (MalformedMessageException e) {
      fail("net/http: HTTP/1.x transport connection broken: " + e.getMessage());
    }
  }

  @Override
  public void peerClosed(TcpConnection from) {
    if (over || !from.equals(connection)) {
      return;
    }
    if (!anyData) {
      fail("EOF");
    } else if (!parser.closed() && !over) {
      fail("unexpected EOF");
    }
  }

  @Override
  public void failed(TcpConnection from, SocketError error) {
    if (from.equals(connection)) {
      fail(connected ? GoError.read(from.local(), remote, error) : GoError.dial(remote, error));
    }
  }

  // ---- the answer

  @Override
  public long head(String startLine, Headers headers) throws MalformedMessageException {
    Matcher matcher = STATUS_LINE.matcher(startLine);
    if (!matcher.matches()) {
      throw new MalformedMessageException(400, "malformed HTTP response \"" + startLine + "\"");
    }
    status = Integer.parseInt(matcher.group(1));
    location = headers.get("Location", "");
    boolean bodiless = status < 200 || status == 204 || status == 304;
    return bodiless ? 0 : MessageParser.bodyLength(headers, MessageParser.UNTIL_CLOSE);
  }

  @Override
  public void body(byte[] bytes, int from, int count) {
    int room = HttpReply.MAX_BODY - body.size();
    body.write(bytes, from, Math.min(room, count));
    if (body.size() == HttpReply.MAX_BODY) {
      answered();
    }
  }

  @Override
  public void end() {
    if (status >= 200) { // a 1xx is followed by the answer
      answered();
    }
  }

  private void answered() {
    if (over) {
      return;
    }
    boolean redirected = status >= 301 && status <= 308 && status != 304 && !location.isEmpty();
    URI next = redirected ? sameHost(location) : null;
    if (next == null) {
      end(Result.ok(new HttpReply(status, body.toString(StandardCharsets.UTF_8))));
    } else if (++redirects > MAX_REDIRECTS) {
      fail("stopped after " + MAX_REDIRECTS + " redirects");
    } else {
      follow(next);
    }
  }

  /** Where a Location leads, null if to another host or nowhere. */
  private @Nullable URI sameHost(String text) {
    try {
      URI next = URI.create(scheme + "://" + remote + target).resolve(text);
      boolean known = "http".equals(next.getScheme()) || "https".equals(next.getScheme());
      return known && remote.address().toString().equals(next.getHost()) ? next : null;
    } catch (IllegalArgumentException _) {
      return null;
    }
  }

  private void follow(URI next) {
    TcpConnection old = connection;
    connection = null;
    if (old != null) {
      old.close();
    }
    scheme = next.getScheme();
    int port = next.getPort() >= 0 ? next.getPort() : scheme.equals("https") ? 443 : 80;
    remote = new SocketAddress(remote.address(), port);
    String path =
        next.getRawPath() == null || next.getRawPath().isEmpty() ? "/" : next.getRawPath();
    target = next.getRawQuery() == null ? path : path + "?" + next.getRawQuery();
    connect();
  }
}
