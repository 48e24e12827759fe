package dev.paramecium.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.ApiServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A watch over HTTP while the API server starts, moves or forgets. */
class WatchStreamTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SERVICES =
      "/api/v1/namespaces/default/services?watch=true&allowWatchBookmarks=true";

  private final ActorTestKit kit = ActorTestKit.create();
  private final AtomicInteger lost = new AtomicInteger();
  private final Queue<ApiRequest.Watch> watches = new ConcurrentLinkedQueue<>();
  private ActorRef<ApiRequest> server;
  private RestServer rest;

  @BeforeEach
  void start() throws RestServer.BindFailure {
    server = kit.spawn(ApiServer.inMemory(InstantSource.system()));
    ActorRef<ApiRequest> way = kit.spawn(way());
    rest =
        RestServer.start(
            kit.system(),
            new ActorApiClient(kit.system(), way),
            way,
            InstantSource.system(),
            List.of(),
            "127.0.0.1",
            0);
  }

  /** Loses as many watches of Services as {@link #lost} says, and notes the others. */
  private Behavior<ApiRequest> way() {
    return Behaviors.receiveMessage(
        request -> {
          if (request instanceof ApiRequest.Watch watch
              && watch.type().equals(ResourceType.SERVICE)) {
            if (lost.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
              return Behaviors.same();
            }
            watches.add(watch);
          }
          server.tell(request);
          return Behaviors.same();
        });
  }

  @AfterEach
  void stop() {
    rest.close();
    kit.shutdownTestKit();
  }

  private BufferedReader watch(String more) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + rest.port() + SERVICES + more))
            .timeout(Duration.ofSeconds(20))
            .build();
    return new BufferedReader(
        new InputStreamReader(
            HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofInputStream())
                .body(),
            StandardCharsets.UTF_8));
  }

  @Test
  void aRequestThatIsLostIsMadeAgain() throws Exception {
    lost.set(1);
    try (BufferedReader events = watch("")) {
      JsonNode first = JSON.readTree(events.readLine());
      assertThat(first.path("type").asText()).isEqualTo("ADDED");
      assertThat(first.at("/object/metadata/name").asText()).isEqualTo("kubernetes");
      assertThat(watches).hasSize(1);
      // What comes later comes once, though there were two attempts.
      assertThat(JSON.readTree(events.readLine()).path("type").asText()).isEqualTo("BOOKMARK");
    }
  }

  @Test
  void aWatchThatTheServerForgetsEnds() throws Exception {
    try (BufferedReader events = watch("&resourceVersion=1")) {
      assertThat(events.readLine()).contains("ADDED");
      server.tell(new ApiRequest.Unwatch(watches.element().subscriber()));
      String line = events.readLine();
      while (line != null) {
        assertThat(line).contains("BOOKMARK");
        line = events.readLine();
      }
    }
  }

  @Test
  void aWatchThatHasNothingToSayStands() throws Exception {
    try (BufferedReader events = watch("&fieldSelector=metadata.name%3Dnone")) {
      // Ten seconds of bookmarks: longer than the silence that would end it.
      for (int i = 0; i < 6; i++) {
        assertThat(events.readLine()).contains("BOOKMARK");
      }
      assertThat(watches).hasSize(1);
    }
  }
}
