package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.schema.Type;
import dev.paramecium.apiserver.schema.TypeCheck;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;
import java.util.random.RandomGenerator;

/**
 * What creating, updating, patching and deleting mean: metadata, defaults, checks, graceful
 * deletion, namespaces.
 */
final class Writes {

  private static final String SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
  private static final int SUFFIX_LENGTH = 5;
  private static final int MAX_NAME = 253;
  private static final List<String> IMMUTABLE_METADATA =
      List.of("uid", "creationTimestamp", "namespace", "name");

  private final Kinds kinds;
  private final Store store;
  private final InstantSource clock;
  private final RandomGenerator random = new SecureRandom();

  Writes(Kinds kinds, Store store, InstantSource clock) {
    this.kinds = kinds;
    this.store = store;
    this.clock = clock;
  }

  /** The namespaces that every cluster has. */
  void createStandardNamespaces() {
    for (String name : List.of("default", "kube-system", "kube-public", "kube-node-lease")) {
      if (store.get(ResourceType.NAMESPACE, "", name) == null) {
        ObjectNode namespace = JsonNodeFactory.instance.objectNode();
        namespace
            .put("apiVersion", "v1")
            .put("kind", "Namespace")
            .putObject("metadata")
            .put("name", name);
        setBirth(namespace);
        new NamespaceRules().setDefaults(namespace);
        store.put(ResourceType.NAMESPACE, namespace);
      }
    }
  }

  ApiReply create(ApiRequest.Create request) throws StatusException {
    ServedKind kind = kinds.of(request.type());
    Bounds.check(request.object().json());
    ObjectNode object = request.object().copy().json();
    checkType(kind, object);
    ObjectNode metadata = object.withObject("/metadata");
    placeInNamespace(kind, metadata, request.namespace());
    if (metadata.path("name").asText().isEmpty()
        && !metadata.path("generateName").asText().isEmpty()) {
      metadata.put("name", generateName(metadata.path("generateName").asText()));
    }
    if (!metadata.path("resourceVersion").asText().isEmpty()) {
      throw StatusException.badRequest(
          "resourceVersion should not be set on objects to be created");
    }
    for (String field :
        List.of(
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "selfLink",
            "managedFields")) {
      metadata.remove(field);
    }
    setBirth(object);
    kind.rules().setDefaults(object);
    KubeObject created = new KubeObject(object);
    check(kind, created);
    if (kind.type().namespaced()) {
      requireActiveNamespace(kind, created);
    }
    if (store.get(kind.type(), created.namespace(), created.name()) != null) {
      throw StatusException.alreadyExists(kind.qualifiedPlural(), created.name());
    }
    metadata.put("generation", 1);
    return new ApiReply.Stored(request.dryRun() ? created : store.put(kind.type(), object), true);
  }

