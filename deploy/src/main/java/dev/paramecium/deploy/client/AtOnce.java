package dev.paramecium.deploy.client;

import dev.paramecium.deploy.UserError;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Several calls that mostly wait, all at the same time. */
public final class AtOnce {

  private AtOnce() {}

  /**
   * Returns when all have ended.
   *
   * @throws UserError or whatever the first that failed threw
   */
  public static void run(List<? extends Runnable> calls) {
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      calls.forEach(call -> running.add(threads.submit(call)));
    }
    for (Future<?> call : running) {
      try {
        call.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException failure) {
          throw failure;
        }
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new UserError(UserError.FAILED, "interrupted");
      }
    }
  }
}
