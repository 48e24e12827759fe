package dev.paramecium.apiserver;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Every kind that this API server serves; a new kind is one entry here. */
public final class Kinds {

  private static final ServedKind.Rules NO_RULES = new ServedKind.Rules() {};

  private static final ServedKind.Rules IDENTITY_RULES =
      new ServedKind.Rules() {
        @Override
        public void validate(KubeObject object, Violations violations) {
          if (!object.name().matches("[0-9]+")) {
            violations.invalid(
                "metadata.name", object.name(), "a CiliumIdentity is named by its number");
          }
          if (object.at("/security-labels").isEmpty()) {
            violations.required("security-labels");
          }
        }

        @Override
        public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
          if (!old.at("/security-labels").equals(now.at("/security-labels"))) {
            violations.forbidden("security-labels", "an identity's labels never change");
          }
        }
      };

  private final Map<String, ServedKind> byPath = new LinkedHashMap<>();

  private Kinds() {}

  /** The kinds of this release. */
  public static Kinds standard() {
    Kinds kinds = new Kinds();
    kinds.add(
        new ServedKind(
            ResourceType.NAMESPACE,
            "namespace",
            List.of("ns"),
            List.of(),
            true,
            new NamespaceRules(),
            Columns.namespace()));
    kinds.add(
        new ServedKind(
            ResourceType.NODE, "node", List.of("no"), List.of(), true, NO_RULES, Columns.node()));
    kinds.add(
        new ServedKind(
            ResourceType.POD,
            "pod",
            List.of("po"),
            List.of("all"),
            true,
            new PodRules(),
            Columns.pod()));
    kinds.add(
        new ServedKind(
            ResourceType.CILIUM_IDENTITY,
            "ciliumidentity",
            List.of("ciliumid"),
            List.of("cilium"),
            false,
            IDENTITY_RULES,
            Columns.ciliumIdentity()));
    kinds.add(
        new ServedKind(
            ResourceType.CILIUM_ENDPOINT,
            "ciliumendpoint",
            List.of("cep", "ciliumep"),
            List.of("cilium"),
            true,
            NO_RULES,
            Columns.ciliumEndpoint()));
    kinds.add(
        new ServedKind(
            ResourceType.CILIUM_NODE,
            "ciliumnode",
            List.of("cn", "ciliumn"),
            List.of("cilium"),
            true,
            NO_RULES,
            Columns.ciliumNode()));
    return kinds;
  }

  private void add(ServedKind kind) {
    byPath.put(path(kind.type().group(), kind.type().version(), kind.type().plural()), kind);
  }

  private static String path(String group, String version, String plural) {
    return group + "/" + version + "/" + plural;
  }

  public Optional<ServedKind> find(String group, String version, String plural) {
    return Optional.ofNullable(byPath.get(path(group, version, plural)));
  }

  ServedKind of(ResourceType type) throws StatusException {
    ServedKind kind = byPath.get(path(type.group(), type.version(), type.plural()));
    if (kind == null) {
      throw StatusException.notFound(type.plural(), type.apiVersion());
    }
    return kind;
  }

  public Iterable<ServedKind> all() {
    return byPath.values();
  }
}
