package dev.paramecium.deploy.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.client.ApiHttp;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/** One client's writes, some of them under way at once. */
final class ManyRequests {

  /** How many requests of the client are under way at once. */
  static final int IN_FLIGHT = 16;

  private ManyRequests() {}

  /** Creates objects 0 to {@code count - 1} under {@code path}; returns when all are answered. */
  static void post(ApiHttp api, String path, int count, IntFunction<JsonNode> object) {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> clients = new ArrayList<>();
      for (int i = 0; i < IN_FLIGHT; i++) {
        int first = i;
        clients.add(
            threads.submit(
                () -> {
                  for (int n = first; n < count; n += IN_FLIGHT) {
                    api.post(path, object.apply(n));
                  }
                }));
      }
      for (Future<?> client : clients) {
        client.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }
}
