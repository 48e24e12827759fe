package dev.paramecium.deploy.cluster;

import com.typesafe.config.Config;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.pekko.cluster.ConfigValidation;
import org.apache.pekko.cluster.Invalid;
import org.apache.pekko.cluster.JoinConfigCompatChecker;
import org.apache.pekko.cluster.Valid$;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Lets into a cluster only who is of its name and version. Pekko asks on both sides of a join: the
 * member that is asked, about what the newcomer sent, and the newcomer, about what came back. The
 * newcomer should be the one that says no, because only it has both texts and a person who reads
 * them: so a control plane that a node asks says yes to any values, and the node decides. Pekko
 * makes the checker itself, by this class's name in {@code paramecium.conf}.
 */
public final class SameCluster extends JoinConfigCompatChecker {

  static final String CLUSTER = "paramecium.member.cluster";
  static final String VERSION = "paramecium.member.version";
  static final String ROLE = "paramecium.member.role";
  private static final String HOST = "pekko.remote.artery.canonical.hostname";
  private static final List<String> KEYS = List.of(CLUSTER, VERSION, ROLE);

  /**
   * Why each member of this JVM, by the host of its link, was refused. Pekko gives a checker
   * nothing but the two configurations, and its own message to nobody.
   */
  private static final Map<String, String> REFUSALS = new ConcurrentHashMap<>();

  /** Why the member at {@code host} may not join; null if nobody refused it. */
  static @Nullable String refusal(String host) {
    return REFUSALS.get(host);
  }

  @Override
  public Seq<String> requiredKeys() {
    return CollectionConverters.asScala(KEYS).toList();
  }

  /**
   * @param other what the member on the other side of the join sent of its configuration
   * @param own this member's
   */
  @Override
  public ConfigValidation check(Config other, Config own) {
    String difference = difference(other, own);
    if (difference.isEmpty()) {
      return Valid$.MODULE$;
    }
    boolean newcomerDecides =
        own.getString(ROLE).equals(ClusterMember.CONTROL_PLANE)
            && other.hasPath(ROLE)
            && !other.getString(ROLE).equals(ClusterMember.CONTROL_PLANE);
    if (newcomerDecides) {
      return Valid$.MODULE$;
    }
    REFUSALS.put(own.getString(HOST), difference);
    return Invalid.apply(CollectionConverters.asScala(List.of(difference)).toList());
  }

  /** One sentence that names both sides; empty if they belong together. */
  static String difference(Config other, Config own) {
    List<String> differences = new ArrayList<>();
    for (String key : List.of(CLUSTER, VERSION)) {
      String theirs = other.hasPath(key) ? other.getString(key) : "unknown";
      if (!theirs.equals(own.getString(key))) {
        differences.add(
            key.equals(CLUSTER)
                ? "it is of the cluster \"%s\", this is of \"%s\"; give both the same --cluster-name"
                    .formatted(theirs, own.getString(key))
                : "it is paramecium %s, this is %s; run the same version on all machines"
                    .formatted(theirs, own.getString(key)));
      }
    }
    return differences.stream().collect(Collectors.joining("; "));
  }
}
