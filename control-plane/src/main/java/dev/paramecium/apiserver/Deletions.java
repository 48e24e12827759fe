package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.api.WriteOptions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * What deleting means: grace, finalizers, namespaces and their contents, owners and what they own.
 *
 * <pre>
 *   Background   the owner goes, then what nobody else owns
 *   Foreground   the owner waits, marked, until what blocks it is gone
 *   Orphan       what it owns forgets it, then the owner goes
 * </pre>
 */
final class Deletions {

  private static final String FOREGROUND = "foregroundDeletion";
  private static final String ORPHAN = "orphan";
  private static final List<String> KEPT_NAMESPACES =
      List.of("default", "kube-system", "kube-public");

  private final Kinds kinds;
  private final Store store;
  private final Supplier<Instant> now;

  Deletions(Kinds kinds, Store store, Supplier<Instant> now) {
    this.kinds = kinds;
    this.store = store;
    this.now = now;
  }

  ApiReply delete(ApiRequest.Delete request) throws StatusException {
    ServedKind kind = kinds.of(request.type());
    KubeObject object = store.get(kind.type(), request.namespace(), request.name());
    if (object == null) {
      throw StatusException.notFound(kind.qualifiedPlural(), request.name());
    }
    if (!request.preconditionUid().isEmpty() && !request.preconditionUid().equals(object.uid())) {
      throw StatusException.conflict(
          kind.qualifiedPlural(),
          object.name(),
          "Precondition failed: UID in precondition: "
              + request.preconditionUid()
              + ", UID in object meta: "
              + object.uid());
    }
    if (request.dryRun()) {
      return new ApiReply.Stored(object, false);
    }
    if (kind.type().equals(ResourceType.CUSTOM_RESOURCE_DEFINITION)) {
      deleteCustomObjects(object);
    }
    return kind.type().equals(ResourceType.NAMESPACE)
        ? deleteNamespace(object)
        : delete(kind, object, request.gracePeriodSeconds(), request.propagation());
  }

  ApiReply deleteAll(ApiRequest.DeleteAll request) throws StatusException {
    ServedKind kind = kinds.of(request.type());
    Selector selector =
        Selector.parse(request.type(), request.labelSelector(), request.fieldSelector());
    List<KubeObject> all = store.list(kind.type(), request.namespace(), selector);
    if (!request.dryRun()) {
      for (KubeObject object : all) {
        if (kind.type().equals(ResourceType.NAMESPACE)) {
          deleteNamespace(object);
        } else if (store.get(kind.type(), object.namespace(), object.name()) != null) {
          delete(kind, object, request.gracePeriodSeconds(), request.propagation());
        }
      }
    }
    return new ApiReply.Listed(all, store.revision());
  }

  /** What a definition defines goes before it, finalizers or not: nobody could read it later. */
  private void deleteCustomObjects(KubeObject definition) {
    for (ServedKind kind : CustomKinds.of(definition)) {
      for (KubeObject object : store.list(kind.type(), "", Selector.EVERYTHING)) {
        removed(kind, object);
      }
    }
  }

  private ApiReply delete(
      ServedKind kind, KubeObject object, long gracePeriodSeconds, String propagation) {
    KubeObject marked = withPropagation(object, propagation);
    boolean waitsForNode = kind.rules().deletesGracefully(marked) && gracePeriodSeconds != 0;
    if (!waitsForNode && !hasFinalizers(marked)) {
      return removed(kind, marked);
    }
    if (!marked.text("/metadata/deletionTimestamp").isEmpty()) {
      return new ApiReply.Stored(marked, false);
    }
    long grace =
        !waitsForNode
            ? 0
            : gracePeriodSeconds > 0
                ? gracePeriodSeconds
                : marked.at("/spec/terminationGracePeriodSeconds").asLong();
    ObjectNode next = marked.copy().json();
    next.withObject("/metadata")
        .put("deletionTimestamp", now.get().plusSeconds(grace).toString())
        .put("deletionGracePeriodSeconds", grace);
    KubeObject stored = store.put(kind.type(), next);
    if (finalizers(stored).contains(FOREGROUND)) {
      deleteDependents(stored, FOREGROUND);
      return finishForeground(kind, stored);
    }
    return new ApiReply.Stored(stored, false);
  }

