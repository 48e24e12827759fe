package dev.paramecium.deploy.whatif;

import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.agent.policy.EndpointMap;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.api.KubeObject;
import dev.paramecium.deploy.whatif.ClusterPicture.Group;
import dev.paramecium.policy.rule.Cidr;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** The policy map that every pod has under a set of policies, worked out as an agent does. */
final class PolicyModel {

  private final NodePolicy policy;
  private final Map<Group, EndpointMap> maps = new HashMap<>();

  PolicyModel(ClusterPicture cluster, Collection<KubeObject> policies) {
    policy = new NodePolicy(cluster.options(), new SplittableRandom(0));
    policy.updateIdentities(cluster.identities(), List.of());
    cluster.services().forEach(policy::upsertService);
    policies.forEach(policy::upsert);
    cluster.podPorts().forEach(policy::updatePodPorts);
    int id = 0;
    Map<Integer, Group> byId = new HashMap<>();
    for (Group group : cluster.groups()) {
      byId.put(++id, group);
      policy.upsertEndpoint(id, group.identity(), group.labels(), group.named());
    }
    policy.drain().forEach((endpoint, map) -> maps.put(byId.get(endpoint), map));
    policy.listening(policy.listeners()); // with the redirects that only now have a port
    policy.drain().forEach((endpoint, map) -> maps.put(byId.get(endpoint), map));
  }

  /** Null if two rules that select it cannot stand together: then it keeps the map that it had. */
  @Nullable EndpointMap map(Group group) {
    return maps.get(group);
  }

  /** Why a policy is refused, by {@code kind namespace/name}. */
  Map<String, String> refusals() {
    return policy.refusals();
  }

  /** The address blocks that rules name. */
  Set<Cidr> blocks() {
    return Set.copyOf(policy.blocks().values());
  }

  /** The identity of an address outside the cluster: that of the smallest block around it. */
  int identity(Cidr address) {
    int identity = ReservedIdentity.WORLD.id();
    int longest = -1;
    for (Map.Entry<Integer, Cidr> block : policy.blocks().entrySet()) {
      if (block.getValue().length() > longest && block.getValue().contains(address)) {
        longest = block.getValue().length();
        identity = block.getKey();
      }
    }
    return identity;
  }
}
