package dev.paramecium.apiserver.rest;

import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.apiserver.ApiServer;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** The API server alone, for trying a real kubectl on it: {@code ByHand PORT FOLDER}. */
public final class ByHand {

  private ByHand() {}

  public static void main(String[] arguments) throws RestServer.BindFailure {
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "by-hand");
    ActorRef<ApiRequest> server =
        system.systemActorOf(
            ApiServer.create(Path.of(arguments[1]), InstantSource.system()),
            "api-server",
            Props.empty());
    system.systemActorOf(EchoKubelet.create("node-1"), "kubelet", Props.empty());
    RestServer.start(
        system,
        new ActorApiClient(system, server),
        server,
        InstantSource.system(),
        List.of(),
        "127.0.0.1",
        Integer.parseInt(arguments[0]));
  }
}
