package dev.paramecium.apiserver.rest;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.Kinds;
import java.util.Map;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Keeps the custom kinds that REST serves as the CustomResourceDefinitions are. */
final class DefinedKinds {

  private DefinedKinds() {}

  static Behavior<InformerEvent> create(ApiClient api, Kinds kinds) {
    return Behaviors.setup(
        context -> {
          api.inform(ResourceType.CUSTOM_RESOURCE_DEFINITION, "", "", "", context.getSelf());
          Map<String, KubeObject> definitions = new TreeMap<>();
          return Behaviors.receiveMessage(
              event -> {
                switch (event) {
                  case InformerEvent.Upserted(_, KubeObject current) ->
                      definitions.put(current.name(), current);
                  case InformerEvent.Removed(KubeObject last) -> definitions.remove(last.name());
                  case InformerEvent.Synced _ -> {}
                }
                kinds.define(definitions.values());
                return Behaviors.same();
              });
        });
  }
}
