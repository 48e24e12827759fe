package dev.paramecium.container.process.http;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A request as a server reads it.
 *
 * @param target as in the request line, undecoded: {@code /get?a=1}
 * @param minorVersion 0 or 1
 */
public record Request(
    String method, String target, int minorVersion, Headers headers, byte[] body) {

  /** The target without its query, percent-decoded. */
  public String path() {
    return decode(rawPath(), false);
  }

  private String rawPath() {
    String text = target;
    if (text.startsWith("http://")) {
      int slash = text.indexOf('/', 7);
      text = slash < 0 ? "/" : text.substring(slash);
    }
    int question = text.indexOf('?');
    return question < 0 ? text : text.substring(0, question);
  }

  /** What follows the question mark, undecoded; empty if nothing does. */
  public String query() {
    int question = target.indexOf('?');
    return question < 0 ? "" : target.substring(question + 1);
  }

  /** The query's parameters, or those of a form body, in order. */
  public static Map<String, List<String>> parameters(String encoded) {
    Map<String, List<String>> parameters = new LinkedHashMap<>();
    for (String pair : encoded.split("&", -1)) {
      if (!pair.isEmpty()) {
        int equals = pair.indexOf('=');
        String name = equals < 0 ? pair : pair.substring(0, equals);
        String value = equals < 0 ? "" : pair.substring(equals + 1);
        parameters
            .computeIfAbsent(decode(name, true), _ -> new ArrayList<>())
            .add(decode(value, true));
      }
    }
    return parameters;
  }

  /** The first value of a query parameter, empty if there is none. */
  public String parameter(String name) {
    List<String> values = parameters(query()).get(name);
    return values == null ? "" : values.getFirst();
  }

  /** Percent-decodes UTF-8; what is not an escape stays as it is. */
  public static String decode(String text, boolean plusIsSpace) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '%'
          && i + 2 < text.length()
          && Character.digit(text.charAt(i + 1), 16) >= 0
          && Character.digit(text.charAt(i + 2), 16) >= 0) {
        bytes.write(
            Character.digit(text.charAt(i + 1), 16) << 4 | Character.digit(text.charAt(i + 2), 16));
        i += 2;
      } else if (c == '+' && plusIsSpace) {
        bytes.write(' ');
      } else {
        bytes.writeBytes(
            String.valueOf(c)
                .getBytes(c < 256 ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8));
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
