package dev.paramecium.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class QuantitiesTest {

  @ParameterizedTest
  @CsvSource({
    "90ms, 90000000",
    "1h30m, 5400000000000",
    "1.5s, 1500000000",
    ".5us, 500",
    "10µs, 10000",
    "0, 0",
    "7ns, 7"
  })
  void timesAreReadAsGoReadsThem(String text, long nanos) {
    assertThat(Quantities.nanos(text)).isEqualTo(nanos);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "10", "10x", "-5s", "5 s", "s", "1m2", "99999999999h"})
  void whatIsNoTimeIsRefused(String text) {
    assertThatThrownBy(() -> Quantities.nanos(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({"1bps, 1", "1mbps, 1048576", "1.5kbps, 1536", "2GBPS, 2147483648"})
  void ratesCountBytesAnd1024(String text, long rate) {
    assertThat(Quantities.bytesPerSecond(text)).isEqualTo(rate);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1", "1mbit", "0bps", "-1kbps", "mbps"})
  void whatIsNoRateIsRefused(String text) {
    assertThatThrownBy(() -> Quantities.bytesPerSecond(text))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "100.1", "10%", "10d", "NaN", ""})
  void whatIsNoPercentageIsRefused(String text) {
    assertThatThrownBy(() -> Quantities.percent(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
