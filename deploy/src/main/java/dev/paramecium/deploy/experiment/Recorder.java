package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.experiment.History.Seen;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Keeps one watch of everything of a kind, from the beginning, through outages: it resumes after
 * the last revision that it saw.
 */
final class Recorder implements AutoCloseable {

  private final ApiHttp api;
  private final String path;
  private final List<Seen> seen;
  private final Thread thread;
  private volatile boolean closed;
  private volatile InputStream stream = InputStream.nullInputStream();
  private volatile long revision;

  /**
   * @param path of the collection
   */
  Recorder(ApiHttp api, String path, List<Seen> seen) {
    this.api = api;
    this.path = path;
    this.seen = seen;
    JsonNode list = api.get(path);
    list.path("items").forEach(item -> seen.add(new Seen("ADDED", item, Instant.now())));
    this.revision = list.at("/metadata/resourceVersion").asLong();
    this.thread = Thread.ofVirtual().name("watch of " + path).start(this::run);
  }

  /** How far the watch has come. */
  long revision() {
    return revision;
  }

  private void run() {
    while (!closed) {
      String separator = path.contains("?") ? "&" : "?";
      try (InputStream in =
          api.stream(
              path
                  + separator
                  + "watch=true&allowWatchBookmarks=true&resourceVersion="
                  + revision)) {
        stream = in;
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null && !closed; line = lines.readLine()) {
          read(ApiHttp.JSON.readTree(line));
        }
      } catch (IOException | UserError _) {
        // The control plane is away: that is what experiments are about.
      }
      pause();
    }
  }

  private void read(JsonNode event) {
    JsonNode object = event.path("object");
    String type = event.path("type").asText();
    if (type.equals("ERROR")) {
      return;
    }
    if (!type.equals("BOOKMARK")) {
      seen.add(new Seen(type, object, Instant.now()));
    }
    revision = Math.max(revision, object.at("/metadata/resourceVersion").asLong());
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(200);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closed = true;
    try {
      stream.close();
    } catch (IOException _) {
      // It is to end.
    }
    thread.interrupt();
  }
}
