package dev.paramecium.deploy.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import dev.paramecium.trace.ObservationJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A trace that is running: taps on all nodes, observations coming in. Closing it takes the taps
 * away.
 */
public final class TraceStream implements AutoCloseable {

  private static final Duration ARMING_LIMIT = Duration.ofSeconds(5);

  private final InputStream body;
  private final CountDownLatch armed = new CountDownLatch(1);
  private final List<Observation> observations = new ArrayList<>();
  private boolean ended;

  private TraceStream(InputStream body) {
    this.body = body;
  }

  /**
   * Sets the taps and returns when all nodes have them.
   *
   * @throws UserError if they cannot be set
   */
  public static TraceStream open(ApiHttp api, TraceFilter filter) {
    ObjectNode request = ApiHttp.JSON.createObjectNode();
    request
        .put("source", filter.source().toString())
        .put("destination", filter.destination().toString())
        .put("protocol", filter.protocol())
        .put("sourcePort", filter.sourcePort())
        .put("destinationPort", filter.destinationPort());
    TraceStream stream =
        new TraceStream(api.stream("/apis/paramecium.dev/v1alpha1/traces", request));
    Thread.ofVirtual().start(stream::read);
    try {
      if (!stream.armed.await(ARMING_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        stream.close();
        throw new UserError(
            UserError.FAILED,
            "the nodes did not set their taps in " + ARMING_LIMIT.toSeconds() + " s.");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError(UserError.FAILED, "interrupted");
    }
    return stream;
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
      String line;
      while ((line = lines.readLine()) != null) {
        JsonNode json = ApiHttp.JSON.readTree(line);
        if (json.has("armed")) {
          armed.countDown();
        } else if (json.has("hook")) {
          add(ObservationJson.read(json));
        }
      }
    } catch (IOException _) {
      // Closed from our side, or the server went away: what was seen so far is what there is.
    } finally {
      end();
    }
  }

  private synchronized void add(Observation observation) {
    observations.add(observation);
    notifyAll();
  }

  private synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** What has been seen so far. */
  public synchronized List<Observation> observations() {
    return List.copyOf(observations);
  }

  /**
   * Waits until {@code enough} holds of what has been seen.
   *
   * @return whether it came to hold within the limit
   */
  public synchronized boolean await(Predicate<List<Observation>> enough, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!enough.test(List.copyOf(observations))) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0 || ended) {
        return false;
      }
      try {
        wait(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() {
    try {
      body.close();
    } catch (IOException _) {
      // Closing is all that was wanted.
    }
  }
}
