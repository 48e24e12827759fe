package dev.paramecium.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class MapGateTest {

  private final ActorTestKit kit = ActorTestKit.create();
  private final TestProbe<Syscall> kernel = kit.createTestProbe(Syscall.class);
  private final TestProbe<Done> done = kit.createTestProbe(Done.class);

  @SuppressWarnings({"rawtypes", "unchecked"})
  private final TestProbe<Result<Done>> agent = (TestProbe) kit.createTestProbe(Result.class);

  private final ActorRef<Object> gate = kit.spawn(MapGate.create(kernel.ref()));

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private Syscall.UpdateMap write(String map) {
    Syscall.UpdateMap call = new Syscall.UpdateMap(map, List.of(), List.of(), agent.ref());
    gate.tell(call);
    return call;
  }

  private void hold(String map, Duration delay) {
    gate.tell(new MapGate.Hold("late", map, delay, done.ref()));
    done.receiveMessage();
  }

  @Test
  void aFrozenMapIsNotWrittenAndAllElseIs() {
    hold("cilium_policy_*", Duration.ZERO);
    write("cilium_policy_00012");
    assertThat(agent.receiveMessage())
        .isEqualTo(Result.failed(Errno.EBUSY, "cilium_policy_00012 is frozen by MapChaos late"));
    Syscall other = write("cilium_ipcache");
    assertThat(kernel.receiveMessage()).isSameAs(other);
    gate.tell(new MapGate.Lift("late", done.ref()));
    done.receiveMessage();
    Syscall again = write("cilium_policy_00012");
    assertThat(kernel.receiveMessage()).isSameAs(again);
  }

  @Test
  void aLateMapIsWrittenInOrderAfterItsDelay() {
    hold("cilium_ipcache", Duration.ofMillis(150));
    long start = System.nanoTime();
    Syscall first = write("cilium_ipcache");
    Syscall second = write("cilium_ipcache");
    Syscall other = write("cilium_lxc");
    assertThat(kernel.receiveMessage()).isSameAs(other);
    assertThat(kernel.receiveMessage()).isSameAs(first);
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(150_000_000);
    assertThat(kernel.receiveMessage()).isSameAs(second);
  }
}
