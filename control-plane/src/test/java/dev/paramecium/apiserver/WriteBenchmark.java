package dev.paramecium.apiserver;

import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ResourceType;
import java.io.IOException;
import java.nio.file.Files;
import java.time.InstantSource;
import java.util.concurrent.Semaphore;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Durable creates per second with 1, 16 and 256 in flight: {@code WriteBenchmark [COUNT]}. What
 * separates them is group commit.
 */
public final class WriteBenchmark {

  private WriteBenchmark() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5000;
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "benchmark");
    ActorApiClient api =
        new ActorApiClient(
            system,
            system.systemActorOf(
                ApiServer.create(
                    Files.createTempDirectory("journal-benchmark"), InstantSource.system()),
                "api",
                Props.empty()));
    for (int inFlight : new int[] {256, 1, 16, 256}) {
      Semaphore slots = new Semaphore(inFlight);
      int creates = inFlight == 1 ? count / 10 : count;
      long start = System.nanoTime();
      for (int i = 0; i < creates; i++) {
        slots.acquire();
        api.create(ResourceType.POD, Objects.pod("p" + inFlight + "-" + start + "-" + i, "x"))
            .thenAccept(_ -> slots.release());
      }
      slots.acquire(inFlight);
      System.out.printf(
          "%d in flight: %.0f durable creates/s%n",
          inFlight, creates * 1e9 / (System.nanoTime() - start));
    }
    system.terminate();
  }
}
