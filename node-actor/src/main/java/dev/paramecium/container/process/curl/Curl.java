package dev.paramecium.container.process.curl;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.http.Headers;
import dev.paramecium.container.socket.Sockets;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code curl URL…}: the URLs one after another, each with its redirects and retries. */
public final class Curl implements Process {

  private static final String HINT =
      "curl: try 'curl --help' or 'curl --manual' for more information\n";
  private static final Set<Integer> TRANSIENT = Set.of(408, 429, 500, 502, 503, 504);
  private static final String STDOUT = "-";

  private final ProcessContext context;
  private final CurlOptions options;
  private int urlIndex;
  private Url url = new Url("http", "", "", 80, "/");
  private String method = "GET";
  private byte @Nullable [] upload;
  private Statistics statistics = new Statistics();
  private @Nullable Transfer transfer;
  private @Nullable Link idle;
  private String idleAuthority = "";
  private int links;
  private int retriesLeft;
  private long retryWaitMs;
  private int exitCode;
  private String output = STDOUT;
  private boolean outputCreated;
  private boolean skipBody;
  private boolean meter;
  private boolean meterShown;
  private Sockets.@Nullable Timer meterTimer;

  private Curl(ProcessContext context, CurlOptions options) {
    this.context = context;
    this.options = options;
  }

  /** curl as an {@link dev.paramecium.container.process.Executable}. */
  public static Process start(ProcessContext context) {
    List<String> argv = context.argv();
    try {
      CurlOptions options = CurlOptions.parse(argv.subList(1, argv.size()), context.files());
      if (options.version || options.help) {
        context.print(options.version ? version() : "Usage: curl [options...] <url>\n");
        context.exit(0);
      } else if (options.urls.isEmpty()) {
        context.printError("curl: (2) no URL specified\n" + HINT);
        context.exit(2);
      } else {
        Curl curl = new Curl(context, options);
        curl.nextUrl();
        return curl;
      }
    } catch (CurlOptions.UsageException e) {
      context.printError("curl: " + e.getMessage() + "\n" + HINT);
      context.exit(e.exitCode());
    }
    return _ -> {};
  }

  private static String version() {
    return "curl "
        + CurlOptions.VERSION
        + " (x86_64-pc-linux-musl) libcurl/"
        + CurlOptions.VERSION
        + "\nProtocols: http\nFeatures: IPv4\n";
  }

  // ---- one URL after another

  private void nextUrl() {
    if (urlIndex == options.urls.size()) {
      context.exit(exitCode);
      return;
    }
    retriesLeft = options.retry;
    retryWaitMs = 1000;
    restart();
  }

  /** Begins the current URL, anew after a retry. */
  private void restart() {
    String text = options.urls.get(urlIndex);
    statistics = new Statistics();
    statistics.url = text;
    statistics.urlEffective = text;
    statistics.startNs = context.clock().nanos();
    try {
      url = Url.parse(text);
      prepare();
    } catch (Url.InvalidUrlException e) {
      failed(new Failure(e.exitCode(), String.valueOf(e.getMessage())));
      return;
    } catch (CurlOptions.UsageException e) {
      failed(new Failure(e.exitCode(), String.valueOf(e.getMessage())));
      return;
    }
    if (meter && !meterShown) {
      meterShown = true;
      context.printError(Meter.HEADING + Meter.line(0, -1, 0, 0));
    }
    begin();
  }

  private void prepare() throws CurlOptions.UsageException {
    byte[] data = options.data();
    upload = null;
    method = "GET";
    if (options.uploadFile != null) {
      method = "PUT";
      upload = options.upload();
    } else if (data != null && options.get) {
      String query = new String(data, StandardCharsets.UTF_8);
      String target = url.target() + (url.target().contains("?") ? "&" : "?") + query;
      url = new Url(url.scheme(), url.user(), url.host(), url.port(), target);
    } else if (data != null) {
      method = "POST";
      upload = data;
    }
    if (options.head) {
      method = "HEAD";
    }
    if (options.request != null) {
      method = options.request;
    }
    output = urlIndex < options.outputs.size() ? options.outputs.get(urlIndex) : STDOUT;
    if (output.isEmpty()) {
      String name = url.fileName();
      if (name == null) {
        throw new CurlOptions.UsageException(23, "Remote file name has no length!");
      }
      output = name;
    }
    outputCreated = false;
    meter = !options.silent && (!output.equals(STDOUT) || !context.isTty());
  }

