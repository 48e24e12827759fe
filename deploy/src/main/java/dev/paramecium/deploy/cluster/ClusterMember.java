package dev.paramecium.deploy.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.slf4j.LoggerFactory;

/**
 * One member of the Pekko cluster: its actor system, bound to one address, with one role.
 *
 * <p>Members are never downed because they cannot be reached: a cut link heals, and until then each
 * side works with what it has. A member that was killed and comes back takes the place of its old
 * self: on its address Pekko sees to it, on another {@link Succession}.
 */
final class ClusterMember {

  static final String SYSTEM = "paramecium";
  static final String CONTROL_PLANE = "control-plane";
  static final String NODE = "node";
  static final String WORLD = "world";

  private ClusterMember() {}

  /**
   * The configuration of a member.
   *
   * @param names of the nodes of this member, or of the control plane: {@link Succession}
   * @param clusterName who says another is not let in
   * @param seeds host:port of those to join; itself first if it may form the cluster alone; none if
   *     {@link Joining} sees to it
   */
  static Config config(
      String role,
      List<String> names,
      String clusterName,
      String host,
      int port,
      List<String> seeds) {
    return config(role, names, clusterName, Version.NUMBER, host, port, seeds);
  }

  static Config config(
      String role,
      List<String> names,
      String clusterName,
      String version,
      String host,
      int port,
      List<String> seeds) {
    List<String> roles = new ArrayList<>(List.of(role));
    names.forEach(name -> roles.add(Succession.NAME + name));
    List<String> addresses = seeds.stream().map(seed -> "pekko://" + SYSTEM + "@" + seed).toList();
    return ConfigFactory.parseMap(
            Map.of(
                SameCluster.CLUSTER,
                clusterName,
                SameCluster.VERSION,
                version,
                SameCluster.ROLE,
                role,
                "pekko.actor.provider",
                "cluster",
                "pekko.remote.artery.canonical.hostname",
                host,
                "pekko.remote.artery.canonical.port",
                port,
                "pekko.cluster.roles",
                roles,
                "pekko.cluster.seed-nodes",
                addresses,
                "pekko.cluster.seed-node-timeout",
                seedTimeout(role)))
        .withFallback(ConfigFactory.parseResources("paramecium.conf"))
        .withFallback(ConfigFactory.load());
  }

  /**
   * Starts a member that joins whoever lets it in.
   *
   * @param controlPlanes host:port of control planes' cluster links, names allowed
   */
  static <T> ActorSystem<T> start(Behavior<T> guardian, Config config, List<String> controlPlanes) {
    ActorSystem<T> system = start(guardian, config);
    system.systemActorOf(Joining.create(controlPlanes), "joining", Props.empty());
    return system;
  }

  /**
   * Waits until the member has ended.
   *
   * @throws UserError if it ended because the others did not let it in
   */
  static void awaitEnd(ActorSystem<?> system) {
    system.getWhenTerminated().toCompletableFuture().join();
    boolean refused =
        CoordinatedShutdown.get(system)
            .getShutdownReason()
            .filter(CoordinatedShutdown.incompatibleConfigurationDetectedReason()::equals)
            .isPresent();
    if (refused) {
      Config config = system.settings().config();
      String why = SameCluster.refusal(config.getString("pekko.remote.artery.canonical.hostname"));
      throw new UserError(
          UserError.FAILED,
          why != null
              ? "cannot join the control plane: " + why + "."
              : "the nodes that this control plane knew are of another cluster or version than its"
                  + " own (cluster \""
                  + config.getString(SameCluster.CLUSTER)
                  + "\", paramecium "
                  + config.getString(SameCluster.VERSION)
                  + "), and their logs name both: start it as they were started, or delete"
                  + " 'members' in its --state-dir to begin without them.");
    }
  }

  /**
   * How long a member waits for an answer before it asks the seeds again. A node that came before
   * its control plane should not wait longer than that one needs to come up; a control plane must
   * not form a cluster of its own while its nodes are only slow to answer.
   */
  private static Duration seedTimeout(String role) {
    return Duration.ofMillis(role.equals(CONTROL_PLANE) ? 2000 : 500);
  }

  /**
   * Starts the member.
   *
   * @throws UserError if its address cannot be bound
   */
  static <T> ActorSystem<T> start(Behavior<T> guardian, Config config) {
    // The logging library must be up before the first of the system's threads logs.
    LoggerFactory.getILoggerFactory();
    try {
      return ActorSystem.create(guardian, SYSTEM, config);
    } catch (RuntimeException e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof java.net.BindException
            || String.valueOf(cause.getMessage()).contains("Failed to bind TCP")) {
          throw new UserError(
              UserError.FAILED,
              "TCP port "
                  + config.getInt("pekko.remote.artery.canonical.port")
                  + " on "
                  + config.getString("pekko.remote.artery.canonical.hostname")
                  + ", which the cluster link needs, cannot be used: "
                  + e.getMessage()
                  + ". Stop what holds it, or choose another address.");
        }
      }
      throw e;
    }
  }
}