  /** Does for the objects that it owns what must be done before it can go. */
  private KubeObject withPropagation(KubeObject object, String propagation) {
    boolean orphans = propagation.equals("Orphan") || finalizers(object).contains(ORPHAN);
    if (orphans) {
      for (Store.Stored dependent : store.dependentsOf(kinds, object.uid())) {
        disown(dependent, object.uid());
      }
    }
    if (propagation.equals("Foreground")
        && !finalizers(object).contains(FOREGROUND)
        && !store.dependentsOf(kinds, object.uid()).isEmpty()) {
      ObjectNode next = object.copy().json();
      ObjectNode metadata = next.withObject("/metadata");
      (metadata.get("finalizers") instanceof ArrayNode there
              ? there
              : metadata.putArray("finalizers"))
          .add(FOREGROUND);
      return new KubeObject(next);
    }
    return object;
  }

  private void disown(Store.Stored dependent, String uid) {
    ObjectNode next = dependent.object().copy().json();
    ObjectNode metadata = next.withObject("/metadata");
    ArrayNode left = JsonNodeFactory.instance.arrayNode();
    for (JsonNode owner : metadata.path("ownerReferences")) {
      if (!owner.path("uid").asText().equals(uid)) {
        left.add(owner);
      }
    }
    if (left.isEmpty()) {
      metadata.remove("ownerReferences");
    } else {
      metadata.set("ownerReferences", left);
    }
    store.put(dependent.type(), next);
  }

  /** Deletes what only this object owns; what others own as well forgets it. */
  private void deleteDependents(KubeObject owner, String how) {
    for (Store.Stored dependent : store.dependentsOf(kinds, owner.uid())) {
      KubeObject object = dependent.object();
      if (hasOtherOwner(object, owner.uid())) {
        disown(dependent, owner.uid());
      } else if (object.text("/metadata/deletionTimestamp").isEmpty()) {
        kinds
            .ofKey(Store.key(dependent.type(), object.namespace(), object.name()))
            .ifPresent(
                kind -> delete(kind, object, -1, how.equals(FOREGROUND) ? "Foreground" : ""));
      }
    }
  }

  private boolean hasOtherOwner(KubeObject object, String uid) {
    for (JsonNode owner : object.at("/metadata/ownerReferences")) {
      if (!owner.path("uid").asText().equals(uid) && exists(owner, object.namespace())) {
        return true;
      }
    }
    return false;
  }

  private boolean exists(JsonNode owner, String namespace) {
    return kinds
        .named(owner.path("apiVersion").asText(), owner.path("kind").asText())
        .map(
            kind -> {
              KubeObject found =
                  store.get(
                      kind.type(),
                      kind.type().namespaced() ? namespace : "",
                      owner.path("name").asText());
              return found != null && found.uid().equals(owner.path("uid").asText());
            })
        // Of a kind that is not served nothing is known.
        .orElse(true);
  }

  /** An object whose owners were deleted while it was being made goes after them. */
  void deleteIfOwnersAreGone(ServedKind kind, KubeObject object) {
    JsonNode owners = object.at("/metadata/ownerReferences");
    if (!owners.isEmpty() && !hasOtherOwner(object, "")) {
      delete(kind, object, -1, "");
    }
  }

  static boolean hasFinalizers(KubeObject object) {
    return !object.at("/metadata/finalizers").isEmpty();
  }

  private static List<String> finalizers(KubeObject object) {
    return CoreColumns.texts(object.at("/metadata/finalizers"));
  }

  /** An object that is being deleted goes when nobody holds it any longer. */
  static boolean isReadyToGo(ServedKind kind, KubeObject object) {
    return !object.text("/metadata/deletionTimestamp").isEmpty()
        && !hasFinalizers(object)
        && !kind.rules().deletesGracefully(object)
        && !kind.type().equals(ResourceType.NAMESPACE);
  }

  ApiReply removed(ServedKind kind, KubeObject object) {
    KubeObject last = store.remove(kind.type(), object);
    deleteDependents(last, "");
    for (JsonNode reference : object.at("/metadata/ownerReferences")) {
      kinds
          .named(reference.path("apiVersion").asText(), reference.path("kind").asText())
          .ifPresent(
              ownerKind -> {
                KubeObject owner =
                    store.get(
                        ownerKind.type(),
                        ownerKind.type().namespaced() ? object.namespace() : "",
                        reference.path("name").asText());
                if (owner != null
                    && owner.uid().equals(reference.path("uid").asText())
                    && !owner.text("/metadata/deletionTimestamp").isEmpty()
                    && finalizers(owner).contains(FOREGROUND)) {
                  finishForeground(ownerKind, owner);
                }
              });
    }
    if (kind.type().namespaced()) {
      removeNamespaceIfEmpty(object.namespace());
    }
    return new ApiReply.Deleted(last);
  }

