package dev.paramecium.container.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RequestPathTest {

  @ParameterizedTest
  @CsvSource({
    "/get, /get",
    "/, /",
    "/a/, /a/",
    "/get/../status, /status",
    "/get/.., /",
    "/a/b/.., /a/",
    "/../../a, /a",
    "//a///b, /a/b",
    "/./a/./b/., /a/b/",
    "/%67et, /get",
    "/a/%2e%2E/b, /b",
    "/a%20b, /a%20b",
    "/a\\..\\b, /b",
    "/a/../b?c=/../d, /b?c=/../d",
    "/a#b, /a",
    "*, *",
  })
  void isNormalized(String target, String expected) {
    assertThat(RequestPath.normalize(target)).isEqualTo(expected);
  }

  /** What is normal stays: no path can be made to pass by going around twice. */
  @Property(tries = 2000)
  void normalizingTwiceChangesNothing(
      @ForAll @Chars({'/', '.', '%', '2', 'e', 'E', '\\', '?', 'a'}) @StringLength(max = 12)
          String rest) {
    String once = RequestPath.normalize("/" + rest);
    if (!once.contains("%")) {
      assertThat(RequestPath.normalize(once)).isEqualTo(once);
    }
    assertThat(once.replaceAll("\\?.*", "")).startsWith("/").doesNotContain("/../", "//");
  }

  @ParameterizedTest
  @CsvSource({"/x%2F..%2Fget, /get", "/a%5cb, /a/b", "/a%2fb?c=%2F, /a/b?c=%2F"})
  void escapedSlashesAreToldApart(String target, String unescaped) {
    assertThat(RequestPath.hasEscapedSlash(target)).isTrue();
    assertThat(RequestPath.unescaped(target)).isEqualTo(unescaped);
    assertThat(RequestPath.hasEscapedSlash("/a?b=%2F")).isFalse();
  }
}
