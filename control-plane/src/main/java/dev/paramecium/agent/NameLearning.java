package dev.paramecium.agent;

import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.syscall.DnsAnswer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.Done;

/**
 * Takes in what DNS servers tell this node's endpoints. An endpoint gets its answer when the policy
 * maps and the ipcache let it use the addresses. Used by the agent's actor alone.
 *
 * <pre>
 *   answer --learn--&gt; NodePolicy --maps--&gt; endpoints --enforced--&gt; ipcache --applied--&gt; released
 * </pre>
 */
final class NameLearning {

  private final NodePolicy policy;
  private final Runnable claim;

  /** Answers whose addresses are not in every policy map yet. */
  private final List<DnsAnswer> waiting = new ArrayList<>();

  /** Answers whose addresses are not in the ipcache yet. */
  private final List<DnsAnswer> claimed = new ArrayList<>();

  /**
   * @param claim puts the addresses into the ipcache; {@link #applied} is to be called when they
   *     are there
   */
  NameLearning(NodePolicy policy, Runnable claim) {
    this.policy = policy;
    this.claim = claim;
  }

  /** Answers whether a map wants working out. */
  boolean learn(DnsAnswer answer, Instant now) {
    boolean news =
        policy.learnName(answer.endpointId(), answer.name(), answer.addresses(), answer.ttl(), now);
    if (news || isWaiting() || !claimed.isEmpty()) {
      waiting.add(answer);
    } else {
      answer.replyTo().tell(Done.done());
    }
    return news;
  }

  boolean isWaiting() {
    return !waiting.isEmpty();
  }

  /** The policy maps let the addresses be used. */
  void enforced() {
    claimed.addAll(waiting);
    waiting.clear();
    claim.run();
  }

  /** The ipcache knows the addresses. */
  void applied() {
    claimed.forEach(answer -> answer.replyTo().tell(Done.done()));
    claimed.clear();
  }
}
