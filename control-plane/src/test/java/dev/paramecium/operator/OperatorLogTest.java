package dev.paramecium.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OperatorLogTest {

  private static final long START = 1_700_000_000_000L;

  private final ActorTestKit kit = ActorTestKit.create();
  private final ActorRef<OperatorLog.Command> log =
      kit.spawn(OperatorLog.create(Clock.fixed(Instant.ofEpochMilli(START), ZoneOffset.UTC)));
  private final OperatorLog.Writer writer = new OperatorLog.Writer(log, "ipam");
  private final TestProbe<OperatorLog.Lines> follower = kit.createTestProbe();

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  @Test
  void whoFollowsGetsWhatItHasNotAndThenEachLine() {
    writer.info("one");
    writer.info("two", "node", "node-1", "why", "a \"b\"\n");
    log.tell(new OperatorLog.Follow(START, follower.ref()));
    assertThat(follower.receiveMessage())
        .isEqualTo(
            new OperatorLog.Lines(
                START + 1,
                List.of("level=info msg=two node=node-1 why=\"a \\\"b\\\"\\n\" subsys=ipam")));

    writer.error("no CIDR is left");
    assertThat(follower.receiveMessage())
        .isEqualTo(
            new OperatorLog.Lines(
                START + 2, List.of("level=error msg=\"no CIDR is left\" subsys=ipam")));
  }

  @Test
  void keepsTheNewestLines() {
    for (int i = 0; i <= OperatorLog.KEPT; i++) {
      writer.info("line" + i);
    }
    log.tell(new OperatorLog.Follow(0, follower.ref()));
    OperatorLog.Lines lines = follower.receiveMessage();
    assertThat(lines.first()).isEqualTo(START + 1);
    assertThat(lines.lines()).hasSize(OperatorLog.KEPT);
    assertThat(lines.lines().getFirst()).contains("msg=line1 ");
  }

  @Test
  void aFollowerThatKnowsALaterLogThanThisIsToldNothingOld() {
    writer.info("one");
    log.tell(new OperatorLog.Follow(START + 5_000, follower.ref()));
    assertThat(follower.receiveMessage().lines()).isEmpty();
  }
}
