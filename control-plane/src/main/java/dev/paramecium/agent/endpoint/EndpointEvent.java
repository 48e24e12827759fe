package dev.paramecium.agent.endpoint;

import dev.paramecium.agent.desired.Claim;
import dev.paramecium.agent.reconciler.MapReconciler.Applied;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** What an endpoint tells the agent. */
public sealed interface EndpointEvent {

  /** Its state or identity changed. */
  record Changed(EndpointModel model) implements EndpointEvent {}

  /** These are its map entries from now on; answered when they are in the kernel. */
  record Claimed(int endpointId, List<Claim> claims, ActorRef<Applied> replyTo)
      implements EndpointEvent {}

  /**
   * Ready for the first time, and its CiliumEndpoint is written (or the API server is away, and it
   * will be).
   */
  record Attached(EndpointModel model) implements EndpointEvent {}

  /** Everything of it is gone; its id and address are free. */
  record Gone(EndpointSpec spec) implements EndpointEvent {}
}
