package dev.paramecium.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CronTest {

  /** From the tests of robfig/cron: the format's reference is its behaviour. */
  @ParameterizedTest
  @CsvSource({
    "0/15 * * * *, 2012-07-09T14:45:00Z, 2012-07-09T15:00:00Z",
    "'20-35/15 * * * *', 2012-07-09T15:45:00Z, 2012-07-09T16:20:00Z",
    "0 0 9 Feb ?, 2012-07-09T23:35:00Z, 2013-02-09T00:00:00Z",
    "0 0 * Feb Mon, 2012-07-09T23:35:00Z, 2013-02-04T00:00:00Z",
    "0 0 29 Feb ?, 2012-07-09T23:35:00Z, 2016-02-29T00:00:00Z",
    "0 0 13 * Fri, 2012-07-09T00:00:00Z, 2012-07-13T00:00:00Z",
    "'5,10 3 * * *', 2012-07-09T03:05:00Z, 2012-07-09T03:10:00Z",
    "@hourly, 2012-07-09T03:05:00Z, 2012-07-09T04:00:00Z",
    "@weekly, 2012-07-09T03:05:00Z, 2012-07-15T00:00:00Z",
    "@every 90s, 2012-07-09T03:05:00.5Z, 2012-07-09T03:06:30Z",
    "TZ=Asia/Tokyo 0 9 * * *, 2012-07-09T03:05:00Z, 2012-07-10T00:00:00Z"
  })
  void theNextTime(String cron, String after, String next) {
    assertThat(Cron.parse(cron).next(Instant.parse(after))).isEqualTo(Instant.parse(next));
  }

  @Test
  void aDayThatNeverComesIsNotLookedForForEver() {
    assertThat(Cron.parse("0 0 31 Apr *").next(Instant.EPOCH)).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7",
        "5-1 * * * *", "*/0 * * * *", "a * * * *", "@every", "@every x", "@sometimes",
            "TZ=X * * * * *"
      })
  void whatIsNoScheduleIsRefused(String text) {
    assertThatThrownBy(() -> Cron.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