  /** Sends the request for {@link #url}. */
  private void begin() {
    statistics.method = method;
    statistics.urlEffective = url.toString();
    skipBody = false;
    scheduleMeter();
    long timeoutMs = 0;
    if (options.maxTimeMs > 0) {
      long elapsedMs = (context.clock().nanos() - statistics.startNs) / 1_000_000;
      timeoutMs = Math.max(1, options.maxTimeMs - elapsedMs);
    }
    String authority = url.scheme() + "://" + url.authority();
    Link left = idle;
    idle = null;
    if (left != null && left.isAlive() && idleAuthority.equals(authority)) {
      transfer = transferOn(left);
      transfer.startOnOpenLink(timeoutMs);
      return;
    }
    if (left != null) {
      left.close();
    }
    idleAuthority = authority;
    transfer = transferOn(new Link(links++));
    transfer.start(timeoutMs);
  }

  private Transfer transferOn(Link link) {
    return new Transfer(
        context, options, url, method, upload, statistics, link, new Relay(link.number()));
  }

  // ---- what a transfer does

  private final class Relay implements Transfer.Observer {
    private final int number;

    Relay(int number) {
      this.number = number;
    }

    private void trace(String mark, String text) {
      if (options.verbose) {
        StringBuilder lines = new StringBuilder();
        text.lines().forEach(line -> lines.append(mark).append(' ').append(line).append('\n'));
        context.printError(lines.toString());
      }
    }

    @Override
    public void note(String text) {
      trace("*", text);
    }

    @Override
    public void requestHead(String text) {
      trace(">", text);
    }

    @Override
    public void sent(int bytes) {
      if (options.verbose) {
        context.printError("} [" + bytes + " bytes data]\n");
      }
    }

    @Override
    public void responseHead(String text) {
      trace("<", text);
      if (options.include || options.head) {
        write(text.getBytes(StandardCharsets.UTF_8));
      }
      boolean redirect = text.matches("(?s)HTTP/1\\.. 3\\d\\d.*(?i)\r\nlocation:.*");
      skipBody = redirect && options.location;
    }

    @Override
    public boolean body(byte[] bytes, int from, int count) {
      if (options.verbose && (!context.isTty() || !output.equals(STDOUT))) {
        context.printError("{ [" + count + " bytes data]\n");
      }
      return skipBody || write(Arrays.copyOfRange(bytes, from, from + count));
    }

    @Override
    public void done(Headers headers, @Nullable Link reusable) {
      idle = reusable;
      note(
          reusable == null
              ? "Closing connection"
              : "Connection #" + number + " to host " + url.host() + " left intact");
      Curl.this.done(headers);
    }

    @Override
    public void failed(Failure failure) {
      note("Closing connection");
      Curl.this.failed(failure);
    }
  }

  private boolean write(byte[] bytes) {
    if (output.equals(STDOUT)) {
      return context.stdout(bytes);
    }
    boolean stored =
        outputCreated
            ? context.files().append(output, bytes)
            : context.files().write(output, bytes);
    outputCreated = true;
    if (!stored && exitCode == 0) {
      exitCode = Failure.WRITE_ERROR;
      context.printError(
          "Warning: Failed to write body to "
              + output
              + ": No space left on device\ncurl: (23) Failure writing output to destination\n");
    }
    return true;
  }

