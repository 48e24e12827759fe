package dev.paramecium.agent.cli;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.desired.Claim;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.health.HealthProber;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.agent.policy.ProxyState;
import dev.paramecium.agent.prefilter.Prefilter;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.agent.service.KubernetesServices;
import dev.paramecium.agent.service.ServiceApi;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * The agent at one moment, as its commands see it.
 *
 * @param nodeName {@code cluster/node}
 * @param ready whether the node's programs are loaded
 * @param hostEndpointId the endpoint that stands for the node itself
 * @param identities number to labels, the cluster's
 * @param podCidr empty while the operator has given none
 * @param capacity how many addresses the pod CIDR has
 * @param addresses who has which
 * @param ipcache the entries that are wanted, by their map key
 * @param options in force
 * @param prefilter null if enable-xdp-prefilter is off
 * @param health null if enable-health-checking is off
 * @param redirected the local redirect policies, worked out for who asks
 * @param proxy its listeners' redirects, and the names that it has heard of
 * @param podIdentity of any pod of the cluster, by {@code namespace/name}; 0 if it has none
 * @param policy to read and, in the agent's actor, to change
 * @param services to read and, in the agent's actor, to change
 */
public record AgentView(
    String nodeName,
    String kubernetesVersion,
    String ciliumVersion,
    int cpus,
    boolean ready,
    Instant startedAt,
    Instant now,
    int hostEndpointId,
    List<EndpointModel> endpoints,
    Map<Integer, List<String>> identities,
    List<Node> nodes,
    String podCidr,
    int capacity,
    Map<Ipv4Address, String> addresses,
    Map<Bytes, Claim> ipcache,
    AgentOptions options,
    @Nullable Prefilter prefilter,
    @Nullable ActorRef<HealthProber.Command> health,
    ServiceApi services,
    Supplier<List<KubernetesServices.Redirected>> redirected,
    ActorRef<MapReconciler.Command> reconciler,
    KernelCalls kernel,
    Scheduler scheduler,
    ProxyState proxy,
    ToIntFunction<String> podIdentity,
    EndpointApi endpointApi,
    NodePolicy policy) {

  /** A node of the cluster. */
  public record Node(String name, String address, String podCidr) {}
}
