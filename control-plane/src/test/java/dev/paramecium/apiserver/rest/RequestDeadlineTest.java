package dev.paramecium.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RequestDeadlineTest {

  private final RequestDeadline deadline = new RequestDeadline(30);
  private final EmbeddedChannel channel = new EmbeddedChannel(deadline);

  private void drip(int seconds) {
    for (int i = 0; i < seconds && channel.isOpen(); i++) {
      channel.writeInbound("x");
      channel.advanceTimeBy(1, TimeUnit.SECONDS);
      channel.runScheduledPendingTasks();
    }
  }

  @Test
  void dripsDoNotHoldAConnection() {
    channel.freezeTime();
    drip(29);
    assertThat(channel.isOpen()).isTrue();
    drip(2);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void eachRequestHasItsOwnTime() {
    channel.freezeTime();
    drip(20);
    deadline.met();
    drip(20);
    assertThat(channel.isOpen()).isTrue();
  }
}
