package dev.paramecium.deploy.bench;

import dev.paramecium.deploy.UserError;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Somewhere that one end of a measurement can run: a pod, or a process of the host's. */
interface LoadEnd {

  /** How long an end may take to be ready, and longer than its work to be done. */
  long LIMIT_SECONDS = 40;

  /** The address that the other end sends to. */
  String address();

  /** A port that nobody uses at this end. */
  int freePort();

  /** Starts an end with the arguments of {@code paramecium-load}. */
  Running start(List<String> arguments);

  /**
   * An end that runs.
   *
   * @param listening completes when it takes what is sent
   * @param output completes with all that it printed when it ends, exceptionally if it failed
   */
  record Running(CompletableFuture<?> listening, CompletableFuture<String> output) {

    void awaitListening() {
      await(CompletableFuture.anyOf(listening, output));
    }

    /** Waits for the end and answers the figures of its last line. */
    Map<String, Long> figures() {
      String text = await(output);
      Map<String, Long> figures = new HashMap<>();
      for (String word :
          text.substring(text.strip().lastIndexOf('\n') + 1).strip().split(" ", -1)) {
        int equals = word.indexOf('=');
        if (equals < 0) {
          throw new UserError(
              UserError.FAILED, "an end of the measurement printed no figures: " + text.strip());
        }
        figures.put(word.substring(0, equals), Long.parseLong(word.substring(equals + 1)));
      }
      return figures;
    }

    private static <T> T await(CompletableFuture<T> future) {
      try {
        return future.get(LIMIT_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        throw new UserError(
            UserError.FAILED,
            "an end of the measurement was not done after " + LIMIT_SECONDS + " s.");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new UserError(UserError.FAILED, "interrupted.");
      } catch (java.util.concurrent.ExecutionException | CompletionException e) {
        if (e.getCause() instanceof UserError error) {
          throw error;
        }
        throw new UserError(UserError.FAILED, "an end of the measurement failed: " + e.getCause());
      }
    }
  }
}
