package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.api.WriteOptions;
import dev.paramecium.apiserver.apply.ManagedFields;
import dev.paramecium.apiserver.apply.ManagedFields.Manager;
import dev.paramecium.apiserver.schema.Type;
import dev.paramecium.apiserver.schema.TypeCheck;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What creating, updating and patching mean: metadata, defaults, checks, field managers. */
final class Writes {

  private static final String SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
  private static final int SUFFIX_LENGTH = 5;
  private static final String APPLY = "application/apply-patch+yaml";
  private static final int MAX_NAME = 253;
  private static final List<String> IMMUTABLE_METADATA =
      List.of("uid", "creationTimestamp", "namespace", "name");

  /** What every object has, whatever its kind. */
  private static final Set<String> HEAD = Set.of("apiVersion", "kind", "metadata");

  private final Kinds kinds;
  private final Store store;
  private final InstantSource clock;
  private final Deletions deletions;
  private final RandomGenerator random = new SecureRandom();

  Writes(Kinds kinds, Store store, InstantSource clock) {
    this.kinds = kinds;
    this.store = store;
    this.clock = clock;
    this.deletions = new Deletions(kinds, store, this::now);
  }

  ApiReply delete(ApiRequest.Delete request) throws StatusException {
    return deletions.delete(request);
  }

  ApiReply deleteAll(ApiRequest.DeleteAll request) throws StatusException {
    return deletions.deleteAll(request);
  }

