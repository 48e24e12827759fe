package dev.paramecium.agent;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.agent.health.HealthProber;
import dev.paramecium.agent.health.Responder;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.KubeObject;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * cilium-health as the agent launches it ({@code daemon/cmd/health.go}): the prober, the responder
 * on the node's address, and the one in the health endpoint. Used by the agent's actor alone.
 */
final class ClusterHealth {

  private final ActorContext<CiliumAgent.Command> context;
  private final NodeConfig config;
  private final KernelCalls kernel;
  private final ActorRef<HealthProber.Command> prober;

  ClusterHealth(
      ActorContext<CiliumAgent.Command> context,
      NodeConfig config,
      KernelCalls kernel,
      InstantSource clock) {
    this.context = context;
    this.config = config;
    this.kernel = kernel;
    this.prober =
        context.spawn(HealthProber.create(name(config.nodeName()), kernel, clock), "health");
  }

  ActorRef<HealthProber.Command> prober() {
    return prober;
  }

  private String name(String node) {
    return config.clusterName() + "/" + node;
  }

  /** The node answers from now on. */
  void answer() {
    respond("", config.nodeIp().toString(), config.nodeName());
  }

  /** The health endpoint answers from now on; its namespace is there. */
  void answerFromEndpoint() {
    respond(LocalEndpoints.HEALTH_NETNS, Ipv4Address.ANY.toString(), LocalEndpoints.HEALTH_NETNS);
  }

  private void respond(String netns, String address, String hostname) {
    String image = "quay.io/cilium/cilium:v" + NodeConfig.CILIUM_VERSION;
    context.spawn(
        Responder.create(netns, address, image, hostname, kernel),
        netns.isEmpty() ? "health-responder" : "health-responder-endpoint");
  }

  /** A node is there, or its addresses have changed. */
  void probe(KubeObject ciliumNode) {
    Ipv4Address nodeIp = Claims.address(ciliumNode, "InternalIP");
    if (nodeIp != null) {
      prober.tell(
          new HealthProber.Target(
              name(ciliumNode.name()),
              nodeIp,
              Claims.parsed(ciliumNode.text("/spec/health/ipv4"), Ipv4Address::parse)));
    }
  }

  /** A node is there no more. */
  void forget(KubeObject ciliumNode) {
    prober.tell(new HealthProber.Forget(name(ciliumNode.name())));
  }
}
