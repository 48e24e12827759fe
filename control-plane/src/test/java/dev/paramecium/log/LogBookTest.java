package dev.paramecium.log;

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

class LogBookTest {

  private static final long START = 1_700_000_000_000L;

  private final ActorTestKit kit = ActorTestKit.create();
  private final ActorRef<LogBook.Command> log =
      kit.spawn(LogBook.create(Clock.fixed(Instant.ofEpochMilli(START), ZoneOffset.UTC)));
  private final LogWriter writer = new LogWriter(log, "ipam");
  private final TestProbe<LogBook.Lines> follower = kit.createTestProbe();

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  @Test
  void whoFollowsGetsWhatItHasNotAndThenEachLine() {
    writer.info("one");
    writer.info("two", "why", "a \"b\"\n", "node", "", "sync", "true");
    log.tell(new LogBook.Follow(START, follower.ref()));
    assertThat(follower.receiveMessage())
        .isEqualTo(
            new LogBook.Lines(
                START + 1,
                List.of("level=info msg=two node= subsys=ipam sync=true why=\"a \\\"b\\\"\\n\"")));

    writer.error("no CIDR is left");
    assertThat(follower.receiveMessage())
        .isEqualTo(
            new LogBook.Lines(
                START + 2, List.of("level=error msg=\"no CIDR is left\" subsys=ipam")));
  }

  @Test
  void keepsTheNewestLines() {
    for (int i = 0; i <= LogBook.KEPT; i++) {
      writer.info("line" + i);
    }
    log.tell(new LogBook.Follow(0, follower.ref()));
    LogBook.Lines lines = follower.receiveMessage();
    assertThat(lines.first()).isEqualTo(START + 1);
    assertThat(lines.lines()).hasSize(LogBook.KEPT);
    assertThat(lines.lines().getFirst()).contains("msg=line1 ");
  }

  @Test
  void aFollowerThatKnowsALaterLogThanThisIsToldNothingOld() {
    writer.info("one");
    log.tell(new LogBook.Follow(START + 5_000, follower.ref()));
    assertThat(follower.receiveMessage().lines()).isEmpty();
  }
}
