package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Many who watch the same through one client. */
class SharedWatchTest {

  private static final ActorTestKit KIT = ActorTestKit.create();
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final AtomicInteger watches = new AtomicInteger();
  private final AtomicInteger unwatches = new AtomicInteger();
  private final ActorApiClient api = new ActorApiClient(KIT.system(), counted());

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  private ActorRef<ApiRequest> counted() {
    ActorRef<ApiRequest> server = KIT.spawn(ApiServer.inMemory(InstantSource.system()));
    return KIT.spawn(
        Behaviors.receiveMessage(
            request -> {
              if (request instanceof ApiRequest.Watch) {
                watches.incrementAndGet();
              } else if (request instanceof ApiRequest.Unwatch) {
                unwatches.incrementAndGet();
              }
              server.tell(request);
              return Behaviors.same();
            }));
  }

  private void create(String name) {
    api.create(ResourceType.POD, Objects.pod(name, "x")).toCompletableFuture().join();
  }

  private TestProbe<InformerEvent> subscribe(String fieldSelector) {
    TestProbe<InformerEvent> probe = KIT.createTestProbe();
    api.inform(ResourceType.POD, "", "", fieldSelector, probe.getRef());
    return probe;
  }

  private static KubeObject told(TestProbe<InformerEvent> probe, String name) {
    InformerEvent.Upserted event = probe.expectMessageClass(InformerEvent.Upserted.class, LIMIT);
    assertThat(event.current().name()).isEqualTo(name);
    return event.current();
  }

  /** What there is already comes in any order. */
  private static void toldBoth(TestProbe<InformerEvent> probe) {
    assertThat(
            List.of(
                probe.expectMessageClass(InformerEvent.Upserted.class, LIMIT).current().name(),
                probe.expectMessageClass(InformerEvent.Upserted.class, LIMIT).current().name()))
        .containsExactlyInAnyOrder("a", "b");
  }

  @Test
  void oneWatchServesAllAndOneWhoComesLateIsToldWhatThereIs() {
    create("a");
    TestProbe<InformerEvent> early = subscribe("");
    told(early, "a");
    early.expectMessageClass(InformerEvent.Synced.class, LIMIT);
    create("b");
    told(early, "b");

    TestProbe<InformerEvent> late = subscribe("");
    toldBoth(late);
    late.expectMessageClass(InformerEvent.Synced.class, LIMIT);
    create("c");

    assertThat(told(late, "c")).isSameAs(told(early, "c"));
    assertThat(watches).hasValue(1);
  }

  @Test
  void whatIsSelectedOtherwiseIsAnotherWatch() {
    create("a");
    create("b");
    told(subscribe("metadata.name=a"), "a");
    told(subscribe("metadata.name=b"), "b");
    assertThat(watches).hasValue(2);
  }

  @Test
  void aSubscriberThatAsksAgainIsToldEverythingAgainAndNothingTwiceAfterwards() {
    create("a");
    TestProbe<InformerEvent> probe = subscribe("");
    told(probe, "a");
    probe.expectMessageClass(InformerEvent.Synced.class, LIMIT);

    api.inform(ResourceType.POD, "", "", "", probe.getRef());
    told(probe, "a");
    probe.expectMessageClass(InformerEvent.Synced.class, LIMIT);
    create("b");
    create("c");
    told(probe, "b");
    told(probe, "c");
  }

  @Test
  void theWatchEndsWithTheLastSubscriberAndBeginsAgainWithTheNext() {
    create("a");
    TestProbe<InformerEvent> first = subscribe("");
    TestProbe<InformerEvent> second = subscribe("");
    told(first, "a");
    told(second, "a");
    first.stop();
    second.expectMessageClass(InformerEvent.Synced.class, LIMIT);
    create("b");
    told(second, "b");
    assertThat(unwatches).hasValue(0);

    second.stop();
    await().atMost(LIMIT).until(() -> unwatches.get() == 1);
    toldBoth(subscribe(""));
    assertThat(watches).hasValue(2);
  }
}