  private void setBirth(ObjectNode object) {
    object
        .withObject("/metadata")
        .put("uid", UUID.randomUUID().toString())
        .put("creationTimestamp", now().toString());
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS);
  }

  private static void checkType(ServedKind kind, ObjectNode object) throws StatusException {
    List<String> wrong = TypeCheck.of(kind.schema(), object).wrong();
    if (!wrong.isEmpty()) {
      throw StatusException.badRequest(
          "%s in version \"%s\" cannot be handled as a %s: json: cannot unmarshal %s"
              .formatted(
                  kind.type().kind(), kind.type().version(), kind.type().kind(), wrong.getFirst()));
    }
    String kindName = object.path("kind").asText();
    String apiVersion = object.path("apiVersion").asText();
    if (kindName.isEmpty()) {
      object.put("kind", kind.type().kind());
    } else if (!kindName.equals(kind.type().kind())) {
      throw StatusException.badRequest(
          "the object provided is unrecognized (must be of type "
              + kind.type().kind()
              + "): kind is \""
              + kindName
              + "\"");
    }
    if (apiVersion.isEmpty()) {
      object.put("apiVersion", kind.type().apiVersion());
    } else if (!apiVersion.equals(kind.type().apiVersion())) {
      throw StatusException.badRequest(
          "the API version in the data ("
              + apiVersion
              + ") does not match the expected API version ("
              + kind.type().apiVersion()
              + ")");
    }
  }

  private static void placeInNamespace(ServedKind kind, ObjectNode metadata, String namespace)
      throws StatusException {
    String given = metadata.path("namespace").asText();
    if (!kind.type().namespaced()) {
      metadata.remove("namespace");
    } else if (given.isEmpty()) {
      metadata.put("namespace", namespace);
    } else if (!given.equals(namespace)) {
      throw StatusException.badRequest(
          "the namespace of the provided object does not match the namespace sent on the request ("
              + given
              + ", "
              + namespace
              + ")");
    }
  }

  private String generateName(String prefix) {
    StringBuilder name =
        new StringBuilder(prefix.substring(0, Math.min(prefix.length(), MAX_NAME - SUFFIX_LENGTH)));
    for (int i = 0; i < SUFFIX_LENGTH; i++) {
      name.append(SUFFIX_ALPHABET.charAt(random.nextInt(SUFFIX_ALPHABET.length())));
    }
    return name.toString();
  }

  private void check(ServedKind kind, KubeObject object) throws StatusException {
    Violations violations = new Violations();
    if (object.name().isEmpty()) {
      violations.required("metadata.name");
    } else {
      violations.subdomain("metadata.name", object.name());
    }
    violations.labels("metadata.labels", object.at("/metadata/labels"));
    kind.rules().validate(object, violations);
    throwIfAny(kind, object, violations);
  }

  private static void throwIfAny(ServedKind kind, KubeObject object, Violations violations)
      throws StatusException {
    if (!violations.isEmpty()) {
      throw StatusException.invalid(kind, object.name(), violations);
    }
  }

  private void requireActiveNamespace(ServedKind kind, KubeObject object) throws StatusException {
    KubeObject namespace = store.get(ResourceType.NAMESPACE, "", object.namespace());
    if (namespace == null) {
      throw StatusException.notFound("namespaces", object.namespace());
    }
    if (!namespace.text("/metadata/deletionTimestamp").isEmpty()) {
      throw StatusException.forbidden(
          kind.qualifiedPlural(),
          object.name(),
          "unable to create new content in namespace "
              + object.namespace()
              + " because it is being terminated");
    }
  }

  private KubeObject require(ServedKind kind, String namespace, String name)
      throws StatusException {
    KubeObject object = store.get(kind.type(), namespace, name);
    if (object == null) {
      throw StatusException.notFound(kind.qualifiedPlural(), name);
    }
    return object;
  }

  ApiReply update(ApiRequest.Update request) throws StatusException {
    ServedKind kind = kinds.of(request.type());
    KubeObject old = require(kind, request.namespace(), request.name());
    Bounds.check(request.object().json());
    if (request.subresource().equals("scale")) {
      return replace(
          kind, old, Scales.applied(kind, old, request.object().json()), "scale", request.dryRun());
    }
    ObjectNode object = request.object().copy().json();
    checkType(kind, object);
    placeInNamespace(kind, object.withObject("/metadata"), request.namespace());
    if (!object.path("metadata").path("name").asText().equals(request.name())) {
      throw StatusException.badRequest(
          "the name of the object ("
              + object.path("metadata").path("name").asText()
              + ") does not match the name on the URL ("
              + request.name()
              + ")");
    }
    return replace(kind, old, object, request.subresource(), request.dryRun());
  }

  ApiReply patch(ApiRequest.Patch request) throws StatusException {
    ServedKind kind = kinds.of(request.type());
    KubeObject old = require(kind, request.namespace(), request.name());
    if (request.subresource().equals("scale")) {
      ObjectNode scale =
          JsonPatches.apply(request.patchType(), Type.ANY, Scales.of(kind, old), request.body());
      return replace(kind, old, Scales.applied(kind, old, scale), "scale", request.dryRun());
    }
    ObjectNode patched =
        JsonPatches.apply(request.patchType(), kind.schema(), old.json(), request.body());
    Bounds.check(patched);
    checkType(kind, patched);
    for (String field : List.of("name", "namespace")) {
      if (!patched.path("metadata").path(field).equals(old.json().path("metadata").path(field))) {
        throw StatusException.badRequest("metadata." + field + " is immutable");
      }
    }
    return replace(kind, old, patched, request.subresource(), request.dryRun());
  }

  private ApiReply replace(
      ServedKind kind, KubeObject old, ObjectNode object, String subresource, boolean dryRun)
      throws StatusException {
    String version = object.path("metadata").path("resourceVersion").asText();
    if (!version.isEmpty()
        && !version.equals("0")
        && !version.equals(Long.toString(old.resourceVersion()))) {
      throw StatusException.conflict(
          kind.qualifiedPlural(),
          old.name(),
          "the object has been modified; please apply your changes to the latest version and try"
              + " again");
    }
    String uid = object.path("metadata").path("uid").asText();
    if (!uid.isEmpty() && !uid.equals(old.uid())) {
      throw StatusException.conflict(
          kind.qualifiedPlural(),
          old.name(),
          "Precondition failed: UID in precondition: "
              + uid
              + ", UID in object meta: "
              + old.uid());
    }
    ObjectNode next = subresource.equals("status") ? withStatusOf(old, object) : object;
    if (!subresource.equals("status") && kind.hasStatus()) {
      copyField(old.json(), next, "status");
    }
    keepMetadata(old, next.withObject("/metadata"));
    kind.rules().setDefaults(next);
    KubeObject now = new KubeObject(next);
    check(kind, now);
    Violations violations = new Violations();
    kind.rules().validateUpdate(old, now, violations);
    throwIfAny(kind, now, violations);
    next.withObject("/metadata").put("resourceVersion", Long.toString(old.resourceVersion()));
    if (next.equals(old.json())) {
      return new ApiReply.Stored(old, false);
    }
    if (!next.path("spec").equals(old.json().path("spec"))) {
      next.withObject("/metadata").put("generation", old.at("/metadata/generation").asLong() + 1);
    }
    if (dryRun) {
      return new ApiReply.Stored(now, false);
    }
    KubeObject stored = store.put(kind.type(), next);
    return isReadyToGo(kind, stored) ? removed(kind, stored) : new ApiReply.Stored(stored, false);
  }

  private static ObjectNode withStatusOf(KubeObject old, ObjectNode object) {
    ObjectNode next = old.copy().json();
    copyField(object, next, "status");
    return next;
  }

  private static void copyField(ObjectNode from, ObjectNode to, String field) {
    JsonNode value = from.get(field);
    if (value == null) {
      to.remove(field);
    } else {
      to.set(field, value.deepCopy());
    }
  }

  private static void keepMetadata(KubeObject old, ObjectNode metadata) {
    ObjectNode before = old.json().withObject("/metadata");
    for (String field : IMMUTABLE_METADATA) {
      copyField(before, metadata, field);
    }
    for (String field : List.of("generation", "deletionTimestamp", "deletionGracePeriodSeconds")) {
      copyField(before, metadata, field);
    }
  }

  ApiReply delete(ApiRequest.Delete request) throws StatusException {
    ServedKind kind = kinds.of(request.type());
    KubeObject object = require(kind, request.namespace(), request.name());
    if (!request.preconditionUid().isEmpty() && !request.preconditionUid().equals(object.uid())) {
      throw StatusException.conflict(
          kind.qualifiedPlural(),
          object.name(),
          "Precondition failed: UID in precondition: "
              + request.preconditionUid()
              + ", UID in object meta: "
              + object.uid());
    }
    return kind.type().equals(ResourceType.NAMESPACE)
        ? deleteNamespace(object)
        : delete(kind, object, request.gracePeriodSeconds());
  }

  private ApiReply delete(ServedKind kind, KubeObject object, long gracePeriodSeconds) {
    boolean waitsForNode = kind.rules().deletesGracefully(object) && gracePeriodSeconds != 0;
    if (!waitsForNode && !hasFinalizers(object)) {
      return removed(kind, object);
    }
    if (!object.text("/metadata/deletionTimestamp").isEmpty()) {
      return new ApiReply.Stored(object, false);
    }
    long grace =
        !waitsForNode
            ? 0
            : gracePeriodSeconds > 0
                ? gracePeriodSeconds
                : object.at("/spec/terminationGracePeriodSeconds").asLong();
    ObjectNode marked = object.copy().json();
    marked
        .withObject("/metadata")
        .put("deletionTimestamp", now().plusSeconds(grace).toString())
        .put("deletionGracePeriodSeconds", grace);
    return new ApiReply.Stored(store.put(kind.type(), marked), false);
  }

  private static boolean hasFinalizers(KubeObject object) {
    return !object.at("/metadata/finalizers").isEmpty();
  }

  /** An object that is being deleted goes when nobody holds it any longer. */
  private static boolean isReadyToGo(ServedKind kind, KubeObject object) {
    return !object.text("/metadata/deletionTimestamp").isEmpty()
        && !hasFinalizers(object)
        && !kind.rules().deletesGracefully(object)
        && !kind.type().equals(ResourceType.NAMESPACE);
  }

  private ApiReply removed(ServedKind kind, KubeObject object) {
    KubeObject last = store.remove(kind.type(), object);
    if (kind.type().namespaced()) {
      removeNamespaceIfEmpty(object.namespace());
    }
    return new ApiReply.Deleted(last);
  }

  /** Everything in it is deleted first; the namespace goes with the last of it. */
  private ApiReply deleteNamespace(KubeObject namespace) throws StatusException {
    if (List.of("default", "kube-system", "kube-public").contains(namespace.name())) {
      throw StatusException.forbidden(
          "namespaces", namespace.name(), "this namespace may not be deleted");
    }
    ObjectNode marked = namespace.copy().json();
    marked.withObject("/metadata").put("deletionTimestamp", now().toString());
    marked.withObject("/status").put("phase", "Terminating");
    KubeObject terminating = store.put(ResourceType.NAMESPACE, marked);
    for (Store.Stored content : store.inNamespace(kinds, namespace.name())) {
      delete(kinds.of(content.type()), content.object(), -1);
    }
    removeNamespaceIfEmpty(namespace.name());
    KubeObject left = store.get(ResourceType.NAMESPACE, "", namespace.name());
    return left == null ? new ApiReply.Deleted(terminating) : new ApiReply.Stored(left, false);
  }

  private void removeNamespaceIfEmpty(String name) {
    KubeObject namespace = store.get(ResourceType.NAMESPACE, "", name);
    if (namespace != null
        && !namespace.text("/metadata/deletionTimestamp").isEmpty()
        && store.inNamespace(kinds, name).isEmpty()) {
      store.remove(ResourceType.NAMESPACE, namespace);
    }
  }
}
