package dev.paramecium.container.proxy;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.process.http.MalformedMessageException;
import dev.paramecium.container.process.http.MessageParser;
import dev.paramecium.container.process.http.Response;
import dev.paramecium.container.process.http.ServerStyle;
import dev.paramecium.container.proxy.LogRecord.Verdict;
import dev.paramecium.container.proxy.PolicyTable.HttpRequest;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection, and the one that goes on to whom it asked. Every request is checked on
 * its own; what may pass is passed on as it comes, one request after the other.
 *
 * <pre>
 *   client --request--&gt;  check  --allowed--&gt; server
 *          &lt;---403------   |
 *          &lt;--------------------response---- server
 * </pre>
 */
final class HttpSession implements TcpHandler {

  /** {@code http-request-timeout}, told to the server. */
  private static final String TIMEOUT_MS = "3600000";

  private static final int KEEP_ALIVE_MS = 300_000;
  private static final int KEEP_ALIVE_PROBES = 9;

  /** Fields that concern one connection only (RFC 9110, 7.6.1). */
  private static final Set<String> HOP_BY_HOP =
      Set.of("connection", "keep-alive", "proxy-connection", "te", "upgrade");

  private static final Set<String> FRAMING = Set.of("transfer-encoding", "content-length");

  /** Method, target without spaces and control characters, version. */
  private static final Pattern REQUEST_LINE =
      Pattern.compile(
          "[-!#$%&'*+.^_`|~0-9A-Za-z]+ ((/|http://)[\\x21-\\x7e\\x80-\\xff]*|[*]) HTTP/1\\.[01]");

  private final ProxyServices services;
  private final Supplier<PolicyTable> policies;
  private final boolean ingress;
  private final TcpConnection client;
  private final Outlet toClient;
  private final MessageParser requests = new MessageParser(new RequestReader());
  private byte[] unread = {};
  private boolean parsing;
  private boolean open = true;
  private @Nullable Upstream upstream;
  private @Nullable Exchange exchange;

  HttpSession(
      ProxyServices services,
      Supplier<PolicyTable> policies,
      boolean ingress,
      TcpConnection client) {
    this.services = services;
    this.policies = policies;
    this.ingress = ingress;
    this.client = client;
    this.toClient = new Outlet(client);
    client.setNoDelay(true);
    client.setKeepAlive(KEEP_ALIVE_MS, KEEP_ALIVE_MS, KEEP_ALIVE_PROBES);
  }

  /** A request that waits for its answer. */
  private static final class Exchange {
    private final String method;
    private final String url;
    private final boolean keepAlive;
    private boolean chunkedRequest;
    private boolean requestComplete;
    private boolean answered;
    private boolean chunkedResponse;
    private boolean upgrade;
    private int status;
    private long sentNs;

    Exchange(String method, String url, boolean keepAlive) {
      this.method = method;
      this.url = url;
      this.keepAlive = keepAlive;
    }
  }

  // ---- from the client

  @Override
  public void data(TcpConnection from, byte[] bytes, int offset, int count) {
    if (!open) {
      return;
    }
    Upstream server = upstream;
    if (server != null && server.tunnel) {
      server.write(Arrays.copyOfRange(bytes, offset, offset + count));
      pauseClientIf(server.isFull());
      return;
    }
    if (isWaiting()) {
      stash(bytes, offset, count);
      client.pauseReading();
      return;
    }
    parse(bytes, offset, count);
  }

