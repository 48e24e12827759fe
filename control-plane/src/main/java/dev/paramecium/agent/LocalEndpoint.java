package dev.paramecium.agent;

import dev.paramecium.abi.MacAddress;
import dev.paramecium.agent.CiliumAgent.CniResult;
import dev.paramecium.agent.endpoint.Endpoint;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.endpoint.EndpointSpec;
import dev.paramecium.agent.endpoint.EndpointState;
import dev.paramecium.agent.endpoint.StatusLog;
import dev.paramecium.policy.NamedPorts;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** An endpoint of this node as its agent sees it; the endpoint's own actor does the work. */
final class LocalEndpoint {

  final EndpointSpec spec;
  final ActorRef<Endpoint.Command> actor;

  /** What the actor last said of itself. */
  EndpointModel model;

  /** Its pod can send and be reached. */
  boolean attached;

  /** 0 until the operator has made one for {@link #labelsKey}. */
  int identity;

  String labelsKey = "";

  private final StatusLog log;
  private final List<ActorRef<CniResult>> waiting = new ArrayList<>();

  LocalEndpoint(
      EndpointSpec spec, ActorRef<Endpoint.Command> actor, boolean restored, Instant now) {
    this.spec = spec;
    this.actor = actor;
    this.model =
        new EndpointModel(
            spec,
            restored ? EndpointState.RESTORING : EndpointState.WAITING_FOR_IDENTITY,
            "",
            0,
            List.of(),
            0,
            MacAddress.ZERO,
            MacAddress.ZERO,
            0,
            0,
            null,
            NamedPorts.NONE);
    this.log = new StatusLog(model.state(), now);
  }

  /** The actor says that it is another now. */
  void changed(EndpointModel now, Instant at) {
    log.note(model, now, at);
    model = now;
  }

  List<StatusLog.Entry> log() {
    return log.newestFirst();
  }

  /** Answers a CNI ADD for this endpoint: now, or when it is attached or gone. */
  void await(ActorRef<CniResult> replyTo) {
    if (attached) {
      replyTo.tell(new CniResult.Added(spec.address()));
    } else {
      waiting.add(replyTo);
    }
  }

  void attached() {
    attached = true;
    answer(new CniResult.Added(spec.address()));
  }

  void gone() {
    answer(new CniResult.Refused("endpoint " + spec.id() + " was deleted"));
  }

  private void answer(CniResult result) {
    waiting.forEach(replyTo -> replyTo.tell(result));
    waiting.clear();
  }
}
