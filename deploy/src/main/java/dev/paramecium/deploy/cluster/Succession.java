package dev.paramecium.deploy.cluster;

import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Lets who comes back on another address take the place of its old self. A container that was
 * killed and starts again is the same node by name and another member by address; Pekko replaces
 * only a member whose address is the same. So the control plane takes an unreachable member down
 * when a reachable one carries all of its names. Silence alone takes nobody down (ADR 2, ADR 25).
 *
 * <p>A name is a role that begins with {@link #NAME}; a member that lets several nodes share its
 * JVM has several.
 */
final class Succession {

  /** Before a node's name, where a member's roles are listed. */
  static final String NAME = "name=";

  private Succession() {}

  /** Watches the membership for as long as the member lives. */
  static Behavior<ClusterEvent.ClusterDomainEvent> create() {
    return Behaviors.setup(
        context -> {
          context.setLoggerName(Succession.class);
          Cluster cluster = Cluster.get(context.getSystem());
          cluster
              .subscriptions()
              .tell(Subscribe.create(context.getSelf(), ClusterEvent.ClusterDomainEvent.class));
          return Behaviors.receive(ClusterEvent.ClusterDomainEvent.class)
              .onMessage(
                  ClusterEvent.ClusterDomainEvent.class,
                  _ -> {
                    Set<Member> members = new HashSet<>();
                    cluster.state().getMembers().forEach(members::add);
                    for (Member gone : replaced(members, cluster.state().getUnreachable())) {
                      context
                          .getLog()
                          .info(
                              "{} is back on another address, {} is taken down",
                              names(gone),
                              gone.address());
                      cluster.manager().tell(new Down(gone.address()));
                    }
                    return Behaviors.same();
                  })
              .build();
        });
  }

  /** The unreachable members whose names a reachable one carries. */
  private static Set<Member> replaced(Set<Member> members, Set<Member> unreachable) {
    return unreachable.stream()
        .filter(gone -> !gone.status().equals(MemberStatus.down()))
        .filter(gone -> !names(gone).isEmpty())
        .filter(
            gone ->
                members.stream()
                    .anyMatch(
                        member ->
                            !unreachable.contains(member)
                                && names(member).containsAll(names(gone))))
        .collect(Collectors.toSet());
  }

  private static Set<String> names(Member member) {
    return member.getRoles().stream()
        .filter(role -> role.startsWith(NAME))
        .collect(Collectors.toSet());
  }
}
