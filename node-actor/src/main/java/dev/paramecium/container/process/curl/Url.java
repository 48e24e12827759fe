package dev.paramecium.container.process.curl;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A URL in parts.
 *
 * @param user {@code name:password}, empty if there is none
 * @param target what the request line carries: path and query
 */
record Url(String scheme, String user, String host, int port, String target) {

  /** Why a text is no URL, by curl's exit code. */
  static final class InvalidUrlException extends Exception {
    private static final long serialVersionUID = 1L;
    private final int exitCode;

    InvalidUrlException(int exitCode, String message) {
      super(message);
      this.exitCode = exitCode;
    }

    int exitCode() {
      return exitCode;
    }
  }

  /** Parses as curl does: without a scheme it is http. */
  static Url parse(String text) throws InvalidUrlException {
    String rest = text;
    String scheme = "http";
    int colon = text.indexOf("://");
    if (colon >= 0) {
      scheme = text.substring(0, colon).toLowerCase(Locale.ROOT);
      rest = text.substring(colon + 3);
    }
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw new InvalidUrlException(1, "Protocol \"" + scheme + "\" not supported");
    }
    int fragment = rest.indexOf('#');
    rest = fragment < 0 ? rest : rest.substring(0, fragment);
    int end = rest.length();
    for (int i = 0; i < rest.length(); i++) {
      if (rest.charAt(i) == '/' || rest.charAt(i) == '?') {
        end = i;
        break;
      }
    }
    String authority = rest.substring(0, end);
    String target = rest.substring(end);
    if (!target.startsWith("/")) {
      target = "/" + target;
    }
    if (text.chars().anyMatch(c -> c <= ' ' || c == 127)) {
      throw new InvalidUrlException(3, "URL rejected: Malformed input to a URL function");
    }
    int at = authority.lastIndexOf('@');
    String user = at < 0 ? "" : authority.substring(0, at);
    String host = authority.substring(at + 1);
    int port = scheme.equals("https") ? 443 : 80;
    int portColon = host.lastIndexOf(':');
    if (portColon >= 0) {
      String digits = host.substring(portColon + 1);
      if (!digits.matches("[0-9]{0,5}")
          || (!digits.isEmpty() && Integer.parseInt(digits) > 65535)) {
        throw new InvalidUrlException(
            3, "URL rejected: Port number was not a decimal number between 0 and 65535");
      }
      port = digits.isEmpty() ? port : Integer.parseInt(digits);
      host = host.substring(0, portColon);
    }
    if (host.isEmpty()) {
      throw new InvalidUrlException(3, "URL rejected: No host part in the URL");
    }
    if (host.chars().anyMatch(c -> "[]{}<>\"\\^`|%".indexOf(c) >= 0)) {
      throw new InvalidUrlException(3, "URL rejected: Bad hostname");
    }
    return new Url(scheme, user, host, port, target);
  }

  /** Resolves a Location field against this URL (RFC 3986, 5). */
  Url resolve(String location) throws InvalidUrlException {
    if (location.contains("://")) {
      return parse(location);
    }
    if (location.startsWith("//")) {
      return parse(scheme + ":" + location);
    }
    String path = target.split("[?#]", 2)[0];
    String relative =
        location.startsWith("/")
            ? location
            : path.substring(0, path.lastIndexOf('/') + 1) + location;
    return parse(scheme + "://" + authority() + relative);
  }

  boolean isSecure() {
    return scheme.equals("https");
  }

  /** What the Host field carries. */
  String authority() {
    boolean usual = port == (isSecure() ? 443 : 80);
    return usual ? host : host + ":" + port;
  }

  /** The last part of the path, for -O; null if it is empty. */
  @Nullable String fileName() {
    String path = target.split("\\?", 2)[0];
    String name = path.substring(path.lastIndexOf('/') + 1);
    return name.isEmpty() ? null : name;
  }

  @Override
  public String toString() {
    return scheme + "://" + authority() + target;
  }
}
