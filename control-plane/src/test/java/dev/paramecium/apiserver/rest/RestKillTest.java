package dev.paramecium.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.paramecium.apiserver.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code kill -9} of the API server's process at random moments while four clients write over HTTP
 * and one watches. Afterwards: each object is as its last acknowledged write left it, or as the one
 * write that was under way when the server died would have; nothing else is there; a write's
 * resourceVersion is above that of every write that was acknowledged before it was sent, across
 * kills; and the watch has told each acknowledged write exactly once, in order.
 */
class RestKillTest {

  /** 200 in CI, which takes about four minutes. */
  private static final int KILLS =
      Integer.getInteger("paramecium.restKills", System.getenv("CI") == null ? 15 : 200);

  private static final int WRITERS = 4;
  private static final int KEYS = 6;
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MAPS = "/api/v1/namespaces/default/configmaps";

  private final HttpClient http = HttpClient.newHttpClient();
  private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
  private final AtomicLong acknowledged = new AtomicLong();
  private final AtomicLong lastVersion = new AtomicLong();

  /** What the watch has told, oldest first, and by which version each object was told last. */
  private final Map<String, List<Told>> told = new ConcurrentHashMap<>();

  private final AtomicLong toldVersion = new AtomicLong();
  private volatile boolean over;
  private int port;

  /** What an object is. */
  private record Known(String value, long version) {}

  /** An event of the watch. */
  private record Told(String type, long version) {}

