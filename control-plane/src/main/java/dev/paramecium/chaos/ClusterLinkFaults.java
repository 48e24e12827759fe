package dev.paramecium.chaos;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.remote.RemoteActorRefProvider;
import org.apache.pekko.remote.transport.ThrottlerTransportAdapter;

/**
 * PartitionChaos with {@code links: cluster}: what a node and the control plane send each other
 * over their cluster link is lost, both ways. It is lost at the control plane's end, which
 * therefore need not reach the node to end it; what nodes send each other arrives.
 */
@SuppressWarnings("deprecation") // the words are those of the older transport
final class ClusterLinkFaults implements Action {

  private final ActorSystem<?> system;
  private final ApiClient api;
  private final Machine machine;

  ClusterLinkFaults(ActorSystem<?> system, ApiClient api, Machine machine) {
    this.system = system;
    this.api = api;
    this.machine = machine;
  }

  @Override
  public ResourceType type() {
    return ResourceType.PARTITION_CHAOS;
  }

  @Override
  public boolean isMine(Experiment.Record record) {
    return record.node().equals(Warden.CONTROL_PLANE);
  }

  @Override
  public boolean endsWithThisProcess() {
    return true;
  }

  @Override
  public CompletionStage<Done> inject(KubeObject chaos, String id) {
    ProcessFaults.requireWhole(chaos, id, machine);
    return set(id, ThrottlerTransportAdapter.Blackhole$.MODULE$);
  }

  @Override
  public CompletionStage<Done> recover(KubeObject chaos, String id) {
    return set(id, ThrottlerTransportAdapter.Unthrottled$.MODULE$);
  }

  /**
   * The only direction that holds at one end: Pekko's test stages look in the same way at what
   * comes and at what goes. It is an object inside an object of Scala's, for which the Java
   * language has no name.
   */
  private static ThrottlerTransportAdapter.Direction both() {
    try {
      Class<?> type = Class.forName(ThrottlerTransportAdapter.Direction.class.getName() + "$Both$");
      return (ThrottlerTransportAdapter.Direction) type.getField("MODULE$").get(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Pekko has no direction Both any more", e);
    }
  }

  private CompletionStage<Done> set(String node, ThrottlerTransportAdapter.ThrottleMode mode) {
    return api.get(ResourceType.NODE, "", node)
        .thenCompose(
            reply -> {
              if (!(reply instanceof ApiReply.Stored(KubeObject object, boolean _))) {
                return CompletableFuture.failedFuture(
                    new IllegalStateException("node " + node + " cannot be read now"));
              }
              String address = NodeNetworkChaoses.address(object);
              for (Member member : Cluster.get(system).state().getMembers()) {
                if (member.address().host().contains(address)) {
                  return set(member.address(), mode);
                }
              }
              return CompletableFuture.failedFuture(
                  new IllegalStateException(
                      "node "
                          + node
                          + " has no cluster link at its address "
                          + address
                          + ": is it a node that shares another's process?"));
            });
  }

  private CompletionStage<Done> set(Address address, ThrottlerTransportAdapter.ThrottleMode mode) {
    CompletableFuture<Done> done = new CompletableFuture<>();
    ExtendedActorSystem classic = (ExtendedActorSystem) Adapter.toClassic(system);
    ((RemoteActorRefProvider) classic.provider())
        .transport()
        .managementCommand(new ThrottlerTransportAdapter.SetThrottle(address, both(), mode))
        .onComplete(
            result -> {
              if (result.isSuccess()) {
                done.complete(Done.done());
              } else {
                done.completeExceptionally(result.failed().get());
              }
              return null;
            },
            classic.dispatcher());
    return done;
  }
}
