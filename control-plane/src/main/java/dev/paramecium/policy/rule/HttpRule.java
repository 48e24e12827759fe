package dev.paramecium.policy.rule;

import java.util.List;

/**
 * What an HTTP request must be (Cilium {@code pkg/policy/api/http.go}). Path, method and host are
 * extended POSIX regular expressions that match the whole; empty is any.
 *
 * @param headers {@code Name: value} or {@code Name}, all needed
 */
public record HttpRule(
    String path,
    String method,
    String host,
    List<String> headers,
    List<HeaderMatch> headerMatches) {

  /** The rule that every request fulfils. */
  public static final HttpRule ANY = new HttpRule("", "", "", List.of(), List.of());

  /**
   * A header that must have a value, and what happens if it has not.
   *
   * @param mismatch empty, {@code LOG}, {@code ADD}, {@code DELETE} or {@code REPLACE}
   */
  public record HeaderMatch(String mismatch, String name, String value, boolean hasSecret) {}

  public HttpRule {
    headers = List.copyOf(headers);
    headerMatches = List.copyOf(headerMatches);
  }
}
