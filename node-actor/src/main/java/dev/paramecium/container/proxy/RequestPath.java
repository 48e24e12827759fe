package dev.paramecium.container.proxy;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A request's target as rules see it and the server gets it: normalized, so that no spelling of a
 * path gets past a rule ({@code http-normalize-path}: Envoy's normalize_path, merge_slashes, and
 * path_with_escaped_slashes_action UNESCAPE_AND_REDIRECT).
 */
final class RequestPath {

  private static final Pattern ESCAPED_SLASH = Pattern.compile("%2[fF]|%5[cC]");

  private RequestPath() {}

  /** Whether the path holds a slash in disguise; the client is sent to {@link #unescaped}. */
  static boolean hasEscapedSlash(String target) {
    return ESCAPED_SLASH.matcher(pathOf(target)).find();
  }

  static String unescaped(String target) {
    String path = pathOf(target);
    String plain = path.replaceAll("%2[fF]", "/").replaceAll("%5[cC]", "/");
    return normalize(plain + target.substring(path.length()));
  }

  private static String pathOf(String target) {
    int end = target.length();
    for (char mark : new char[] {'?', '#'}) {
      int at = target.indexOf(mark);
      end = at >= 0 && at < end ? at : end;
    }
    return target.substring(0, end);
  }

  /**
   * Without empty segments, dot segments (RFC 3986, 5.2.4) and escapes of characters that need none
   * (RFC 3986, 2.3), and without a fragment; the query stays as it is.
   */
  static String normalize(String target) {
    String path = pathOf(target);
    String rest = target.substring(path.length());
    int fragment = rest.indexOf('#');
    String query = fragment < 0 ? rest : rest.substring(0, fragment);
    if (!path.startsWith("/")) {
      return path + query; // the asterisk of OPTIONS
    }
    String[] segments = decodeUnreserved(path).replace('\\', '/').split("/", -1);
    List<String> kept = new ArrayList<>();
    for (String segment : segments) {
      if (segment.equals("..")) {
        if (!kept.isEmpty()) {
          kept.removeLast();
        }
      } else if (!segment.isEmpty() && !segment.equals(".")) {
        kept.add(segment);
      }
    }
    String last = segments[segments.length - 1];
    boolean directory = last.isEmpty() || last.equals(".") || last.equals("..");
    return "/" + String.join("/", kept) + (directory && !kept.isEmpty() ? "/" : "") + query;
  }

  private static String decodeUnreserved(String path) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < path.length(); i++) {
      char c = path.charAt(i);
      int code = c == '%' && i + 2 < path.length() ? hex(path, i + 1) : -1;
      if (code >= 0 && isUnreserved((char) code)) {
        plain.append((char) code);
        i += 2;
      } else {
        plain.append(c);
      }
    }
    return plain.toString();
  }

  private static int hex(String text, int at) {
    int high = Character.digit(text.charAt(at), 16);
    int low = Character.digit(text.charAt(at + 1), 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }

  private static boolean isUnreserved(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || "-._~".indexOf(c) >= 0;
  }
}
