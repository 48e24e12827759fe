package dev.paramecium.apiserver;

import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.chaos.JournalDisk;
import java.nio.file.Path;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;

/**
 * The API server as a cluster singleton: it runs on a member with role {@code control-plane}, and
 * every member can reach it.
 */
public final class ClusterApi {

  /** The role of the members that it may run on. */
  public static final String ROLE = "control-plane";

  private static final String NAME = "api-server";

  private ClusterApi() {}

  /**
   * Offers this member to run the API server, with its journal in {@code folder}.
   *
   * @param disk what the folder is on, with what experiments do to it
   * @return what every request goes to, wherever the API server runs
   */
  public static ActorRef<ApiRequest> host(
      ActorSystem<?> system, Path folder, JournalDisk disk, InstantSource clock) {
    return singleton(system, ApiServer.create(folder, disk, clock));
  }

  /** A client on a member that does not run the API server. */
  public static ApiClient connect(ActorSystem<?> system) {
    return new ActorApiClient(system, singleton(system, Behaviors.empty()));
  }

  private static ActorRef<ApiRequest> singleton(
      ActorSystem<?> system, Behavior<ApiRequest> server) {
    return ClusterSingleton.get(system)
        .init(
            SingletonActor.of(server, NAME)
                .withSettings(ClusterSingletonSettings.create(system).withRole(ROLE)));
  }
}
