package dev.paramecium.deploy.cluster;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Brings a member into its cluster, however long that takes. Names are looked up again at each
 * attempt, as a control plane that moves gets a new address, and all their addresses are asked but
 * its own: the first that answers lets the member in. While nobody answers it says so, and whom it
 * asked.
 */
final class Joining {

  /** How long one list of addresses is asked before the names are looked up again. */
  private static final Duration ATTEMPT = Duration.ofSeconds(3);

  /** What it can be told. */
  sealed interface Command {}

  private record Attempt() implements Command {}

  private record LookedUp(Found found) implements Command {}

  private record Changed(ClusterEvent.MemberEvent event) implements Command {}

  /**
   * What the names stood for.
   *
   * @param addresses host:port, sorted
   * @param unknown the names without an IPv4 address
   */
  record Found(List<String> addresses, List<String> unknown) {}

  private Joining() {}

  /**
   * @param targets host:port of control planes' cluster links; a host is an IPv4 address or a name
   */
  static Behavior<Command> create(List<String> targets) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  context.setLoggerName(Joining.class);
                  Cluster cluster = Cluster.get(context.getSystem());
                  cluster
                      .subscriptions()
                      .tell(
                          Subscribe.create(
                              context.messageAdapter(ClusterEvent.MemberEvent.class, Changed::new),
                              ClusterEvent.MemberEvent.class));
                  context.getSelf().tell(new Attempt());
                  timers.startTimerWithFixedDelay(new Attempt(), ATTEMPT);
                  return attempting(context, cluster, targets, 0, new Found(List.of(), List.of()));
                }));
  }

  private static Behavior<Command> attempting(
      ActorContext<Command> context,
      Cluster cluster,
      List<String> targets,
      int attempts,
      Found last) {
    return Behaviors.receive(Command.class)
        .onMessage(
            Attempt.class,
            _ -> {
              if (attempts > 0) {
                context.getLog().info("{}", progress(targets, last));
              }
              context.pipeToSelf(
                  CompletableFuture.supplyAsync(
                      () -> lookUp(targets), task -> Thread.ofVirtual().start(task)),
                  (found, failure) ->
                      new LookedUp(failure == null ? found : new Found(List.of(), targets)));
              return attempting(context, cluster, targets, attempts + 1, last);
            })
        .onMessage(
            LookedUp.class,
            message -> {
              // A name may stand for this member too, and who asks itself forms a cluster alone.
              String self = cluster.selfMember().address().hostPort();
              List<String> addresses =
                  message.found().addresses().stream()
                      .filter(address -> !self.endsWith("@" + address))
                      .toList();
              // Pekko goes on asking a list that it has; only another one is news to it.
              if (!addresses.isEmpty() && !addresses.equals(last.addresses())) {
                cluster
                    .manager()
                    .tell(new JoinSeedNodes(addresses.stream().map(Joining::address).toList()));
              }
              return attempting(
                  context,
                  cluster,
                  targets,
                  attempts,
                  new Found(addresses, message.found().unknown()));
            })
        .onMessage(
            Changed.class,
            message -> {
              if (!message.event().member().equals(cluster.selfMember())) {
                return Behaviors.same();
              }
              if (attempts > 1) {
                context.getLog().info("joined the cluster");
              }
              return Behaviors.stopped();
            })
        .build();
  }

  private static String progress(List<String> targets, Found last) {
    String asked =
        last.addresses().isEmpty()
            ? ""
            : "; no answer from the cluster link at " + String.join(", ", last.addresses());
    String unknown =
        last.unknown().isEmpty()
            ? ""
            : "; no IPv4 address is known for " + String.join(", ", last.unknown());
    return "waiting for the control plane (--join "
        + String.join(",", targets)
        + ")"
        + asked
        + unknown;
  }

  /** Looks the hosts up, each to all of its IPv4 addresses. Blocks while the resolver works. */
  static Found lookUp(List<String> targets) {
    TreeSet<String> addresses = new TreeSet<>();
    List<String> unknown = new ArrayList<>();
    for (String target : targets) {
      int colon = target.lastIndexOf(':');
      String host = target.substring(0, colon);
      try {
        List<String> found =
            Stream.of(InetAddress.getAllByName(host))
                .filter(Inet4Address.class::isInstance)
                .map(InetAddress::getHostAddress)
                .toList();
        found.forEach(address -> addresses.add(address + target.substring(colon)));
        if (found.isEmpty()) {
          unknown.add(host);
        }
      } catch (UnknownHostException _) {
        unknown.add(host);
      }
    }
    return new Found(List.copyOf(addresses), unknown);
  }

  private static Address address(String link) {
    int colon = link.lastIndexOf(':');
    return new Address(
        "pekko",
        ClusterMember.SYSTEM,
        link.substring(0, colon),
        Integer.parseInt(link.substring(colon + 1)));
  }
}
