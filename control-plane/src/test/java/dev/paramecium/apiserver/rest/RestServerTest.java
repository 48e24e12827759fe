package dev.paramecium.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.apiserver.ApiServer;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class RestServerTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String POD =
      "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'%s'},'spec':{'nodeName':'node-1','containers':[{'name':'c','image':'busybox'}]}}";
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static ActorTestKit kit;
  private static ActorRef<ApiRequest> server;
  private static RestServer rest;

  @BeforeAll
  static void start() throws RestServer.BindFailure {
    kit = ActorTestKit.create();
    server = kit.spawn(ApiServer.inMemory(InstantSource.system()));
    kit.spawn(EchoKubelet.create("node-1"));
    rest = listen(0);
  }

  private static RestServer listen(int port) throws RestServer.BindFailure {
    return RestServer.start(
        kit.system(),
        new ActorApiClient(kit.system(), server),
        server,
        InstantSource.system(),
        List.of(),
        "127.0.0.1",
        port);
  }

  @AfterAll
  static void stop() {
    rest.close();
    kit.shutdownTestKit();
  }

  private static HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + rest.port() + path))
        .timeout(Duration.ofSeconds(20));
  }

  private static HttpResponse<String> send(
      String method, String path, String body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        to(path)
            .method(method, HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')))
            .header("Content-Type", "application/json");
    if (headers.length > 0) {
      request.headers(headers);
    }
    return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static JsonNode json(HttpResponse<String> response) throws IOException {
    return JSON.readTree(response.body());
  }

  private static String pods(String rest) {
    return "/api/v1/namespaces/default/pods" + rest;
  }

  @Test
  void createsReadsChangesAndDeletes() throws Exception {
    assertThat(send("POST", pods(""), POD.formatted("crud")).statusCode()).isEqualTo(201);
    assertThat(json(send("GET", pods("/crud"), "")).path("metadata").path("uid").asText())
        .isNotEmpty();
    HttpResponse<String> patched =
        HTTP.send(
            to(pods("/crud"))
                .method(
                    "PATCH",
                    HttpRequest.BodyPublishers.ofString(
                        "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}"))
                .header("Content-Type", "application/merge-patch+json")
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(json(patched).path("metadata").path("labels").path("a").asText()).isEqualTo("b");
    assertThat(send("DELETE", pods("/crud"), "{'dryRun':['All']}").statusCode()).isEqualTo(200);
    assertThat(send("DELETE", pods("/crud?dryRun=All"), "").statusCode()).isEqualTo(200);
    assertThat(send("GET", pods("/crud"), "").statusCode()).isEqualTo(200);
    HttpResponse<String> deleted =
        send("DELETE", pods("/crud"), "{'gracePeriodSeconds':0,'propagationPolicy':'Background'}");
    assertThat(deleted.statusCode()).isEqualTo(200);
    JsonNode gone = json(send("GET", pods("/crud"), ""));
    assertThat(gone.path("reason").asText()).isEqualTo("NotFound");
    assertThat(gone.path("message").asText()).isEqualTo("pods \"crud\" not found");
    assertThat(gone.path("code").asInt()).isEqualTo(404);
  }

  @Test
  void givesALongListPageByPageAsItWasAtTheFirst() throws Exception {
    for (int i = 0; i < 5; i++) {
      send("POST", "/api/v1/namespaces", "{'metadata':{'name':'page-%d'}}".formatted(i));
    }
    List<String> names = new ArrayList<>();
    String token = "";
    do {
      JsonNode page = json(send("GET", "/api/v1/namespaces?limit=2&continue=" + token, ""));
      assertThat(page.path("items").size()).isLessThanOrEqualTo(2);
      page.path("items").forEach(item -> names.add(item.at("/metadata/name").asText()));
      send(
          "POST", "/api/v1/namespaces", "{'metadata':{'name':'later-%d'}}".formatted(names.size()));
      token = page.path("metadata").path("continue").asText();
    } while (!token.isEmpty());
    assertThat(names).doesNotHaveDuplicates().contains("page-0", "page-4", "default");
    assertThat(names).noneMatch(name -> name.startsWith("later-"));
    assertThat(send("GET", "/api/v1/namespaces?continue=x", "").statusCode()).isEqualTo(400);
    assertThat(send("GET", "/api/v1/namespaces?continue=OTk5OTkvMQ", "").statusCode())
        .isEqualTo(410);
  }

  @Test
  void refusesUnknownFieldsWhenAskedToBeStrict() throws Exception {
    String typo = POD.formatted("typo").replace("'image'", "'imgae':'x','image'");
    assertThat(json(send("POST", pods("?fieldValidation=Strict"), typo)).path("message").asText())
        .contains("strict decoding error: unknown field \"spec.containers[0].imgae\"");
    assertThat(send("POST", pods(""), typo).statusCode()).isEqualTo(201);
  }

  @Test
  void printsTablesWithTheColumnsOfTheRealServer() throws Exception {
    JsonNode table =
        json(
            HTTP.send(
                to("/api/v1/pods?limit=500")
                    .header(
                        "Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
                    .build(),
                HttpResponse.BodyHandlers.ofString()));
    assertThat(table.path("kind").asText()).isEqualTo("Table");
    List<String> columns = new ArrayList<>();
    table.path("columnDefinitions").forEach(column -> columns.add(column.path("name").asText()));
    assertThat(columns)
        .containsExactly(
            "Name",
            "Ready",
            "Status",
            "Restarts",
            "Age",
            "IP",
            "Node",
            "Nominated Node",
            "Readiness Gates");
  }

  @Test
  void aTablesRowsCarryWhatIsAskedFor() throws Exception {
    assertThat(row("").path("object").path("kind").asText()).isEqualTo("PartialObjectMetadata");
    assertThat(row("?includeObject=None").has("object")).isFalse();
    JsonNode whole = row("?includeObject=Object").path("object");
    assertThat(whole.path("kind").asText()).isEqualTo("Namespace");
    assertThat(whole.at("/status/phase").asText()).as("to sort by it").isEqualTo("Active");
    assertThat(table("?includeObject=All").path("message").asText())
        .isEqualTo(
            "includeObject: Invalid value: \"All\": must be one of None, Metadata and Object");
  }

  private static JsonNode row(String query) throws Exception {
    return table(query).at("/rows/0");
  }

  private static JsonNode table(String query) throws Exception {
    return json(
        HTTP.send(
            to("/api/v1/namespaces" + query)
                .header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
                .build(),
            HttpResponse.BodyHandlers.ofString()));
  }

  @Test
  void watchesFromAListAndEndsInitialEventsWithABookmark() throws Exception {
    HttpResponse<InputStream> response =
        HTTP.send(
            to(pods(
                    "?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name%3Dwatched&timeoutSeconds=10"))
                .build(),
            HttpResponse.BodyHandlers.ofInputStream());
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
      JsonNode bookmark = JSON.readTree(lines.readLine());
      assertThat(bookmark.path("type").asText()).isEqualTo("BOOKMARK");
      assertThat(
              bookmark
                  .at("/object/metadata/annotations")
                  .path("k8s.io/initial-events-end")
                  .asText())
          .isEqualTo("true");
      send("POST", pods(""), POD.formatted("watched"));
      JsonNode added = JSON.readTree(lines.readLine());
      while (added.path("type").asText().equals("BOOKMARK")) {
        added = JSON.readTree(lines.readLine());
      }
      assertThat(added.path("type").asText()).isEqualTo("ADDED");
      assertThat(added.at("/object/metadata/name").asText()).isEqualTo("watched");
    }
  }

  /** One exec over WebSocket: what came on each channel. */
  private static List<String> exec(String pod, String query, List<byte[]> messages)
      throws Exception {
    List<String> channels = new ArrayList<>(List.of("", "", "", ""));
    CompletableFuture<Void> closed = new CompletableFuture<>();
    WebSocket socket =
        HTTP.newWebSocketBuilder()
            .subprotocols("v5.channel.k8s.io")
            .buildAsync(
                URI.create("ws://127.0.0.1:" + rest.port() + pods("/" + pod + "/exec?" + query)),
                new WebSocket.Listener() {
                  private final ByteArrayOutputStream message = new ByteArrayOutputStream();

                  @Override
                  public CompletionStage<?> onBinary(
                      WebSocket from, ByteBuffer data, boolean last) {
                    byte[] bytes = new byte[data.remaining()];
                    data.get(bytes);
                    message.writeBytes(bytes);
                    if (last) {
                      String text = message.toString(StandardCharsets.UTF_8);
                      int channel = text.charAt(0);
                      channels.set(channel, channels.get(channel) + text.substring(1));
                      message.reset();
                    }
                    from.request(1);
                    return null;
                  }

                  @Override
                  public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
                    closed.complete(null);
                    return null;
                  }

                  @Override
                  public void onError(WebSocket from, Throwable error) {
                    closed.completeExceptionally(error);
                  }
                })
            .get(10, TimeUnit.SECONDS);
    for (byte[] message : messages) {
      socket.sendBinary(ByteBuffer.wrap(message), true).get(10, TimeUnit.SECONDS);
    }
    closed.get(10, TimeUnit.SECONDS);
    return channels;
  }

  @Test
  void runsCommandsInPodsWithInputOutputAndExitCode() throws Exception {
    send("POST", "/api/v1/nodes", "{'metadata':{'name':'node-1'}}");
    send("POST", pods(""), POD.formatted("shell"));
    List<String> cat =
        exec(
            "shell",
            "command=cat&stdin=true&stdout=true",
            List.of("\0hello".getBytes(StandardCharsets.UTF_8), new byte[] {(byte) 255, 0}));
    assertThat(cat.get(1)).isEqualTo("hello");
    assertThat(JSON.readTree(cat.get(3)).path("status").asText()).isEqualTo("Success");

    List<String> failed =
        exec("shell", "command=exit&command=3&stdout=true&stderr=true", List.of());
    assertThat(failed.get(2)).isEqualTo("leaving with 3\n");
    assertThat(JSON.readTree(failed.get(3)).at("/details/causes/0/message").asText())
        .isEqualTo("3");

    List<String> much = exec("shell", "command=yes&command=1000&stdout=true", List.of());
    assertThat(much.get(1)).hasSize(1000 * 1024);
  }

  @Test
  void refusesContainersAndLogOptionsThatCannotBeInTheServersWords() throws Exception {
    send("POST", "/api/v1/nodes", "{'metadata':{'name':'node-1'}}");
    send("POST", pods(""), POD.formatted("strict"));
    assertThat(refusal(pods("/strict/log?container=nope")))
        .isEqualTo("400 BadRequest container nope is not valid for pod strict");
    assertThat(refusal(pods("/strict/log?tailLines=-3")))
        .isEqualTo(
            "422 Invalid PodLogOptions \"strict\" is invalid: tailLines: Invalid value: -3: must be"
                + " greater than or equal to 0");
    assertThat(refusal(pods("/strict/log?sinceSeconds=0")))
        .isEqualTo(
            "422 Invalid PodLogOptions \"strict\" is invalid: sinceSeconds: Invalid value: 0: must"
                + " be greater than 0");
    assertThat(refusal(pods("/strict/log?tailLines=many")))
        .isEqualTo("400 BadRequest strconv.ParseInt: parsing \"many\": invalid syntax");
    assertThatThrownBy(() -> exec("strict", "command=id&container=nope&stdout=true", List.of()))
        .hasRootCauseMessage("Unexpected HTTP response status code 400");
  }

  private static String refusal(String path) throws Exception {
    JsonNode status = JSON.readTree(send("GET", path, "").body());
    return status.path("code").asInt()
        + " "
        + status.path("reason").asText()
        + " "
        + status.path("message").asText();
  }

  @Test
  void refusesAPortThatIsTakenAndAnAddressThatIsNotLoopback() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      assertThatThrownBy(() -> listen(taken.getLocalPort()))
          .isInstanceOf(RestServer.BindFailure.class)
          .hasMessageContaining("TCP port " + taken.getLocalPort() + " on 127.0.0.1");
    }
    assertThatThrownBy(
            () ->
                RestServer.start(
                    kit.system(),
                    new ActorApiClient(kit.system(), server),
                    server,
                    InstantSource.system(),
                    List.of(),
                    "192.0.2.1",
                    0))
        .hasMessageContaining("loopback only");
  }

  @Test
  void answersBadRequestsWithAStatusThatSaysWhy() throws Exception {
    assertThat(send("GET", "/api/v1/nonsense", "").statusCode()).isEqualTo(404);
    assertThat(send("POST", pods(""), "{").statusCode()).isEqualTo(400);
    assertThat(send("POST", pods(""), "[]").statusCode()).isEqualTo(400);
    assertThat(send("POST", pods(""), "{'metadata':[1]}").statusCode()).isEqualTo(400);
    assertThat(send("DELETE", pods("/none"), "{'gracePeriodSeconds':'x'}").statusCode())
        .isBetween(400, 499);
    assertThat(send("GET", pods("?labelSelector=a+in+("), "").statusCode()).isEqualTo(400);
    assertThat(send("GET", pods("?watch=1&resourceVersion=x"), "").statusCode()).isEqualTo(400);
    assertThat(send("POST", pods(""), "x".repeat(4 * 1024 * 1024)).statusCode()).isEqualTo(413);
    JsonNode status = json(send("POST", pods(""), "{'kind':'Hat'}"));
    assertThat(status.path("kind").asText()).isEqualTo("Status");
    assertThat(status.path("message").asText()).contains("Hat");
  }

  @Test
  void listsAreOfTheVersionThatIsAskedForOrRefused() throws Exception {
    long newest = json(send("GET", pods(""), "")).at("/metadata/resourceVersion").asLong();

    assertThat(send("GET", pods("?resourceVersion=0"), "").statusCode()).isEqualTo(200);
    JsonNode late = json(send("GET", pods("?resourceVersion=" + (newest + 1000)), ""));
    assertThat(late.path("code").asInt()).isEqualTo(504);
    assertThat(late.at("/details/causes/0/reason").asText()).isEqualTo("ResourceVersionTooLarge");
    assertThat(send("GET", pods("?resourceVersionMatch=Exact"), "").statusCode()).isEqualTo(422);
    assertThat(send("GET", pods("?resourceVersion=1&resourceVersionMatch=Exact"), "").statusCode())
        .isEqualTo(410);
  }

  @Test
  void refusesMethodsAndProtobufThatItDoesNotKnow() throws Exception {
    assertThat(send("OPTIONS", "/api", "").statusCode()).isEqualTo(405);
    long seed = Long.getLong("paramecium.seed", System.nanoTime());
    System.out.println("RestServerTest seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      StringBuilder body = new StringBuilder("k8s\0\n\u000f\n\u0002v1\u0012\tNamespace\u0012");
      int length = random.nextInt(40);
      for (int j = 0; j < length; j++) {
        body.append((char) random.nextInt(128));
      }
      int status =
          HTTP.send(
                  java.net.http.HttpRequest.newBuilder(
                          java.net.URI.create(
                              "http://127.0.0.1:" + rest.port() + "/api/v1/namespaces?dryRun=All"))
                      .header("Content-Type", "application/vnd.kubernetes.protobuf")
                      .POST(java.net.http.HttpRequest.BodyPublishers.ofString(body.toString()))
                      .build(),
                  java.net.http.HttpResponse.BodyHandlers.discarding())
              .statusCode();
      assertThat(status).as("body %s", body).isIn(201, 400, 409, 415, 422);
    }
  }

  @Test
  void survivesRandomAndMutatedRequests() throws Exception {
    long seed = Long.getLong("paramecium.seed", System.nanoTime());
    System.out.println("RestServerTest seed " + seed);
    Random random = new Random(seed);
    String good =
        "POST /api/v1/namespaces/default/pods HTTP/1.1\r\n"
            + "Host: x\r\n"
            + "Content-Type: application/json\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n"
            + "5\r\n"
            + "{\"a\":\r\n"
            + "2\r\n"
            + "1}\r\n"
            + "0\r\n\r\n";
    for (int i = 0; i < 300; i++) {
      byte[] bytes;
      if (i % 3 == 0) {
        bytes = new byte[random.nextInt(2000)];
        random.nextBytes(bytes);
      } else {
        bytes = good.getBytes(StandardCharsets.ISO_8859_1);
        for (int change = random.nextInt(6); change >= 0; change--) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
      }
      try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), rest.port())) {
        socket.getOutputStream().write(bytes);
        socket.shutdownOutput();
        socket.setSoTimeout(5000);
        byte[] answer = socket.getInputStream().readAllBytes();
        if (answer.length > 0) {
          String text = new String(answer, StandardCharsets.ISO_8859_1);
          assertThat(text).as("request %d", i).startsWith("HTTP/1.");
          assertThat(text).as("request %d", i).doesNotContain("HTTP/1.1 5");
        }
      } catch (java.net.SocketException e) {
        // Hung up on while it was still talking: allowed.
        assertThat(e).hasMessageMatching("(?s).*(reset|Broken pipe|closed|abort).*");
      }
    }
    assertThat(send("GET", "/readyz", "").body()).isEqualTo("ok");
  }
}
