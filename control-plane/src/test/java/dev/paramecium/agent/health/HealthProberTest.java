package dev.paramecium.agent.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HealthProberTest {

  private static final Ipv4Address FIRST = Ipv4Address.parse("192.168.1.1");

  private final ActorTestKit kit = ActorTestKit.create(ManualTime.config());
  private final ManualTime time = ManualTime.get(kit.system());
  private final TestProbe<Syscall> calls = kit.createTestProbe(Syscall.class);
  private final ActorRef<HealthProber.Command> prober =
      kit.spawn(
          HealthProber.create(
              "default/node-0",
              new KernelCalls(calls.ref(), kit.system().scheduler()),
              InstantSource.system()));

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private void nodes(int count) {
    for (int i = 0; i < count; i++) {
      prober.tell(new HealthProber.Target("default/node-" + i, FIRST.plus(i), null));
    }
    awaitKnown(count);
  }

  /** It takes what it is told in order: when it answers it has heard everything before. */
  private void awaitKnown(int count) {
    TestProbe<HealthReport> report = kit.createTestProbe();
    prober.tell(new HealthProber.Read(report.ref()));
    assertThat(report.receiveMessage().nodes()).hasSize(count);
  }

  /** Takes the calls of {@code addresses} probes and fails them. */
  private Set<Ipv4Address> probed(int addresses) {
    Set<Ipv4Address> pinged = new HashSet<>();
    for (int i = 0; i < 2 * addresses; i++) {
      switch (calls.receiveMessage()) {
        case Syscall.Ping ping -> {
          pinged.add(ping.address());
          ping.replyTo().tell(Result.failed(Errno.ETIMEDOUT, "late"));
        }
        case Syscall.HttpGet get -> get.replyTo().tell(Result.failed(Errno.ETIMEDOUT, "late"));
        default -> throw new AssertionError("not a probe");
      }
    }
    calls.expectNoMessage(Duration.ofMillis(20));
    return pinged;
  }

  @Test
  void aSmallClusterIsProbedInOneGoEveryMinute() {
    nodes(3);
    time.timePasses(Duration.ofSeconds(5));
    assertThat(probed(3)).hasSize(3);

    time.timePasses(Duration.ofSeconds(55));
    assertThat(probed(3)).hasSize(3);
  }

  @Test
  void aLargeOneTakesTwoSecondsForEachAddress() {
    nodes(40);
    time.timePasses(Duration.ofSeconds(5));
    Set<Ipv4Address> seen = new HashSet<>(probed(1));
    for (int i = 1; i < 40; i++) {
      time.timePasses(Duration.ofSeconds(2));
      assertThat(seen.addAll(probed(1))).as("an address that was not probed yet").isTrue();
    }
    // 83 seconds have passed: the next round begins with the second minute.
    time.timePasses(Duration.ofSeconds(36));
    calls.expectNoMessage(Duration.ofMillis(20));
    time.timePasses(Duration.ofSeconds(1));
    assertThat(seen).containsAll(probed(1));
  }

  @Test
  void aNodeThatIsGoneIsProbedNoMore() {
    nodes(3);
    prober.tell(new HealthProber.Forget("default/node-1"));
    awaitKnown(2);
    time.timePasses(Duration.ofSeconds(5));
    assertThat(probed(2)).containsExactlyInAnyOrder(FIRST, FIRST.plus(2));
  }
}
