package dev.paramecium.apiserver;

import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * An API server with four writers that never stop, as a process of its own, to be killed: {@code
 * WriterProcess FOLDER ROUND}. Each acknowledged write is a line {@code stored NAME
 * RESOURCEVERSION} or {@code deleted NAME}, printed after the acknowledgement; each attempt is a
 * line {@code try NAME} before.
 */
public final class WriterProcess {

  private static final int WRITERS = 4;
  private static final int DELETE_EVERY = 5;

  private WriterProcess() {}

  public static void main(String[] arguments) {
    PrintStream out =
        new PrintStream(
            new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "writer");
    ActorRef<ApiRequest> server =
        system.systemActorOf(
            ApiServer.create(Path.of(arguments[0]), InstantSource.system()), "api", Props.empty());
    ActorApiClient api = new ActorApiClient(system, server);
    AtomicLong number = new AtomicLong();
    for (int writer = 0; writer < WRITERS; writer++) {
      Thread.ofPlatform()
          .start(
              () -> {
                while (true) {
                  long mine = number.incrementAndGet();
                  String name = "r" + arguments[1] + "-" + mine;
                  say(out, "try " + name);
                  ApiReply reply =
                      api.create(ResourceType.POD, Objects.pod(name, "x"))
                          .toCompletableFuture()
                          .join();
                  if (reply instanceof ApiReply.Stored(KubeObject object, boolean _)) {
                    say(out, "stored " + name + " " + object.resourceVersion());
                  }
                  if (mine % DELETE_EVERY == 0) {
                    say(out, "undo " + name);
                    if (api.delete(ResourceType.POD, "default", name, 0)
                            .toCompletableFuture()
                            .join()
                        instanceof ApiReply.Deleted) {
                      say(out, "deleted " + name);
                    }
                  }
                }
              });
    }
  }

  private static void say(PrintStream out, String line) {
    synchronized (out) {
      out.println(line);
    }
  }
}
