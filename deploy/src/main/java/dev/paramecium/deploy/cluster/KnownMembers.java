package dev.paramecium.deploy.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.TreeSet;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * The nodes that the control plane has seen, in a file: started again, it joins them instead of
 * forming a cluster of its own beside theirs (ADR 2).
 *
 * @param file one host:port a line
 */
record KnownMembers(Path file) {

  List<String> read() {
    try {
      return Files.exists(file)
          ? Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList()
          : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  /** Keeps the file as the membership changes; a node that cannot be reached stays in it. */
  Behavior<ClusterEvent.MemberEvent> keep() {
    return Behaviors.setup(
        context -> {
          Cluster cluster = Cluster.get(context.getSystem());
          cluster
              .subscriptions()
              .tell(Subscribe.create(context.getSelf(), ClusterEvent.MemberEvent.class));
          TreeSet<String> known = new TreeSet<>(read());
          return Behaviors.receive(ClusterEvent.MemberEvent.class)
              .onMessage(
                  ClusterEvent.MemberRemoved.class,
                  removed -> {
                    if (known.remove(address(removed.member()))) {
                      write(known);
                    }
                    return Behaviors.same();
                  })
              .onMessage(
                  ClusterEvent.MemberEvent.class,
                  event -> {
                    if (event.member().hasRole(ClusterMember.NODE)
                        && known.add(address(event.member()))) {
                      write(known);
                    }
                    return Behaviors.same();
                  })
              .build();
        });
  }

  private static String address(Member member) {
    return member.address().host().get() + ":" + member.address().port().get();
  }

  private void write(TreeSet<String> known) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Path next = file.resolveSibling("members.new");
      Files.write(next, known);
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }
}