  private boolean isWaiting() {
    return exchange != null && exchange.requestComplete;
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
      while (at < limit && open) {
        if (isWaiting()) {
          stash(bytes, at, limit - at);
          break;
        }
        at += requests.feed(bytes, at, limit - at);
      }
    } catch (MalformedMessageException e) {
      answerLocally(e.status(), Headers.of(), "", false);
    }
    parsing = false;
    Upstream server = upstream;
    if (server != null) {
      pauseClientIf(server.isFull());
    }
  }

  private void pauseClientIf(boolean full) {
    if (full) {
      client.pauseReading();
    }
  }

  private final class RequestReader implements MessageParser.Listener {

    @Override
    public long head(String startLine, Headers headers) throws MalformedMessageException {
      return request(startLine, headers);
    }

    @Override
    public void body(byte[] bytes, int from, int count) {
      Upstream server = upstream;
      Exchange current = exchange;
      if (server != null && current != null) {
        server.write(piece(current.chunkedRequest, bytes, from, count));
      }
    }

    @Override
    public void end() {
      Exchange current = exchange;
      if (current == null) {
        return; // it has had its answer
      }
      Upstream server = upstream;
      if (current.chunkedRequest && server != null) {
        server.write(LAST_CHUNK);
      }
      current.requestComplete = true;
      current.sentNs = services.clock().nanos();
    }
  }

  private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private static byte[] piece(boolean chunked, byte[] bytes, int from, int count) {
    if (!chunked) {
      return Arrays.copyOfRange(bytes, from, from + count);
    }
    byte[] size = (Integer.toHexString(count) + "\r\n").getBytes(StandardCharsets.US_ASCII);
    byte[] chunk = Arrays.copyOf(size, size.length + count + 2);
    System.arraycopy(bytes, from, chunk, size.length, count);
    chunk[chunk.length - 2] = '\r';
    chunk[chunk.length - 1] = '\n';
    return chunk;
  }

  /** Checks a request and begins to pass it on, or answers it; tells how long its body is. */
  private long request(String startLine, Headers headers) throws MalformedMessageException {
    if (!REQUEST_LINE.matcher(startLine).matches()) {
      throw new MalformedMessageException(400, "no HTTP/1 request: '" + startLine + "'");
    }
    String[] words = startLine.split(" ", -1);
    if (words[2].endsWith("0")) {
      throw new MalformedMessageException(426, "HTTP/1.0 is not taken");
    }
    String host = only(headers, "Host");
    if (host == null) {
      throw new MalformedMessageException(400, "no Host");
    }
    requireOneLength(headers);
    String target = words[1];
    if (target.startsWith("http://")) {
      int slash = target.indexOf('/', 7);
      host = slash < 0 ? target.substring(7) : target.substring(7, slash);
      target = slash < 0 ? "/" : target.substring(slash);
      headers.remove("Host").add("Host", host);
    }
    long length = MessageParser.bodyLength(headers, 0);
    boolean keepAlive = !headers.hasToken("Connection", "close");
    if (RequestPath.hasEscapedSlash(target)) {
      Headers elsewhere = Headers.of("location", RequestPath.unescaped(target));
      answerLocally(307, elsewhere, "", keepAlive && length == 0);
      return length;
    }
    HttpRequest request = new HttpRequest(words[0], RequestPath.normalize(target), host, headers);
    Exchange current = new Exchange(words[0], "http://" + host + request.path(), keepAlive);
    exchange = current;
    PolicyTable.Endpoint endpoint = policies.get().of(endpointAddress());
    if (endpoint == null) {
      abort();
      return length;
    }
    int remote = identityOf(ingress ? client.remote() : client.local());
    int port = client.local().port();
    if (!endpoint.allows(ingress, remote, port, IpProtocol.TCP, request)) {
      log(LogRecord.Type.REQUEST, Verdict.DENIED, 403);
      exchange = null;
      answerLocally(403, Headers.of(), "Access denied\r\n", keepAlive && length == 0);
      return length;
    }
    log(LogRecord.Type.REQUEST, Verdict.FORWARDED, 0);
    current.chunkedRequest = length == MessageParser.CHUNKED;
    passOn(current, request, length);
    return length;
  }

  /**
   * A request whose end could be read in two ways is refused (RFC 9112, 6.3): the server might find
   * another request in it, which nobody has checked.
   */
  private static void requireOneLength(Headers headers) throws MalformedMessageException {
    String coding = only(headers, "Transfer-Encoding");
    String length = only(headers, "Content-Length");
    if (coding != null && length != null) {
      throw new MalformedMessageException(400, "Content-Length beside Transfer-Encoding");
    }
    if (coding != null && !coding.equalsIgnoreCase("chunked")) {
      throw new MalformedMessageException(501, "Transfer-Encoding " + coding);
    }
  }

  /** The value of a field that may be there once. */
  private static @Nullable String only(Headers headers, String name)
      throws MalformedMessageException {
    if (headers.fields().stream().filter(field -> field.name().equalsIgnoreCase(name)).count()
        > 1) {
      throw new MalformedMessageException(400, "more than one " + name);
    }
    return headers.get(name);
  }

  /** The pod that the rules are of. */
  private int endpointAddress() {
    return (ingress ? client.local() : client.remote()).address().value();
  }

  private int identityOf(SocketAddress of) {
    return services.identities().applyAsInt(of.address().value());
  }

  private void passOn(Exchange current, HttpRequest request, long length) {
    Upstream server = upstream();
    if (server == null) {
      return;
    }
    Headers headers = request.headers();
    if (length != 0 && "100-continue".equalsIgnoreCase(headers.get("Expect", ""))) {
      toClient.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      headers.remove("Expect");
    }
    current.upgrade = "websocket".equalsIgnoreCase(headers.get("Upgrade", ""));
    Headers out = passable(headers, current.upgrade);
    if (length == MessageParser.CHUNKED) {
      out.add("transfer-encoding", "chunked");
    } else if (headers.contains("Content-Length")) {
      out.add("content-length", Long.toString(length));
    }
    set(out, "x-forwarded-proto", "http");
    set(out, "x-envoy-internal", "true");
    set(out, "x-request-id", requestId());
    set(out, "x-envoy-expected-rq-timeout-ms", TIMEOUT_MS);
    String head = request.method() + " " + request.path() + " HTTP/1.1\r\n" + out + "\r\n";
    server.write(head.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static void set(Headers headers, String name, String value) {
    if (!headers.contains(name)) {
      headers.add(name, value);
    }
  }

  private String requestId() {
    long high =
        (long) services.random().nextInt() << 32 | services.random().nextInt() & 0xffffffffL;
    long low = (long) services.random().nextInt() << 32 | services.random().nextInt() & 0xffffffffL;
    // RFC 9562, 5.4: version 4, variant 10.
    return new UUID(high & ~0xf000L | 0x4000L, low & ~(3L << 62) | 1L << 63).toString();
  }

  /** What goes on to the other side, names in lower case; how its body ends is said anew. */
  private static Headers passable(Headers headers, boolean upgrade) {
    Headers out = new Headers();
    for (Headers.Field field : headers.fields()) {
      String name = field.name().toLowerCase(Locale.ROOT);
      boolean named =
          headers.hasToken("Connection", name) && !name.equals("upgrade") && !name.equals("host");
      if ((!HOP_BY_HOP.contains(name) || upgrade) && !named && !FRAMING.contains(name)) {
        out.add(name, field.value());
      }
    }
    return out;
  }

  // ---- to the server

  /** The connection that is there, or a new one; null, and the client has been told, without. */
  private @Nullable Upstream upstream() {
    if (upstream != null) {
      return upstream;
    }
    SocketAddress source = client.remote();
    SocketAddress destination = client.local();
    int mark = Marks.inNameOf(identityOf(source), ingress);
    Upstream server = new Upstream();
    try {
      TcpConnection connection =
          keepsSource()
              ? services.transparent().connectFrom(source, destination, mark, server)
              : services.transparent().connectMarked(destination, mark, server);
      server.start(connection);
      upstream = server;
      return server;
    } catch (SocketException e) {
      unavailable("connection failure");
      return null;
    }
  }

  /**
   * Whether the server sees the client's own address: not if the other side is an endpoint of this
   * node or the node itself, whose own connection has these ends, and not outside the cluster,
   * where nothing would bring the answers back.
   */
  private boolean keepsSource() {
    SocketAddress other = ingress ? client.remote() : client.local();
    int destination = ingress ? 0 : identityOf(client.local());
    return identityOf(client.remote()) != ReservedIdentity.HOST.id()
        && !isLocal(destination)
        && destination != ReservedIdentity.WORLD.id()
        && policies.get().of(other.address().value()) == null;
  }

  private static boolean isLocal(int identity) {
    return (identity & 1 << 24) != 0;
  }

  private void unavailable(String reason) {
    Exchange current = exchange;
    if (current == null || current.answered) {
      abort();
      return;
    }
    boolean keepAlive = current.keepAlive && current.requestComplete;
    log(LogRecord.Type.RESPONSE, Verdict.ERROR, 503);
    exchange = null;
    answerLocally(
        503,
        Headers.of(),
        "upstream connect error or disconnect/reset before headers. reset reason: " + reason,
        keepAlive);
  }

  /** The connection to the server. */
  private final class Upstream implements TcpHandler, MessageParser.Listener {

    private final MessageParser responses = new MessageParser(this);
    private @Nullable TcpConnection connection;
    private @Nullable Outlet outlet;
    private boolean interim;
    private boolean closeAfter;
    private boolean tunnel;

    private void write(byte[] bytes) {
      if (outlet != null) {
        outlet.write(bytes);
      }
    }

    private boolean isFull() {
      return outlet != null && outlet.isFull();
    }

    private void start(TcpConnection made) {
      connection = made;
      made.setNoDelay(true);
      outlet = new Outlet(made);
    }

    @Override
    public void data(TcpConnection from, byte[] bytes, int offset, int count) {
      int at = offset;
      int limit = offset + count;
      try {
        while (at < limit && open && upstream == this && !tunnel) {
          if (exchange == null) {
            break; // nobody asked
          }
          at += responses.feed(bytes, at, limit - at);
        }
      } catch (MalformedMessageException e) {
        drop();
        unavailable("protocol error");
        return;
      }
      if (tunnel && at < limit) {
        toClient.write(Arrays.copyOfRange(bytes, at, limit));
      }
      if (toClient.isFull()) {
        from.pauseReading();
      }
    }

    @Override
    public void writable(TcpConnection to) {
      if (outlet != null) {
        outlet.flush();
      }
      if (!isFull() && !isWaiting()) {
        client.resumeReading();
      }
    }

    @Override
    public void peerClosed(TcpConnection from) {
      if (upstream != this) {
        return;
      }
      responses.closed(); // completes an answer that ends with its connection
      drop();
      if (tunnel) {
        close();
      } else if (exchange != null) {
        unavailable("connection termination");
      }
    }

    @Override
    public void failed(TcpConnection from, SocketError error) {
      if (upstream == this) {
        upstream = null;
        if (exchange != null || tunnel) {
          unavailable(
              error == SocketError.CONNECTION_RESET
                  ? "connection termination"
                  : "connection failure");
        }
      }
    }

    private void drop() {
      if (upstream == this) {
        upstream = null;
      }
      if (connection != null) {
        connection.close();
      }
    }

    @Override
    public long head(String startLine, Headers headers) throws MalformedMessageException {
      Exchange current = exchange;
      if (current == null || !startLine.matches("HTTP/1\\.[01] [1-5][0-9][0-9]( .*)?")) {
        throw new MalformedMessageException(502, "no response: '" + startLine + "'");
      }
      current.status = Integer.parseInt(startLine.substring(9, 12));
      interim = current.status < 200 && current.status != 101;
      if (interim) {
        return 0;
      }
      tunnel = current.status == 101 && current.upgrade;
      long length = responseLength(current, headers);
      current.chunkedResponse =
          length == MessageParser.CHUNKED || length == MessageParser.UNTIL_CLOSE;
      closeAfter =
          length == MessageParser.UNTIL_CLOSE
              || headers.hasToken("Connection", "close")
              || startLine.startsWith("HTTP/1.0");
      current.answered = true;
      Headers out = passable(headers, tunnel).remove("server");
      if (current.chunkedResponse) {
        out.add("transfer-encoding", "chunked");
      } else if (headers.contains("Content-Length")) {
        out.add("content-length", headers.get("Content-Length", "0"));
      }
      out.add("x-envoy-upstream-service-time", Long.toString(elapsedMs(current)));
      sendHead(current.status, out, current.keepAlive && current.requestComplete);
      return length;
    }

    private static long responseLength(Exchange current, Headers headers)
        throws MalformedMessageException {
      boolean empty =
          current.method.equals("HEAD")
              || current.status == 101
              || current.status == 204
              || current.status == 304;
      return empty ? 0 : MessageParser.bodyLength(headers, MessageParser.UNTIL_CLOSE);
    }

    @Override
    public void body(byte[] bytes, int from, int count) {
      Exchange current = exchange;
      if (current != null) {
        toClient.write(piece(current.chunkedResponse, bytes, from, count));
      }
    }

    @Override
    public void end() {
      Exchange current = exchange;
      if (interim || current == null) {
        return;
      }
      if (current.chunkedResponse) {
        toClient.write(LAST_CHUNK);
      }
      if (closeAfter && !tunnel) {
        drop();
      }
      finish(current);
    }
  }

  private long elapsedMs(Exchange current) {
    long since = current.requestComplete ? current.sentNs : services.clock().nanos();
    return (services.clock().nanos() - since) / 1_000_000;
  }

  // ---- to the client

  private void sendHead(int status, Headers headers, boolean keepAlive) {
    if (!headers.contains("date")) {
      headers.add("date", ServerStyle.httpDate(services.clock().epochMs()));
    }
    headers.add("server", "envoy");
    if (!keepAlive && status != 101) {
      headers.add("connection", "close");
    }
    String reason = Response.reason(status);
    toClient.write(
        ("HTTP/1.1 " + status + " " + reason + "\r\n" + headers + "\r\n")
            .getBytes(StandardCharsets.ISO_8859_1));
  }

  /** The proxy's own answer. */
  private void answerLocally(int status, Headers headers, String body, boolean keepAlive) {
    byte[] bytes = body.getBytes(StandardCharsets.US_ASCII);
    if (bytes.length > 0) {
      headers.add("content-type", "text/plain");
    }
    headers.add("content-length", Integer.toString(bytes.length));
    sendHead(status, headers, keepAlive);
    toClient.write(bytes);
    if (keepAlive) {
      readOn();
    } else {
      close();
    }
  }

  private void finish(Exchange current) {
    log(LogRecord.Type.RESPONSE, Verdict.FORWARDED, current.status);
    exchange = null;
    Upstream server = upstream;
    if (current.status == 101 && server != null) {
      server.write(unread);
      unread = new byte[0];
      client.resumeReading();
    } else if (current.keepAlive && current.requestComplete) {
      readOn();
    } else {
      close();
    }
  }

  /** Goes on with what came while the last request was under way. */
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
      client.resumeReading();
    }
  }

  @Override
  public void writable(TcpConnection to) {
    toClient.flush();
    Upstream server = upstream;
    if (server != null && server.connection != null && !toClient.isFull()) {
      server.connection.resumeReading();
    }
  }

  /** As Envoy, which takes a half-closed connection for a closed one. */
  @Override
  public void peerClosed(TcpConnection from) {
    close();
  }

  @Override
  public void failed(TcpConnection from, SocketError error) {
    open = false;
    closeUpstream();
  }

  private void close() {
    if (open) {
      open = false;
      toClient.close();
      closeUpstream();
    }
  }

  /** Ends both connections at once: of the listener that goes, or for want of a rule. */
  void abort() {
    if (open) {
      open = false;
      client.abort();
      closeUpstream();
    }
  }

  private void closeUpstream() {
    Upstream server = upstream;
    upstream = null;
    if (server != null && server.connection != null) {
      server.connection.close();
    }
  }

  private void log(LogRecord.Type type, Verdict verdict, int code) {
    Exchange current = exchange;
    if (current == null) {
      return;
    }
    services
        .log()
        .accept(
            new LogRecord(
                services.clock().epochMs(),
                type,
                verdict,
                ingress,
                peer(client.remote()),
                peer(client.local()),
                new LogRecord.Http(code, current.method, current.url, "HTTP/1.1"),
                null));
  }

  private LogRecord.Peer peer(SocketAddress address) {
    PolicyTable.Endpoint endpoint = policies.get().of(address.address().value());
    return new LogRecord.Peer(address, endpoint == null ? 0 : endpoint.id(), identityOf(address));
  }
}
