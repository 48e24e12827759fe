package dev.paramecium.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ContainerLogTest {

  private final ContainerLog log = new ContainerLog();

  private void write(int stream, String text, long epochMs) {
    log.write(stream, text.getBytes(StandardCharsets.UTF_8), epochMs, 5_000_123_456L);
  }

  private List<String> lines() {
    return log.read(0, Integer.MAX_VALUE).stream()
        .map(line -> new String(line.bytes(), StandardCharsets.UTF_8))
        .toList();
  }

  @Test
  void joinsPiecesToLinesForEachStream() {
    write(1, "a", 1);
    write(2, "err\n", 2);
    write(1, "b\nc", 3);
    log.close(4, 0);

    assertThat(lines()).containsExactly("err\n", "ab\n", "c");
  }

  @Test
  void stampsLinesWithNanoseconds() {
    write(1, "x\n", 1_673_292_592_123L);

    assertThat(log.read(0, 1).getFirst().timestamp()).isEqualTo("2023-01-09T19:29:52.123123456Z");
  }

  @Test
  void dropsTheOldestLinesAndCountsThem() {
    String line = "x".repeat(999) + "\n";
    for (int i = 0; i < 2000; i++) {
      write(1, line, i);
    }

    int kept = ContainerLog.CAPACITY / 1000;
    assertThat(log.end()).isEqualTo(2000);
    assertThat(log.first()).isEqualTo(2000 - kept);
    assertThat(lines()).hasSize(kept);
    assertThat(log.since(1990)).isEqualTo(1990);
    assertThat(log.since(5)).isEqualTo(log.first());
  }

  @Test
  void cutsLinesThatAreTooLong() {
    write(1, "y".repeat(40_000), 1);
    log.close(1, 0);

    assertThat(lines()).extracting(String::length).containsExactly(16384, 16384, 7232);
  }
}
