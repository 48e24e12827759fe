package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.LabelSelector;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import dev.paramecium.controller.Owners;
import dev.paramecium.controller.Reconciler.Key;
import dev.paramecium.controller.Write;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;

/**
 * Which objects are a workload's, by its selector: what matches and has no controller is adopted,
 * what it controls and does not match any more is let go ({@code ControllerRefManager} of {@code
 * pkg/controller}).
 */
final class Claims {

  private Claims() {}

  /** The workloads of a type that a change of what they control, or could, concerns. */
  static Collection<Key> concerned(KubeObject changed, ResourceType owners, ObjectCache cache) {
    if (changed.kind().equals(owners.kind())) {
      return List.of(Key.of(changed));
    }
    Key owner = Owners.ownerOf(changed, owners.kind());
    if (owner != null) {
      return List.of(owner);
    }
    return Owners.controllerOf(changed) != null
        ? List.of()
        : cache.in(owners, changed.namespace()).stream()
            .filter(candidate -> selects(candidate, changed))
            .map(Key::of)
            .toList();
  }

  private static boolean selects(KubeObject owner, KubeObject object) {
    JsonNode selector = owner.at("/spec/selector");
    return selector.isObject() && LabelSelector.matches(selector, object.labels());
  }

  /**
   * What is the owner's from now on.
   *
   * @param couldBe what else an orphan must be
   * @param writes gets the adoptions and the releases
   */
  static List<KubeObject> claim(
      ResourceType type,
      KubeObject owner,
      Predicate<KubeObject> couldBe,
      ObjectCache cache,
      List<Write> writes) {
    List<KubeObject> claimed = new ArrayList<>();
    for (KubeObject object : cache.in(type, owner.namespace())) {
      if (Owners.isControlledBy(object, owner)) {
        boolean matches = owner.at("/spec/selector").isMissingNode() || selects(owner, object);
        if (matches || Pods.isTerminating(owner) || Pods.isTerminating(object)) {
          claimed.add(object);
        } else {
          writes.add(new Write.Update(type, released(object, owner)));
        }
      } else if (Owners.controllerOf(object) == null
          && !Pods.isTerminating(owner)
          && !Pods.isTerminating(object)
          && selects(owner, object)
          && couldBe.test(object)) {
        KubeObject adopted = object.copy();
        Owners.setController(adopted.json(), owner);
        writes.add(new Write.Update(type, adopted));
        claimed.add(object);
      }
    }
    return claimed;
  }

  private static KubeObject released(KubeObject object, KubeObject owner) {
    KubeObject free = object.copy();
    ArrayNode owners = free.json().withObject("/metadata").withArray("ownerReferences");
    for (int i = owners.size() - 1; i >= 0; i--) {
      if (owners.get(i).path("uid").asText().equals(owner.uid())) {
        owners.remove(i);
      }
    }
    return free;
  }
}
