package dev.paramecium.apiserver.access;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.YamlText;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Creates the roles and bindings that every cluster has, unless they are there ({@code
 * plugin/pkg/auth/authorizer/rbac/bootstrappolicy}); then it ends.
 */
final class BootstrapRoles {

  /** What the actor tells itself. */
  sealed interface Command {}

  private record Ended(boolean complete) implements Command {}

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
                                  (complete, failure) -> new Ended(failure == null && complete));
                          case Ended(boolean complete) when complete -> {
                            return Behaviors.stopped();
                          }
                          case Ended _ -> timers.startSingleTimer(new Again(), backoff.next());
                        }
                        return Behaviors.same();
                      });
                }));
  }

  /** Whether each of them is there now. */
  private static CompletionStage<Boolean> createAll(ApiClient api) {
    CompletionStage<Boolean> all = CompletableFuture.completedStage(true);
    for (KubeObject object : objects()) {
      all =
          all.thenCombine(
              api.create(type(object), object), (before, reply) -> before && isThere(reply));
    }
    return all;
  }

  private static boolean isThere(ApiReply reply) {
    return !(reply instanceof ApiReply.Failed failed) || failed.code() == 409;
  }

  static ResourceType type(KubeObject object) {
    return object.kind().equals("ClusterRole")
        ? ResourceType.CLUSTER_ROLE
        : ResourceType.CLUSTER_ROLE_BINDING;
  }

  static List<KubeObject> objects() {
    List<KubeObject> objects = new ArrayList<>();
    for (JsonNode document : YamlText.parseAll(text())) {
      ObjectNode object = (ObjectNode) document;
      ObjectNode metadata = object.withObject("/metadata");
      metadata
          .withObject("/annotations")
          .put("rbac.authorization.kubernetes.io/autoupdate", "true");
      metadata.withObject("/labels").put("kubernetes.io/bootstrapping", "rbac-defaults");
      objects.add(new KubeObject(object));
    }
    return objects;
  }

  private static String text() {
    try (InputStream in = BootstrapRoles.class.getResourceAsStream("bootstrap-roles.yaml")) {
      return new String(
          Objects.requireNonNull(in, "bootstrap-roles.yaml").readAllBytes(),
          StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
