package dev.paramecium.container.process.curl;

import dev.paramecium.container.process.FileSystem;
import dev.paramecium.container.process.http.Headers;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** curl's command line. Fields are named as the long options. */
final class CurlOptions {

  /** A command line that curl refuses. */
  static final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;
    private final int exitCode;

    UsageException(int exitCode, String message) {
      super(message);
      this.exitCode = exitCode;
    }

    int exitCode() {
      return exitCode;
    }
  }

  static final String VERSION = "8.5.0";

  private static final Map<Character, String> LONG_NAMES =
      Map.ofEntries(
          Map.entry('s', "silent"),
          Map.entry('S', "show-error"),
          Map.entry('v', "verbose"),
          Map.entry('o', "output"),
          Map.entry('O', "remote-name"),
          Map.entry('w', "write-out"),
          Map.entry('m', "max-time"),
          Map.entry('X', "request"),
          Map.entry('H', "header"),
          Map.entry('d', "data"),
          Map.entry('I', "head"),
          Map.entry('i', "include"),
          Map.entry('L', "location"),
          Map.entry('k', "insecure"),
          Map.entry('f', "fail"),
          Map.entry('A', "user-agent"),
          Map.entry('u', "user"),
          Map.entry('G', "get"),
          Map.entry('4', "ipv4"),
          Map.entry('T', "upload-file"),
          Map.entry('0', "http1.0"),
          Map.entry('V', "version"),
          Map.entry('h', "help"),
          Map.entry('N', "no-buffer"),
          Map.entry('e', "referer"),
          Map.entry('b', "cookie"),
          Map.entry('Z', "parallel"));

  private static final List<String> WITH_VALUE =
      List.of(
          "output",
          "write-out",
          "max-time",
          "request",
          "header",
          "data",
          "data-raw",
          "data-binary",
          "data-ascii",
          "data-urlencode",
          "json",
          "user-agent",
          "user",
          "connect-timeout",
          "retry",
          "retry-delay",
          "retry-max-time",
          "upload-file",
          "max-redirs",
          "referer",
          "cookie",
          "url",
          "resolve",
          "limit-rate",
          "interface");

  boolean silent;
  boolean showError;
  boolean verbose;
  final List<String> outputs = new ArrayList<>();
  String writeOut = "";
  long maxTimeMs;
  long connectTimeoutMs;
  @Nullable String request;
  final List<String> headers = new ArrayList<>();
  private @Nullable ByteArrayOutputStream data;
  boolean json;
  boolean head;
  boolean include;
  boolean location;
  boolean fail;
  boolean failWithBody;
  String userAgent = "curl/" + VERSION;
  String user = "";
  boolean get;
  int retry;
  long retryDelayMs = -1;
  boolean retryConnRefused;
  boolean retryAllErrors;
  boolean http10;
  boolean version;
  boolean help;
  int maxRedirs = 50;
  @Nullable String uploadFile;
  String referer = "";
  String cookie = "";
  final List<String> urls = new ArrayList<>();
  final List<String> resolve = new ArrayList<>();

  private final FileSystem files;

  private CurlOptions(FileSystem files) {
    this.files = files;
  }

  static CurlOptions parse(List<String> arguments, FileSystem files) throws UsageException {
    CurlOptions options = new CurlOptions(files);
    boolean only = false;
    for (int i = 0; i < arguments.size(); i++) {
      String word = arguments.get(i);
      if (only || !word.startsWith("-") || word.equals("-")) {
        options.urls.add(word);
      } else if (word.equals("--")) {
        only = true;
      } else if (word.startsWith("--")) {
        String name = word.substring(2);
        if (WITH_VALUE.contains(name)) {
          if (++i == arguments.size()) {
            throw needsParameter(word);
          }
          options.set(name, arguments.get(i), word);
        } else {
          options.set(name, "", word);
        }
      } else {
        for (int at = 1; at < word.length(); at++) {
          String shown = "-" + word.charAt(at);
          String name = LONG_NAMES.get(word.charAt(at));
          if (name == null) {
            throw new UsageException(2, "option " + shown + ": is unknown");
          }
          if (!WITH_VALUE.contains(name)) {
            options.set(name, "", shown);
            continue;
          }
          String value = word.substring(at + 1);
          if (value.isEmpty()) {
            if (++i == arguments.size()) {
              throw needsParameter(shown);
            }
            value = arguments.get(i);
          }
          options.set(name, value, shown);
          break;
        }
      }
    }
    return options;
  }

  private static UsageException needsParameter(String option) {
    return new UsageException(2, "option " + option + ": requires parameter");
  }

  private void set(String name, String value, String shown) throws UsageException {
    switch (name) {
      case "silent" -> silent = true;
      case "no-silent" -> silent = false;
      case "show-error" -> showError = true;
      case "verbose" -> verbose = true;
      case "output" -> outputs.add(value);
      case "remote-name" -> outputs.add("");
      case "write-out" -> writeOut = value.startsWith("@") ? text(value.substring(1)) : value;
      case "max-time" -> maxTimeMs = seconds(value, shown);
      case "connect-timeout" -> connectTimeoutMs = seconds(value, shown);
      case "request" -> request = value;
      case "header" -> headers.add(value);
      case "data", "data-ascii" ->
          addData(value.startsWith("@") ? stripped(value.substring(1)) : bytes(value));
      case "data-raw" -> addData(bytes(value));
      case "data-binary" ->
          addData(value.startsWith("@") ? file(value.substring(1)) : bytes(value));
      case "data-urlencode" -> addData(bytes(encoded(value)));
      case "json" -> {
        json = true;
        addData(value.startsWith("@") ? file(value.substring(1)) : bytes(value));
      }
      case "head" -> head = true;
      case "include" -> include = true;
      case "location" -> location = true;
      case "fail" -> fail = true;
      case "fail-with-body" -> failWithBody = true;
      case "user-agent" -> userAgent = value;
      case "user" -> user = value;
      case "get" -> get = true;
      case "retry" -> retry = number(value, shown);
      case "retry-delay" -> retryDelayMs = seconds(value, shown);
      case "retry-connrefused" -> retryConnRefused = true;
      case "retry-all-errors" -> retryAllErrors = true;
      case "http1.0" -> http10 = true;
      case "version" -> version = true;
      case "help" -> help = true;
      case "max-redirs" -> maxRedirs = number(value, shown);
      case "upload-file" -> uploadFile = value;
      case "referer" -> referer = value;
      case "cookie" -> cookie = value;
      case "url" -> urls.add(value);
      case "resolve" -> resolve.add(value);
      // True of every transfer here already, or of no consequence to HTTP over emulated sockets.
      case "insecure",
          "ipv4",
          "http1.1",
          "no-buffer",
          "no-progress-meter",
          "globoff",
          "compressed",
          "retry-max-time",
          "limit-rate",
          "interface",
          "tcp-nodelay",
          "no-keepalive",
          "parallel" ->
          silent |= name.equals("no-progress-meter");
      default -> throw new UsageException(2, "option " + shown + ": is unknown");
    }
    if (name.equals("no-progress-meter")) {
      showError = true;
    }
  }

  private static int number(String value, String shown) throws UsageException {
    if (!value.matches("-?[0-9]{1,9}")) {
      throw new UsageException(2, "option " + shown + ": expected a proper numerical parameter");
    }
    return Integer.parseInt(value);
  }

  private static long seconds(String value, String shown) throws UsageException {
    if (!value.matches("[0-9]{1,7}(\\.[0-9]+)?|\\.[0-9]+")) {
      throw new UsageException(2, "option " + shown + ": expected a proper numerical parameter");
    }
    return Math.round(Double.parseDouble(value) * 1000);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private byte[] file(String path) throws UsageException {
    byte[] content = files.read(path);
    if (content == null) {
      throw new UsageException(26, "Failed to open " + path);
    }
    return content;
  }

  private String text(String path) throws UsageException {
    return new String(file(path), StandardCharsets.UTF_8);
  }

  /** -d @file: carriage returns and newlines are left out. */
  private byte[] stripped(String path) throws UsageException {
    return bytes(text(path).replace("\r", "").replace("\n", ""));
  }

  private static String encoded(String value) {
    int equals = value.indexOf('=');
    String name = equals < 0 ? "" : value.substring(0, equals);
    String content = value.substring(equals + 1);
    String quoted = java.net.URLEncoder.encode(content, StandardCharsets.UTF_8).replace("+", "%20");
    return name.isEmpty() ? quoted : name + "=" + quoted;
  }

  private void addData(byte[] bytes) {
    if (data == null) {
      data = new ByteArrayOutputStream();
    } else if (!json) {
      data.write('&');
    }
    data.writeBytes(bytes);
  }

  /** What -d gave, or null. */
  byte @Nullable [] data() {
    return data == null ? null : data.toByteArray();
  }

  byte @Nullable [] upload() throws UsageException {
    if (uploadFile == null) {
      return null;
    }
    byte[] content = files.read(uploadFile);
    if (content == null) {
      throw new UsageException(26, "Can't open '" + uploadFile + "'!");
    }
    return Arrays.copyOf(content, content.length);
  }

  /** Own fields from -H; {@code Name:} takes a field away, {@code Name;} sends it empty. */
  Headers merge(Headers usual) {
    Headers merged = new Headers().addAll(usual);
    Headers own = new Headers();
    for (String line : headers) {
      int end = line.indexOf(':');
      String name = end < 0 ? line.replaceAll(";\\s*$", "") : line.substring(0, end).strip();
      String value = end < 0 ? "" : line.substring(end + 1).strip();
      merged.remove(name);
      if (!value.isEmpty() || line.endsWith(";")) {
        own.add(name, value);
      }
    }
    return merged.addAll(own);
  }
}
