package dev.paramecium.apiserver.access;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.BundledObjects;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Creates the roles and bindings that every cluster has, unless they are there ({@code
 * plugin/pkg/auth/authorizer/rbac/bootstrappolicy}); then it ends.
 */
final class BootstrapRoles {

  /** What the actor tells itself. */
  sealed interface Command {}

  private record Ended(String error) implements Command {}

  private record Again() implements Command {}

  private BootstrapRoles() {}

  static Behavior<Command> create(ApiClient api) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> {
                  Backoff backoff = Backoff.forApi();
                  context.getSelf().tell(new Again());
                  return Behaviors.receiveMessage(
                      command -> {
                        switch (command) {
                          case Again _ ->
                              context.pipeToSelf(
                                  createAll(api),
                                  (_, failure) ->
                                      new Ended(
                                          failure == null ? "" : KernelCalls.message(failure)));
                          case Ended(String error) when error.isEmpty() -> {
                            return Behaviors.stopped();
                          }
                          case Ended(String error) -> {
                            context.getLog().info("not all roles are there yet: {}", error);
                            timers.startSingleTimer(new Again(), backoff.next());
                          }
                        }
                        return Behaviors.same();
                      });
                }));
  }

  private static CompletionStage<Done> createAll(ApiClient api) {
    CompletionStage<Done> all = CompletableFuture.completedStage(Done.getInstance());
    for (KubeObject object : objects()) {
      all = all.thenCombine(api.ensure(type(object), object), (_, done) -> done);
    }
    return all;
  }

  private static ResourceType type(KubeObject object) {
    return object.kind().equals("ClusterRole")
        ? ResourceType.CLUSTER_ROLE
        : ResourceType.CLUSTER_ROLE_BINDING;
  }

  private static List<KubeObject> objects() {
    List<KubeObject> objects = BundledObjects.read(BootstrapRoles.class, "bootstrap-roles.yaml");
    for (KubeObject object : objects) {
      ObjectNode metadata = object.json().withObject("/metadata");
      metadata
          .withObject("/annotations")
          .put("rbac.authorization.kubernetes.io/autoupdate", "true");
      metadata.withObject("/labels").put("kubernetes.io/bootstrapping", "rbac-defaults");
    }
    return objects;
  }
}