  /** The namespaces that every cluster has, and the Service that leads to the API server. */
  void createStandardObjects() {
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
        createDefaultServiceAccount(name);
      }
    }
    if (store.get(ResourceType.SERVICE, "default", "kubernetes") == null) {
      store.put(ResourceType.SERVICE, apiServerService());
    }
  }

  /**
   * Every cluster's first Service: the API server itself, at the first of the cluster addresses.
   */
  private ObjectNode apiServerService() {
    ObjectNode service = JsonNodeFactory.instance.objectNode();
    service.put("apiVersion", "v1").put("kind", "Service");
    ObjectNode metadata = service.putObject("metadata");
    metadata.put("name", "kubernetes").put("namespace", "default");
    metadata.putObject("labels").put("component", "apiserver").put("provider", "kubernetes");
    setBirth(service);
    ObjectNode spec = service.putObject("spec");
    String address = ServiceAllocation.FIRST_CLUSTER_IP.toString();
    spec.put("clusterIP", address).putArray("clusterIPs").add(address);
    spec.putArray("ports")
        .addObject()
        .put("name", "https")
        .put("port", 443)
        .put("targetPort", 6443);
    spec.put("ipFamilyPolicy", "SingleStack").putArray("ipFamilies").add("IPv4");
    new ServiceRules().setDefaults(service);
    return service;
  }

  ApiReply create(ApiRequest.Create request) throws StatusException {
    ServedKind kind = kinds.of(request.type());
    Bounds.check(request.object().json());
    ObjectNode object = request.object().copy().json();
    checkType(kind, object, request.options());
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
    KubeObject created = born(kind, object);
    if (store.get(kind.type(), created.namespace(), created.name()) != null) {
      throw StatusException.alreadyExists(kind.qualifiedPlural(), created.name());
    }
    metadata.put("generation", 1);
    Manager manager = manager(request.options(), "");
    if (!manager.name().isEmpty()) {
      ManagedFields.update(kind.schema(), null, object, manager);
    }
    return made(kind, created, request.options());
  }

  private ApiReply made(ServedKind kind, KubeObject created, WriteOptions options) {
    if (options.dryRun()) {
      return new ApiReply.Stored(created, true);
    }
    KubeObject stored = store.put(kind.type(), created.json());
    if (kind.type().equals(ResourceType.NAMESPACE)) {
      createDefaultServiceAccount(stored.name());
    }
    deletions.deleteIfOwnersAreGone(kind, stored);
    return new ApiReply.Stored(stored, true);
  }

  private Manager manager(WriteOptions options, String subresource) {
    return new Manager(options.fieldManager(), subresource, now().toString());
  }

  /** As its controller does, but at once, so that the namespace's first pod finds it. */
  private void createDefaultServiceAccount(String namespace) {
    ObjectNode account = JsonNodeFactory.instance.objectNode();
    account
        .put("apiVersion", "v1")
        .put("kind", "ServiceAccount")
        .putObject("metadata")
        .put("name", "default")
        .put("namespace", namespace);
    setBirth(account);
    store.put(ResourceType.SERVICE_ACCOUNT, account);
  }

  /** What only the whole of the stored objects can give: a Service's addresses and ports. */
  private void allocate(ServedKind kind, ObjectNode object, @Nullable KubeObject old)
      throws StatusException {
    if (kind.type().equals(ResourceType.SERVICE)) {
      Violations violations = new Violations();
      List<KubeObject> services = store.list(ResourceType.SERVICE, "", Selector.EVERYTHING);
      new ServiceAllocation(services, old).allocate(object, old, violations);
      throwIfAny(kind, new KubeObject(object), violations);
    }
  }

  /** An object complete enough to be stored. */
  private KubeObject born(ServedKind kind, ObjectNode object) throws StatusException {
    setBirth(object);
    kind.rules().setDefaults(object);
    allocate(kind, object, null);
    KubeObject born = new KubeObject(object);
    check(kind, born);
    Violations violations = new Violations();
    kind.rules().validateNew(born, violations);
    throwIfAny(kind, born, violations);
    if (kind.type().namespaced()) {
      requireActiveNamespace(kind, born);
    }
    return born;
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

  /** Refuses what is of another kind, and drops the fields that the kind does not have. */
  private static void checkType(ServedKind kind, ObjectNode object, WriteOptions options)
      throws StatusException {
    TypeCheck check = TypeCheck.of(kind.schema(), object);
    // What is wrong below a custom kind's metadata its schema's own rules say, with the fields.
    boolean custom = kind.rules() instanceof CustomRules;
    List<String> wrong = custom ? check.wrongIn(HEAD) : check.wrong();
    if (!custom && check.hasNullElements()) {
      TypeCheck.zeroNullElements(kind.schema(), object);
    }
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
    unknownFields(kind, object, check.unknown(), options);
  }

  private static void unknownFields(
      ServedKind kind, ObjectNode object, List<String> unknown, WriteOptions options)
      throws StatusException {
    if (unknown.isEmpty()) {
      return;
    }
    if (options.fieldValidation() == WriteOptions.Validation.STRICT) {
      throw StatusException.badRequest(
          "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s"
              .formatted(
                  kind.type().kind(),
                  kind.type().version(),
                  kind.type().kind(),
                  unknown.stream()
                      .map(field -> "unknown field \"" + field + "\"")
                      .collect(Collectors.joining(", "))));
    }
    TypeCheck.prune(kind.schema(), object);
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
      kind.rules().validateName(object.name(), violations);
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
    String subresource = request.subresource();
    switch (subresource) {
      case "scale" -> {
        ObjectNode scaled = Scales.applied(kind, old, request.object().json());
        return replace(kind, old, scaled, subresource, request.options());
      }
      case "binding" -> {
        ObjectNode bound = Bindings.bound(kind, old, request.object().json(), now());
        return replace(kind, old, bound, subresource, request.options());
      }
      case "eviction" -> {
        return deletions.evict(kind, old, request.object().json(), request.options());
      }
      default -> {}
    }
    ObjectNode object = request.object().copy().json();
    checkType(kind, object, request.options());
    placeInNamespace(kind, object.withObject("/metadata"), request.namespace());
    if (!object.path("metadata").path("name").asText().equals(request.name())) {
      throw StatusException.badRequest(
          "the name of the object ("
              + object.path("metadata").path("name").asText()
              + ") does not match the name on the URL ("
              + request.name()
              + ")");
    }
    return replace(kind, old, object, subresource, request.options());
  }

  ApiReply patch(ApiRequest.Patch request) throws StatusException {
    ServedKind kind = kinds.of(request.type());
    if (request.patchType().equals(APPLY)) {
      return apply(kind, request);
    }
    KubeObject old = require(kind, request.namespace(), request.name());
    if (request.subresource().equals("scale")) {
      ObjectNode scale =
          JsonPatches.apply(request.patchType(), Type.ANY, Scales.of(kind, old), request.body());
      ObjectNode scaled = Scales.applied(kind, old, scale);
      return replace(kind, old, scaled, "scale", request.options());
    }
    ObjectNode patched =
        JsonPatches.apply(request.patchType(), kind.schema(), old.json(), request.body());
    Bounds.check(patched);
    checkType(kind, patched, request.options());
    for (String field : List.of("name", "namespace")) {
      if (!patched.path("metadata").path(field).equals(old.json().path("metadata").path(field))) {
        throw StatusException.badRequest("metadata." + field + " is immutable");
      }
    }
    return replace(kind, old, patched, request.subresource(), request.options());
  }

  /** Server-side apply; it makes the object if there is none. */
  private ApiReply apply(ServedKind kind, ApiRequest.Patch request) throws StatusException {
    if (request.options().fieldManager().isEmpty()) {
      throw StatusException.badRequest(
          "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for"
              + " apply patch");
    }
    ObjectNode configuration = JsonPatches.configuration(request.body());
    Bounds.check(configuration);
    if (!configuration.path("metadata").path("managedFields").isEmpty()) {
      throw StatusException.badRequest("metadata.managedFields must be nil");
    }
    checkType(kind, configuration, request.options());
    ObjectNode metadata = configuration.withObject("/metadata");
    placeInNamespace(kind, metadata, request.namespace());
    Defaults.text(metadata, "name", request.name());
    KubeObject old = store.get(kind.type(), request.namespace(), request.name());
    ManagedFields.Applied applied =
        ManagedFields.apply(
            kind.schema(),
            old == null ? null : old.json(),
            configuration,
            manager(request.options(), request.subresource()),
            request.options().force());
    if (!applied.conflicts().isEmpty()) {
      throw StatusException.applyConflict(applied.conflicts());
    }
    if (old != null) {
      return replace(kind, old, applied.object(), request.subresource(), request.options());
    }
    KubeObject created = born(kind, applied.object());
    created.json().withObject("/metadata").put("generation", 1);
    return made(kind, created, request.options());
  }

  private ApiReply replace(
      ServedKind kind, KubeObject old, ObjectNode object, String subresource, WriteOptions options)
      throws StatusException {
    requireUnchanged(kind, old, object.path("metadata"));
    boolean ofStatus = subresource.equals("status");
    boolean ofEphemeral = subresource.equals(EphemeralContainers.SUBRESOURCE);
    ObjectNode next =
        switch (subresource) {
          case "status" -> withStatusOf(old, object);
          case EphemeralContainers.SUBRESOURCE -> EphemeralContainers.applied(old, object);
          default -> object;
        };
    if (!ofStatus && kind.hasStatus() && !subresource.equals("binding")) {
      copyField(old.json(), next, "status");
    }
    keepMetadata(old, next.withObject("/metadata"));
    kind.rules().setDefaults(next);
    allocate(kind, next, old);
    KubeObject now = new KubeObject(next);
    check(kind, now);
    Violations violations = new Violations();
    if (ofEphemeral) {
      EphemeralContainers.validateUpdate(old, now, violations);
    } else {
      kind.rules().validateUpdate(old, now, violations);
    }
    throwIfAny(kind, now, violations);
    next.withObject("/metadata").put("resourceVersion", Long.toString(old.resourceVersion()));
    if (next.equals(old.json())) {
      return new ApiReply.Stored(old, false);
    }
    if (!next.path("spec").equals(old.json().path("spec"))) {
      next.withObject("/metadata").put("generation", old.at("/metadata/generation").asLong() + 1);
    }
    boolean tracked = next.at("/metadata/managedFields").equals(old.at("/metadata/managedFields"));
    if (!options.fieldManager().isEmpty() && tracked) {
      ManagedFields.update(kind.schema(), old.json(), next, manager(options, subresource));
    }
    if (options.dryRun()) {
      return new ApiReply.Stored(now, false);
    }
    KubeObject stored = store.put(kind.type(), next);
    return Deletions.isReadyToGo(kind, stored)
        ? deletions.removed(kind, stored)
        : new ApiReply.Stored(stored, false);
  }

  private static void requireUnchanged(ServedKind kind, KubeObject old, JsonNode metadata)
      throws StatusException {
    String version = metadata.path("resourceVersion").asText();
    if (!version.isEmpty()
        && !version.equals("0")
        && !version.equals(Long.toString(old.resourceVersion()))) {
      throw StatusException.conflict(
          kind.qualifiedPlural(),
          old.name(),
          "the object has been modified; please apply your changes to the latest version and try"
              + " again");
    }
    String uid = metadata.path("uid").asText();
    if (!uid.isEmpty() && !uid.equals(old.uid())) {
      throw StatusException.conflict(
          kind.qualifiedPlural(),
          old.name(),
          "Precondition failed: UID in precondition: "
              + uid
              + ", UID in object meta: "
              + old.uid());
    }
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
    if (!metadata.has("managedFields")) {
      copyField(before, metadata, "managedFields");
    }
  }
}
