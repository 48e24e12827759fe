package dev.paramecium.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ToolProcessTest {

  @Test
  void waitsForASlowReaderAndLosesNothing() {
    String text = "0123456789abcdef".repeat(10_000);
    Tool tool =
        (_, _, output) -> {
          output.print(text).error("half way\n").print(text);
          return 3;
        };
    ToolRun run =
        ToolRun.start(Map.of("t", Tool.executable(tool)), WalkNode.host(), 1, List.of("t"));
    assertThat(run.out()).hasSize(32 << 10);
    assertThat(run.exitCode()).isNull();
    while (run.exitCode() == null) {
      run.drain(1);
    }
    assertThat(run.out()).isEqualTo(text + text);
    assertThat(run.err()).isEqualTo("half way\n");
    assertThat(run.exitCode()).isEqualTo(3);
  }

  @Test
  void endsOnASignalWhileItsReaderIsSlow() {
    Tool tool =
        (_, _, output) -> {
          output.print("x".repeat(100_000));
          return 0;
        };
    ToolRun run =
        ToolRun.start(Map.of("t", Tool.executable(tool)), WalkNode.host(), 1, List.of("t"));
    assertThat(run.signal(2).exitCode()).isEqualTo(130);
  }

  @Test
  void queuesWakeTheirReaderOnceAndCountWhatFindsNoRoom() {
    AtomicInteger wakes = new AtomicInteger();
    EventQueue<String> queue = new EventQueue<>(2, _ -> wakes.incrementAndGet(), () -> {});
    assertThat(queue.offer("a")).isTrue();
    assertThat(queue.offer("b")).isTrue();
    assertThat(queue.offer("c")).isFalse();
    assertThat(wakes).hasValue(1);
    assertThat(queue.lost()).isOne();
    assertThat(queue.poll()).isEqualTo("a");
    assertThat(queue.poll()).isEqualTo("b");
    assertThat(queue.poll()).isNull();
  }
}
