package dev.paramecium.container.process.curl;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;
import dev.paramecium.container.process.http.Headers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code wget} of BusyBox: -O FILE, -q, -S, -T SEC, --spider, --header, --post-data. */
public final class Wget implements Process, Transfer.Observer {

  private static final int MAX_REDIRECTS = 5;

  private final ProcessContext context;
  private boolean quiet;
  private boolean showHeaders;
  private boolean spider;
  private String output = "";
  private final List<String> requestOptions = new ArrayList<>(List.of("-A", "Wget"));
  private byte @Nullable [] upload;
  private CurlOptions options;
  private Url url;
  private Statistics statistics = new Statistics();
  private @Nullable Transfer transfer;
  private int redirects;
  private boolean announced;
  private int exitCode;

  private Wget(ProcessContext context) throws CurlOptions.UsageException, Url.InvalidUrlException {
    this.context = context;
    List<String> argv = context.argv();
    String target = "";
    for (int i = 1; i < argv.size(); i++) {
      String word = argv.get(i);
      String value = word.substring(word.indexOf('=') + 1);
      if (word.equals("-q") || word.equals("-qO-")) {
        quiet = true;
        output = word.equals("-qO-") ? "-" : output;
      } else if (word.equals("-S")) {
        showHeaders = true;
      } else if (word.equals("--spider")) {
        spider = true;
      } else if (word.startsWith("--header=")) {
        requestOptions.addAll(List.of("-H", value));
      } else if (word.startsWith("--timeout=")) {
        requestOptions.addAll(List.of("-m", value));
      } else if (word.startsWith("--post-data=")) {
        requestOptions.addAll(List.of("--data-raw", value));
      } else if (word.startsWith("-") && word.length() > 1) {
        i += takeShort(argv, i);
      } else {
        target = word;
      }
    }
    if (target.isEmpty()) {
      throw new CurlOptions.UsageException(1, "missing URL: wget [-qS] [-O FILE] [-T SEC] URL");
    }
    options = CurlOptions.parse(requestOptions, context.files());
    upload = options.data();
    url = Url.parse(target);
    if (output.isEmpty()) {
      String name = url.fileName();
      output = name == null ? "index.html" : name;
    }
  }

  /** Options with one letter; answers how many further words were taken. */
  private int takeShort(List<String> argv, int at) throws CurlOptions.UsageException {
    String word = argv.get(at);
    boolean hasValue = word.length() > 2;
    String value = hasValue ? word.substring(2) : at + 1 < argv.size() ? argv.get(at + 1) : "";
    switch (word.substring(0, 2)) {
      case "-O" -> output = value;
      case "-T" -> requestOptions.addAll(List.of("-m", value));
      case "-U" -> requestOptions.addAll(List.of("-A", value));
      case "-q" -> {
        quiet = true;
        if (word.equals("-qO")) {
          output = at + 1 < argv.size() ? argv.get(at + 1) : "";
          return 1;
        }
        return 0;
      }
      case "-t", "-Y" -> {}
      default -> throw new CurlOptions.UsageException(1, "unrecognized option: " + word);
    }
    return hasValue ? 0 : 1;
  }

  public static Process start(ProcessContext context) {
    try {
      Wget wget = new Wget(context);
      wget.begin();
      return wget;
    } catch (CurlOptions.UsageException | Url.InvalidUrlException e) {
      context.printError("wget: " + e.getMessage() + "\n");
      context.exit(1);
      return _ -> {};
    }
  }

  private void say(String text) {
    if (!quiet) {
      context.printError(text);
    }
  }

  private void begin() {
    statistics = new Statistics();
    statistics.startNs = context.clock().nanos();
    String method = spider ? "HEAD" : upload == null ? "GET" : "POST";
    Transfer next =
        new Transfer(context, options, url, method, upload, statistics, new Link(0), this);
    transfer = next;
    next.start(options.maxTimeMs);
  }

  @Override
  public void note(String text) {
    if (text.startsWith("  Trying ")) {
      String remote = text.substring(9, text.length() - 3);
      say("Connecting to " + url.authority() + " (" + remote + ")\n");
    }
  }

  @Override
  public void requestHead(String text) {}

  @Override
  public void sent(int bytes) {}

  @Override
  public void responseHead(String text) {
    if (showHeaders) {
      text.lines().filter(line -> !line.isEmpty()).forEach(line -> say("  " + line + "\n"));
    }
    String status = text.lines().findFirst().orElse("");
    if (status.matches("HTTP/1\\.. [45].*")) {
      exitCode = 1;
      context.printError("wget: server returned error: " + status + "\n");
    }
  }

  @Override
  public boolean body(byte[] bytes, int from, int count) {
    if (exitCode != 0 || statistics.httpCode >= 300) {
      return true;
    }
    byte[] piece = Arrays.copyOfRange(bytes, from, from + count);
    if (output.equals("-")) {
      if (!announced) {
        announced = true;
        say("writing to stdout\n");
      }
      return context.stdout(piece);
    }
    boolean stored;
    if (announced) {
      stored = context.files().append(output, piece);
    } else {
      announced = true;
      say("saving to '" + output + "'\n");
      stored = context.files().write(output, piece);
    }
    if (!stored) {
      exitCode = 1;
      context.printError("wget: write error: No space left on device\n");
    }
    return true;
  }

  @Override
  public void done(Headers headers, @Nullable Link reusable) {
    if (reusable != null) {
      reusable.close();
    }
    String location = headers.get("Location");
    if (exitCode == 0 && location != null && statistics.httpCode >= 300) {
      if (++redirects > MAX_REDIRECTS) {
        context.printError("wget: too many redirections\n");
        context.exit(1);
        return;
      }
      try {
        url = url.resolve(location);
      } catch (Url.InvalidUrlException e) {
        context.printError("wget: " + e.getMessage() + "\n");
        context.exit(1);
        return;
      }
      upload = null;
      begin();
      return;
    }
    if (exitCode == 0) {
      finished();
    }
    context.exit(exitCode);
  }

  private void finished() {
    if (spider) {
      say("remote file exists\n");
      return;
    }
    String shown = output.equals("-") ? "-" : output;
    say(
        String.format(
            Locale.ROOT,
            "%-20.20s 100%% |********************************| %5d  0:00:00 ETA\n",
            shown,
            statistics.downloaded));
    say(output.equals("-") ? "written to stdout\n" : "'" + output + "' saved\n");
  }

  @Override
  public void failed(Failure failure) {
    String remote = statistics.remote == null ? "" : statistics.remote.address().toString();
    context.printError(
        switch (failure.code()) {
          case Failure.COULDNT_RESOLVE_HOST -> "wget: bad address '" + url.host() + "'\n";
          case Failure.COULDNT_CONNECT ->
              "wget: can't connect to remote host (" + remote + "): Connection refused\n";
          case Failure.OPERATION_TIMEDOUT -> "wget: download timed out\n";
          default -> "wget: error getting response: " + failure.message() + "\n";
        });
    context.exit(1);
  }

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
