package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.ApiWatchEvent;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class WatchResumeTest {

  private static final ActorTestKit KIT = ActorTestKit.create();
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final ActorRef<ApiRequest> server = KIT.spawn(ApiServer.inMemory(InstantSource.system()));
  private final ActorApiClient api = new ActorApiClient(KIT.system(), server);

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  private void create(String name, String label) {
    api.create(ResourceType.POD, Objects.pod(name, label)).toCompletableFuture().join();
  }

  private void label(String name, String label) {
    api.mergePatch(
            ResourceType.POD,
            "default",
            name,
            "",
            "{\"metadata\":{\"labels\":{\"app\":\"" + label + "\"}}}")
        .toCompletableFuture()
        .join();
  }

  private void delete(String name) {
    api.delete(ResourceType.POD, "default", name, 0).toCompletableFuture().join();
  }

  private ApiRequest.Watch watch(String labels, long revision, ActorRef<ApiWatchEvent> watcher) {
    return new ApiRequest.Watch(ResourceType.POD, "default", labels, "", revision, watcher);
  }

  @Test
  void aWatcherThatReconnectsAtRandomSeesEveryChangeExactlyOnce() {
    long seed = Long.getLong("paramecium.seed", System.nanoTime());
    System.out.println("WatchResumeTest seed " + seed);
    Random random = new Random(seed);
    int pods = 12;
    int changes = 600;
    Map<String, Integer> label = new HashMap<>();
    List<String> expected = new ArrayList<>();
    create("anchor", "x");
    TestProbe<ApiWatchEvent> first = KIT.createTestProbe();
    server.tell(watch("", 0, first.getRef()));
    first.expectMessageClass(ApiWatchEvent.Added.class, LIMIT);
    long start = first.expectMessageClass(ApiWatchEvent.Bookmark.class, LIMIT).resourceVersion();
    for (int i = 0; i < changes; i++) {
      String name = "p" + random.nextInt(pods);
      if (!label.containsKey(name)) {
        create(name, "v" + i);
        label.put(name, i);
        expected.add("Added " + name + " v" + i);
      } else if (random.nextInt(4) == 0) {
        delete(name);
        expected.add("Deleted " + name + " v" + label.remove(name));
      } else {
        label(name, "v" + i);
        label.put(name, i);
        expected.add("Modified " + name + " v" + i);
      }
    }
    List<String> seen = new ArrayList<>();
    long revision = start;
    while (seen.size() < changes) {
      TestProbe<ApiWatchEvent> probe = KIT.createTestProbe();
      server.tell(watch("", revision, probe.getRef()));
      int stay = 1 + random.nextInt(60);
      while (stay-- > 0 && seen.size() < changes) {
        ApiWatchEvent event = probe.receiveMessage(LIMIT);
        KubeObject object =
            switch (event) {
              case ApiWatchEvent.Added added -> added.object();
              case ApiWatchEvent.Modified modified -> modified.object();
              case ApiWatchEvent.Deleted deleted -> deleted.object();
              case ApiWatchEvent.Bookmark _ -> null;
              case ApiWatchEvent.Expired expired -> throw new AssertionError("expired: " + expired);
            };
        if (object != null) {
          assertThat(object.resourceVersion()).isGreaterThan(revision);
          revision = object.resourceVersion();
          seen.add(
              event.getClass().getSimpleName()
                  + " "
                  + object.name()
                  + " "
                  + object.labels().get("app"));
        }
      }
      server.tell(new ApiRequest.Unwatch(probe.getRef()));
    }
    assertThat(seen).isEqualTo(expected);
  }

  @Test
  void anObjectThatStartsToMatchIsAddedOneThatStopsIsDeleted() {
    create("a", "blue");
    TestProbe<ApiWatchEvent> probe = KIT.createTestProbe();
    server.tell(watch("app=red", 0, probe.getRef()));
    assertThat(probe.expectMessageClass(ApiWatchEvent.Bookmark.class, LIMIT).initialEventsEnd())
        .isTrue();
    label("a", "red");
    probe.expectMessageClass(ApiWatchEvent.Added.class, LIMIT);
    label("a", "blue");
    probe.expectMessageClass(ApiWatchEvent.Deleted.class, LIMIT);
  }

  @Test
  void aRevisionThatIsNoLongerRememberedIsGone() {
    create("a", "0");
    long old =
        ((dev.paramecium.api.ApiReply.Stored)
                api.get(ResourceType.POD, "default", "a").toCompletableFuture().join())
            .object()
            .resourceVersion();
    // One more than is remembered, sent ahead so that the journal takes them in batches.
    List<java.util.concurrent.CompletableFuture<?>> writes = new ArrayList<>();
    for (int i = 0; i <= Store.HISTORY + 1; i++) {
      writes.add(
          api.mergePatch(
                  ResourceType.POD,
                  "default",
                  "a",
                  "",
                  "{\"metadata\":{\"labels\":{\"app\":\"w" + i + "\"}}}")
              .toCompletableFuture());
    }
    writes.forEach(java.util.concurrent.CompletableFuture::join);
    TestProbe<ApiWatchEvent> probe = KIT.createTestProbe();
    server.tell(watch("", old, probe.getRef()));
    assertThat(probe.expectMessageClass(ApiWatchEvent.Expired.class, LIMIT).oldestResourceVersion())
        .isGreaterThan(old);
  }

  @Test
  void aWatcherGetsNoMoreThanItsWindowUntilItAcknowledges() {
    TestProbe<ApiWatchEvent> probe = KIT.createTestProbe();
    for (int i = 0; i < ApiWatchEvent.WINDOW + 10; i++) {
      create("w" + i, "x");
    }
    server.tell(watch("", 0, probe.getRef()));
    List<ApiWatchEvent> window = probe.receiveSeveralMessages(ApiWatchEvent.WINDOW, LIMIT);
    assertThat(window).allMatch(ApiWatchEvent.Added.class::isInstance);
    // A read behind it is answered, so the server has nothing more to say.
    api.get(ResourceType.POD, "default", "w0").toCompletableFuture().join();
    probe.expectNoMessage(Duration.ofMillis(50));
    server.tell(new ApiRequest.WatchAck(ApiWatchEvent.WINDOW, probe.getRef()));
    probe.receiveSeveralMessages(10, LIMIT);
    assertThat(probe.expectMessageClass(ApiWatchEvent.Bookmark.class, LIMIT).sent())
        .isEqualTo(ApiWatchEvent.WINDOW + 10);
  }

  @Test
  void anInformerWhoseLinkLosesEventsEndsWithTheTruth() {
    // Between the informer and the server: loses every third event.
    Behavior<ApiRequest> lossy =
        Behaviors.setup(
            context ->
                Behaviors.receiveMessage(
                    request -> {
                      if (request instanceof ApiRequest.Watch watch) {
                        ActorRef<ApiWatchEvent> through =
                            context.spawnAnonymous(Lossy.create(server, watch.subscriber()));
                        server.tell(
                            new ApiRequest.Watch(
                                watch.type(),
                                watch.namespace(),
                                watch.labelSelector(),
                                watch.fieldSelector(),
                                watch.resourceVersion(),
                                through));
                      }
                      return Behaviors.same();
                    }));
    TestProbe<InformerEvent> probe = KIT.createTestProbe();
    new ActorApiClient(KIT.system(), KIT.spawn(lossy))
        .inform(ResourceType.POD, "default", "", "", probe.getRef());
    probe.expectMessageClass(InformerEvent.Synced.class, LIMIT);
    create("one", "x");
    create("two", "x");
    create("three", "x");
    delete("one");
    Map<String, String> known = new HashMap<>();
    probe.fishForMessage(
        Duration.ofSeconds(30),
        event -> {
          switch (event) {
            case InformerEvent.Upserted(KubeObject _, KubeObject now) ->
                known.put(now.name(), "there");
            case InformerEvent.Removed(KubeObject last) -> known.remove(last.name());
            case InformerEvent.Synced _ -> {}
          }
          return known.keySet().equals(java.util.Set.of("two", "three"))
              ? org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes.complete()
              : org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes.continueAndIgnore();
        });
  }

  private static final class Lossy {
    static Behavior<ApiWatchEvent> create(
        ActorRef<ApiRequest> server, ActorRef<ApiWatchEvent> subscriber) {
      int[] count = {0};
      return Behaviors.setup(
          context ->
              Behaviors.receiveMessage(
                  event -> {
                    server.tell(new ApiRequest.WatchAck(1, context.getSelf()));
                    boolean change = !(event instanceof ApiWatchEvent.Bookmark);
                    if (!change || ++count[0] % 3 != 0) {
                      subscriber.tell(event);
                    }
                    return Behaviors.same();
                  }));
    }
  }
}