  /** Lets an owner go if nothing that blocks it is left. */
  private ApiReply finishForeground(ServedKind kind, KubeObject owner) {
    KubeObject current = store.get(kind.type(), owner.namespace(), owner.name());
    if (current == null) {
      return new ApiReply.Deleted(owner);
    }
    for (Store.Stored dependent : store.dependentsOf(kinds, owner.uid())) {
      for (JsonNode reference : dependent.object().at("/metadata/ownerReferences")) {
        if (reference.path("uid").asText().equals(owner.uid())
            && reference.path("blockOwnerDeletion").asBoolean()) {
          return new ApiReply.Stored(current, false);
        }
      }
    }
    ObjectNode next = current.copy().json();
    ArrayNode left = next.withObject("/metadata").putArray("finalizers");
    finalizers(current).stream().filter(name -> !name.equals(FOREGROUND)).forEach(left::add);
    if (!left.isEmpty()) {
      return new ApiReply.Stored(store.put(kind.type(), next), false);
    }
    return removed(kind, new KubeObject(next));
  }

  /** Everything in it is deleted first; the namespace goes with the last of it. */
  private ApiReply deleteNamespace(KubeObject namespace) throws StatusException {
    if (KEPT_NAMESPACES.contains(namespace.name())) {
      throw StatusException.forbidden(
          "namespaces", namespace.name(), "this namespace may not be deleted");
    }
    ObjectNode marked = namespace.copy().json();
    if (namespace.text("/metadata/deletionTimestamp").isEmpty()) {
      marked.withObject("/metadata").put("deletionTimestamp", now.get().toString());
    }
    marked.withObject("/status").put("phase", "Terminating");
    KubeObject terminating = store.put(ResourceType.NAMESPACE, marked);
    for (Store.Stored content : store.inNamespace(kinds, namespace.name())) {
      KubeObject object = content.object();
      // What another's deletion has taken with it, or has marked, is no longer as it was listed.
      KubeObject current = store.get(content.type(), object.namespace(), object.name());
      if (current != null && current.uid().equals(object.uid())) {
        delete(kinds.of(content.type()), current, -1, "");
      }
    }
    removeNamespaceIfEmpty(namespace.name());
    KubeObject left = store.get(ResourceType.NAMESPACE, "", namespace.name());
    return left == null ? new ApiReply.Deleted(terminating) : new ApiReply.Stored(left, false);
  }

  private void removeNamespaceIfEmpty(String name) {
    KubeObject namespace = store.get(ResourceType.NAMESPACE, "", name);
    if (namespace != null
        && !namespace.text("/metadata/deletionTimestamp").isEmpty()
        && !hasFinalizers(namespace)
        && store.inNamespace(kinds, name).isEmpty()) {
      store.remove(ResourceType.NAMESPACE, namespace);
    }
  }

  /** Deletes a pod, unless a disruption budget that covers it is used up. */
  ApiReply evict(ServedKind kind, KubeObject pod, JsonNode eviction, WriteOptions options)
      throws StatusException {
    List<KubeObject> budgets = new ArrayList<>();
    for (KubeObject budget :
        store.list(ResourceType.POD_DISRUPTION_BUDGET, pod.namespace(), Selector.EVERYTHING)) {
      JsonNode selector = budget.at("/spec/selector");
      String text = selector.isEmpty() ? "" : WorkloadColumns.selectorText(selector);
      if (selector.isObject() && Selector.parse(kind.type(), text, "").matches(pod)) {
        budgets.add(budget);
      }
    }
    boolean running = List.of("Pending", "Running").contains(pod.text("/status/phase"));
    for (KubeObject budget : running ? budgets : List.<KubeObject>of()) {
      if (budget.at("/status/disruptionsAllowed").asInt() <= 0) {
        throw StatusException.tooManyRequests(
            "Cannot evict pod as it would violate the pod's disruption budget.",
            List.of(
                new ApiReply.Cause(
                    "DisruptionBudget",
                    "The disruption budget "
                        + budget.name()
                        + " needs "
                        + budget.at("/status/desiredHealthy").asInt()
                        + " healthy pods and has "
                        + budget.at("/status/currentHealthy").asInt()
                        + " currently",
                    "")));
      }
    }
    if (options.dryRun()) {
      return new ApiReply.Stored(pod, false);
    }
    for (KubeObject budget : running ? budgets : List.<KubeObject>of()) {
      ObjectNode next = budget.copy().json();
      int allowed = budget.at("/status/disruptionsAllowed").asInt();
      next.withObject("/status").put("disruptionsAllowed", allowed - 1);
      next.withObject("/status/disruptedPods").put(pod.name(), now.get().toString());
      store.put(ResourceType.POD_DISRUPTION_BUDGET, next);
    }
    long grace = eviction.path("deleteOptions").path("gracePeriodSeconds").asLong(-1);
    return delete(kind, pod, grace, "");
  }
}