  private void done(Headers headers) {
    String location = headers.get("Location");
    int status = statistics.httpCode;
    if (location != null && status >= 300 && status < 400) {
      try {
        redirect(url.resolve(location), status);
        return;
      } catch (Url.InvalidUrlException e) {
        failed(new Failure(e.exitCode(), String.valueOf(e.getMessage())));
        return;
      }
    }
    if (retriesLeft > 0 && TRANSIENT.contains(status)) {
      retry("HTTP error");
      return;
    }
    if (options.failWithBody && status >= 400) {
      failed(
          new Failure(Failure.HTTP_RETURNED_ERROR, "The requested URL returned error: " + status));
      return;
    }
    finishUrl(0);
  }

  private void redirect(Url next, int status) {
    if (!options.location) {
      statistics.redirectUrl = next.toString();
      finishUrl(0);
      return;
    }
    if (statistics.redirects >= options.maxRedirs) {
      failed(
          new Failure(
              Failure.TOO_MANY_REDIRECTS,
              "Maximum (" + options.maxRedirs + ") redirects followed"));
      return;
    }
    statistics.redirects++;
    statistics.redirectNs = context.clock().nanos() - statistics.startNs;
    if (options.verbose) {
      context.printError("* Issue another request to this URL: '" + next + "'\n");
    }
    url = next;
    if (status <= 303 && upload != null) {
      upload = null;
      method = options.request == null ? "GET" : options.request;
    }
    cancelMeter();
    begin();
  }

  private void failed(Failure failure) {
    boolean retryable =
        failure.code() == Failure.OPERATION_TIMEDOUT
            || options.retryAllErrors
            || (options.retryConnRefused && failure.code() == Failure.COULDNT_CONNECT);
    if (retriesLeft > 0 && retryable) {
      retry(failure.code() == Failure.OPERATION_TIMEDOUT ? "timeout" : "connection refused");
      return;
    }
    statistics.errorMessage = failure.message();
    statistics.endNs = context.clock().nanos();
    cancelMeter();
    showMeter();
    if (meter) {
      context.printError("\n");
    }
    if (!options.silent || options.showError) {
      context.printError("curl: (" + failure.code() + ") " + failure.message() + "\n");
    }
    meter = false;
    finishUrl(failure.code());
  }

  private void retry(String problem) {
    long waitMs = options.retryDelayMs >= 0 ? options.retryDelayMs : retryWaitMs;
    retryWaitMs = Math.min(2 * retryWaitMs, 600_000);
    cancelMeter();
    if (!options.silent) {
      context.printError(
          "Warning: Problem: "
              + problem
              + ". Will retry in "
              + waitMs / 1000
              + " second"
              + (waitMs / 1000 == 1 ? "" : "s")
              + ". "
              + retriesLeft
              + " "
              + (retriesLeft == 1 ? "retry" : "retries")
              + " left.\n");
    }
    retriesLeft--;
    context.sockets().schedule(waitMs, this::restart);
  }

  private void finishUrl(int code) {
    statistics.exitCode = code;
    cancelMeter();
    if (meter) {
      showMeter();
      context.printError("\n");
    }
    if (!options.writeOut.isEmpty()) {
      context.print(statistics.expand(options.writeOut));
    }
    if (code != 0 || exitCode != Failure.WRITE_ERROR) {
      exitCode = code;
    }
    urlIndex++;
    nextUrl();
  }

  // ---- the progress meter

  private void scheduleMeter() {
    if (meter) {
      meterTimer =
          context
              .sockets()
              .schedule(
                  1000,
                  () -> {
                    showMeter();
                    scheduleMeter();
                  });
    }
  }

  private void cancelMeter() {
    if (meterTimer != null) {
      meterTimer.cancel();
      meterTimer = null;
    }
  }

  private void showMeter() {
    if (meter) {
      long expected = transfer == null ? -1 : transfer.bodyLength();
      long elapsed = context.clock().nanos() - statistics.startNs;
      context.printError(Meter.line(statistics.downloaded, expected, statistics.uploaded, elapsed));
    }
  }

  // ---- the process

  @Override
  public void outputDrained() {
    if (transfer != null) {
      transfer.drained();
    }
  }

  @Override
  public void signal(int number) {
    context.exit(Signals.exitCode(number));
  }
}