  @Test
  void losesAndInventsNothingAndTellsEveryChangeOnce(@TempDir Path folder) throws Exception {
    long seed = Long.getLong("paramecium.seed", System.nanoTime());
    System.out.println("RestKillTest seed " + seed);
    Random random = new Random(seed);
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      port = free.getLocalPort();
    }
    List<String> arguments =
        List.of(Integer.toString(port), folder.resolve("rehearsed").toString());
    List<String> options = ChildJvm.rehearsed(folder, ByHand.class, arguments, this::awaitReady);
    Path state = folder.resolve("state");
    Process server = start(options, state);
    List<Writer> writers = new ArrayList<>();
    Thread watcher = Thread.ofPlatform().name("watcher").unstarted(() -> guarded(this::watch));
    try {
      awaitReady();
      for (int i = 0; i < WRITERS; i++) {
        writers.add(new Writer("w" + i, new Random(random.nextLong())));
      }
      watcher.start();
      writers.forEach(writer -> writer.thread.start());
      for (int kill = 0; kill < KILLS && wrong.isEmpty(); kill++) {
        long before = acknowledged.get();
        long moment = before + 1 + random.nextInt(120);
        await(() -> acknowledged.get() >= moment || !wrong.isEmpty(), "writes go on");
        server.destroyForcibly().waitFor();
        long seen = lastVersion.get();
        server = start(options, state);
        awaitReady();
        long now = list().path("metadata").path("resourceVersion").asLong();
        if (now < seen) {
          wrong.add("after kill " + kill + " the list is of version " + now + ", before " + seen);
        }
      }
      over = true;
      for (Writer writer : writers) {
        assertThat(writer.thread.join(LIMIT)).as(writer.name + " ends").isTrue();
      }
      assertThat(wrong).as("seed %d", seed).isEmpty();
      assertThat(found()).as("seed %d", seed).isEqualTo(expected(writers));
      long end = lastVersion.get();
      await(() -> toldVersion.get() >= end || !wrong.isEmpty(), "the watch tells version " + end);
      writers.forEach(this::checkTold);
      assertThat(wrong).as("seed %d", seed).isEmpty();
      System.out.printf("RestKillTest: %d kills, %d acknowledged%n", KILLS, acknowledged.get());
    } finally {
      over = true;
      server.destroyForcibly().waitFor();
      watcher.interrupt();
    }
  }

  private Process start(List<String> options, Path state) throws IOException {
    return new ProcessBuilder(
            ChildJvm.command(options, ByHand.class, Integer.toString(port), state.toString()))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  // ---- waiting

  private interface Condition {
    boolean holds() throws IOException, InterruptedException;
  }

  private void await(Condition condition, String what) throws IOException, InterruptedException {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (!condition.holds()) {
      assertThat(System.nanoTime()).as("%s within %s", what, LIMIT).isLessThan(end);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
  }

  private void awaitReady() throws IOException, InterruptedException {
    await(
        () -> {
          try {
            return send("GET", "/readyz", "").statusCode() == 200;
          } catch (IOException _) {
            return false;
          }
        },
        "the server is ready");
  }

  // ---- requests

  private HttpResponse<String> send(String method, String path, String body)
      throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
            .timeout(LIMIT)
            .header(
                "Content-Type",
                method.equals("PATCH") ? "application/merge-patch+json" : "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private JsonNode list() throws IOException, InterruptedException {
    return JSON.readTree(send("GET", MAPS, "").body());
  }

  private static Known known(JsonNode object) {
    return new Known(
        object.path("data").path("value").asText(),
        object.path("metadata").path("resourceVersion").asLong());
  }

  private Map<String, Known> found() throws IOException, InterruptedException {
    Map<String, Known> found = new HashMap<>();
    for (JsonNode object : list().path("items")) {
      found.put(object.path("metadata").path("name").asText(), known(object));
    }
    return found;
  }

  private static Map<String, Known> expected(List<Writer> writers) {
    Map<String, Known> expected = new HashMap<>();
    writers.forEach(writer -> expected.putAll(writer.objects));
    return expected;
  }

  // ---- writing

  /** Writes objects that are its alone, one after the other, and knows what each has to be. */
  private final class Writer {
    final String name;
    final Random random;
    final Thread thread;
    final Map<String, Known> objects = new HashMap<>();

    /** Objects as they were written, {@code name@version}. */
    final Set<String> stored = new HashSet<>();

    /** Objects as they were when they were deleted. */
    final Set<String> deleted = new HashSet<>();

    private int count;

    Writer(String name, Random random) {
      this.name = name;
      this.random = random;
      this.thread = Thread.ofPlatform().name(name).unstarted(() -> guarded(this::run));
    }

    private void run() throws IOException, InterruptedException {
      while (!over && wrong.isEmpty()) {
        String key = name + "-" + random.nextInt(KEYS);
        Known before = objects.get(key);
        String value = name + "." + ++count;
        if (before == null) {
          write("POST", MAPS, json(key, value, 0), key, value);
        } else {
          switch (random.nextInt(4)) {
            case 0 -> write("DELETE", MAPS + "/" + key, "", key, null);
            case 1 ->
                write("PUT", MAPS + "/" + key, json(key, value, before.version()), key, value);
            default ->
                write(
                    "PATCH",
                    MAPS + "/" + key,
                    "{\"data\":{\"value\":\"" + value + "\"}}",
                    key,
                    value);
          }
        }
      }
    }

    private static String json(String key, String value, long version) {
      String only = version == 0 ? "" : ",\"resourceVersion\":\"" + version + "\"";
      return """
      {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"%s},"data":{"value":"%s"}}
      """
          .formatted(key, only, value);
    }

    /**
     * One write.
     *
     * @param value what the object is to hold, null if it is to go
     */
    private void write(String method, String path, String body, String key, @Nullable String value)
        throws IOException, InterruptedException {
      Known before = objects.get(key);
      long floor = lastVersion.get();
      HttpResponse<String> response;
      try {
        response = send(method, path, body);
      } catch (IOException _) {
        resolve(key, before, value);
        return;
      }
      if (response.statusCode() / 100 != 2) {
        wrong.add(method + " " + key + " (" + before + "): " + response.body());
        return;
      }
      acknowledged.incrementAndGet();
      if (value == null) {
        objects.remove(key);
        deleted.add(key + "@" + (before == null ? 0 : before.version()));
        return;
      }
      Known after = known(JSON.readTree(response.body()));
      if (!after.value().equals(value) || after.version() <= floor) {
        wrong.add(method + " of " + key + " gave " + after + " above version " + floor);
      }
      accept(key, after);
    }

    private void accept(String key, Known after) {
      objects.put(key, after);
      stored.add(key + "@" + after.version());
      lastVersion.accumulateAndGet(after.version(), Math::max);
    }

    /** The server died with a write under way: it happened, or it did not. */
    private void resolve(String key, @Nullable Known before, @Nullable String value)
        throws IOException, InterruptedException {
      Known now;
      while (true) {
        awaitReady();
        try {
          HttpResponse<String> read = send("GET", MAPS + "/" + key, "");
          now = read.statusCode() == 404 ? null : known(JSON.readTree(read.body()));
          break;
        } catch (IOException _) {
          // It died again.
        }
      }
      if (now == null ? before == null : now.equals(before)) {
        return;
      }
      if (now == null ? value == null : now.value().equals(value)) {
        if (now == null) {
          objects.remove(key);
          deleted.add(key + "@" + (before == null ? 0 : before.version()));
        } else {
          accept(key, now);
        }
        return;
      }
      wrong.add(key + " was " + before + ", was to be " + value + ", is " + now);
    }
  }

  // ---- watching

  private interface Work {
    void run() throws IOException, InterruptedException;
  }

  private void guarded(Work work) {
    try {
      work.run();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException | AssertionError e) {
      wrong.add(Thread.currentThread().getName() + ": " + e);
    }
  }

  /** Follows all changes from the first version on, over every death of the server. */
  private void watch() throws IOException, InterruptedException {
    while (!over || toldVersion.get() < lastVersion.get()) {
      awaitReady();
      long from = toldVersion.get();
      String query = "?watch=true&resourceVersion=" + Math.max(1, from);
      try {
        HttpResponse<InputStream> stream =
            http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + MAPS + query))
                    .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader lines =
            new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
          for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            take(JSON.readTree(line));
          }
        }
      } catch (IOException _) {
        // It died: on from there.
      }
    }
  }

  private void take(JsonNode event) {
    JsonNode metadata = event.path("object").path("metadata");
    long version = metadata.path("resourceVersion").asLong();
    String type = event.path("type").asText();
    if (!Set.of("ADDED", "MODIFIED", "DELETED").contains(type)) {
      wrong.add("the watch was told " + event);
    } else if (version <= toldVersion.get()) {
      wrong.add("the watch was told " + version + " after " + toldVersion.get());
    }
    told.computeIfAbsent(metadata.path("name").asText(), _ -> new ArrayList<>())
        .add(new Told(type, version));
    toldVersion.set(version);
  }

  private void checkTold(Writer writer) {
    for (String written : writer.stored) {
      String[] word = written.split("@", 2);
      if (next(word[0], Long.parseLong(word[1]), 0) == null) {
        wrong.add("the watch was not told " + written);
      }
    }
    for (String gone : writer.deleted) {
      String[] word = gone.split("@", 2);
      Told after = next(word[0], Long.parseLong(word[1]), 1);
      if (after == null || !after.type().equals("DELETED")) {
        wrong.add("the watch was not told the end of " + gone + ", but " + after);
      }
    }
  }

  /** The event that comes {@code offset} after that of a version; null if there is none. */
  private @Nullable Told next(String name, long version, int offset) {
    List<Told> events = told.getOrDefault(name, List.of());
    for (int i = 0; i < events.size(); i++) {
      if (events.get(i).version() == version) {
        return i + offset < events.size() ? events.get(i + offset) : null;
      }
    }
    return null;
  }
}
