package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** How often conntrack is collected, by what the last round found. */
class GcIntervalTest {

  private final GcInterval interval = new GcInterval();

  @Test
  void staysAsItIsWhileNothingIsFound() {
    assertThat(interval.after(0)).isEqualTo(Duration.ofMinutes(5));
    assertThat(interval.after(0)).isEqualTo(Duration.ofMinutes(5));
    assertThat(interval.after(0.1)).isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void growsByHalfUpToTwelveHoursWhileLittleIsFound() {
    assertThat(interval.after(0.01)).isEqualTo(Duration.ofSeconds(450));
    for (int round = 0; round < 20; round++) {
      interval.after(0.01);
    }
    assertThat(interval.after(0.01)).isEqualTo(Duration.ofHours(12));
  }

  @Test
  void shrinksWithWhatIsFoundDownToTenSeconds() {
    assertThat(interval.after(0.5)).isEqualTo(Duration.ofSeconds(150));
    assertThat(interval.after(1)).isEqualTo(Duration.ofSeconds(15));
    assertThat(interval.after(0.9)).isEqualTo(Duration.ofSeconds(10));
  }
}
