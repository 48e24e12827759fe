package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.Kinds;
import dev.paramecium.apiserver.ServedKind;
import io.netty.handler.codec.http.FullHttpResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the API server tells of itself: groups, versions, resources ({@code
 * apimachinery/pkg/apis/meta/v1}, APIGroupList and APIResourceList), and all of it in one document
 * ({@code apidiscovery.k8s.io}, APIGroupDiscoveryList) for clients from 1.26 on.
 */
final class Discovery {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final List<String> VERBS =
      List.of("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch");

  private final Kinds kinds;

  /** The kinds that are not stored, by group. */
  private static final Map<String, List<UnstoredKind>> UNSTORED =
      Stream.concat(Reviews.ALL.stream(), MetricsApi.KINDS.stream())
          .collect(
              Collectors.groupingBy(UnstoredKind::group, LinkedHashMap::new, Collectors.toList()));

  Discovery(Kinds kinds) {
    this.kinds = kinds;
  }

  /**
   * A part of an object that has a path of its own.
   *
   * @param group of {@code kind}, empty if it is the resource's own
   */
  private record Subresource(
      String name, String group, String version, String kind, List<String> verbs) {}

  private static List<Subresource> subresources(ServedKind kind) {
    List<Subresource> all = new ArrayList<>();
    String own = kind.type().kind();
    List<String> verbs = List.of("get", "patch", "update");
    if (kind.hasStatus()) {
      all.add(new Subresource("status", "", "", own, verbs));
    }
    if (kind.scale().exists()) {
      all.add(new Subresource("scale", "autoscaling", "v1", "Scale", verbs));
    }
    if (kind.type().group().isEmpty() && own.equals("Pod")) {
      all.add(new Subresource("attach", "", "", "PodAttachOptions", List.of("create", "get")));
      all.add(new Subresource("binding", "", "", "Binding", List.of("create")));
      all.add(new Subresource("ephemeralcontainers", "", "", "Pod", verbs));
      all.add(new Subresource("eviction", "policy", "v1", "Eviction", List.of("create")));
      all.add(new Subresource("exec", "", "", "PodExecOptions", List.of("create", "get")));
      all.add(new Subresource("log", "", "", "Pod", List.of("get")));
      all.add(
          new Subresource(
              "portforward", "", "", "PodPortForwardOptions", List.of("create", "get")));
    }
    if (kind.type().group().isEmpty() && own.equals("ServiceAccount")) {
      all.add(
          new Subresource(
              "token", "authentication.k8s.io", "v1", "TokenRequest", List.of("create")));
    }
    if (kind.type().group().isEmpty() && own.equals("Namespace")) {
      all.add(new Subresource("finalize", "", "", own, List.of("update")));
    }
    return all;
  }

  /** Kinds by group, then by version, as they were registered. */
  private Map<String, Map<String, List<ServedKind>>> groups() {
    Map<String, Map<String, List<ServedKind>>> groups = new LinkedHashMap<>();
    for (ServedKind kind : kinds.all()) {
      groups
          .computeIfAbsent(kind.type().group(), _ -> new LinkedHashMap<>())
          .computeIfAbsent(kind.type().version(), _ -> new ArrayList<>())
          .add(kind);
    }
    return groups;
  }

  /** The document at a discovery path, if it is one. */
  Optional<ObjectNode> document(String path, String serverAddress) {
    return switch (path) {
      case "/api" -> Optional.of(apiVersions(serverAddress));
      case "/apis" -> Optional.of(groupList());
      case "/version" -> Optional.of(version());
      case "/api/v1" -> resources("", "v1");
      default -> path.startsWith("/apis/") ? below(path.substring(6)) : Optional.empty();
    };
  }

  private Optional<ObjectNode> below(String groupVersion) {
    int slash = groupVersion.indexOf('/');
    if (slash >= 0) {
      return resources(groupVersion.substring(0, slash), groupVersion.substring(slash + 1));
    }
    List<UnstoredKind> unstored = UNSTORED.get(groupVersion);
    Map<String, List<ServedKind>> stored = groups().getOrDefault(groupVersion, Map.of());
    Set<String> versions = unstored == null ? stored.keySet() : Set.of(version(unstored));
    return versions.isEmpty()
        ? Optional.empty()
        : Optional.of(
            describe(groupVersion, versions).put("kind", "APIGroup").put("apiVersion", "v1"));
  }

  private Optional<ObjectNode> resources(String group, String version) {
    List<UnstoredKind> unstored = UNSTORED.get(group);
    if (unstored != null && version.equals(version(unstored))) {
      return Optional.of(unstored(unstored));
    }
    List<ServedKind> all = groups().getOrDefault(group, Map.of()).get(version);
    return all == null
        ? Optional.empty()
        : Optional.of(resources(group.isEmpty() ? version : group + "/" + version, all));
  }

  private static ObjectNode resources(String groupVersion, List<ServedKind> kinds) {
    ObjectNode list = NODES.objectNode();
    list.put("kind", "APIResourceList").put("apiVersion", "v1").put("groupVersion", groupVersion);
    ArrayNode resources = list.putArray("resources");
    for (ServedKind kind : kinds) {
      ObjectNode resource = resource(resources, kind, "", kind.singular(), kind.type().kind());
      verbs(resource, "verbs", VERBS);
      names(resource, kind);
      for (Subresource part : subresources(kind)) {
        ObjectNode entry = resource(resources, kind, "/" + part.name(), "", part.kind());
        if (!part.group().isEmpty()) {
          entry.put("group", part.group()).put("version", part.version());
        }
        verbs(entry, "verbs", part.verbs());
      }
    }
    return list;
  }

  /** A group of kinds that are not stored has one version. */
  private static String version(List<UnstoredKind> kinds) {
    return kinds.getFirst().version();
  }

  private static ObjectNode unstored(List<UnstoredKind> kinds) {
    ObjectNode list = NODES.objectNode();
    list.put("kind", "APIResourceList").put("apiVersion", "v1");
    list.put("groupVersion", kinds.getFirst().group() + "/" + version(kinds));
    ArrayNode resources = list.putArray("resources");
    for (UnstoredKind kind : kinds) {
      ObjectNode resource =
          resources
              .addObject()
              .put("name", kind.plural())
              .put("singularName", kind.kind().toLowerCase(Locale.ROOT))
              .put("namespaced", kind.namespaced())
              .put("kind", kind.kind());
      verbs(resource, "verbs", kind.verbs());
    }
    return list;
  }

  private static ObjectNode resource(
      ArrayNode resources, ServedKind kind, String suffix, String singular, String kindName) {
    return resources
        .addObject()
        .put("name", kind.type().plural() + suffix)
        .put("singularName", singular)
        .put("namespaced", kind.type().namespaced())
        .put("kind", kindName);
  }

  private static void names(ObjectNode resource, ServedKind kind) {
    if (!kind.shortNames().isEmpty()) {
      verbs(resource, "shortNames", kind.shortNames());
    }
    if (!kind.categories().isEmpty()) {
      verbs(resource, "categories", kind.categories());
    }
  }

  private static void verbs(ObjectNode resource, String field, List<String> texts) {
    texts.forEach(resource.putArray(field)::add);
  }

  private static ObjectNode apiVersions(String serverAddress) {
    ObjectNode versions = NODES.objectNode();
    versions.put("kind", "APIVersions").putArray("versions").add("v1");
    versions
        .putArray("serverAddressByClientCIDRs")
        .addObject()
        .put("clientCIDR", "0.0.0.0/0")
        .put("serverAddress", serverAddress);
    return versions;
  }

  private ObjectNode groupList() {
    ObjectNode list = NODES.objectNode();
    list.put("kind", "APIGroupList").put("apiVersion", "v1");
    ArrayNode groups = list.putArray("groups");
    groups()
        .forEach(
            (name, versions) -> {
              if (!name.isEmpty()) {
                groups.add(describe(name, versions.keySet()));
              }
            });
    UNSTORED.forEach((name, kinds) -> groups.add(describe(name, Set.of(version(kinds)))));
    return list;
  }

  private static ObjectNode describe(String name, Set<String> versions) {
    ObjectNode group = NODES.objectNode();
    group.put("name", name);
    ArrayNode list = group.putArray("versions");
    for (String version : versions) {
      list.addObject().put("groupVersion", name + "/" + version).put("version", version);
    }
    group.set("preferredVersion", list.get(0).deepCopy());
    return group;
  }

  /**
   * All groups with their resources in one document.
   *
   * @param core the core group, which is at {@code /api}, or else all others
   * @param apiVersion {@code apidiscovery.k8s.io/v2} or its beta, which have the same shape
   */
  ObjectNode aggregated(boolean core, String apiVersion) {
    ObjectNode document = NODES.objectNode();
    document.put("kind", "APIGroupDiscoveryList").put("apiVersion", apiVersion);
    document.putObject("metadata");
    ArrayNode items = document.putArray("items");
    groups()
        .forEach(
            (name, versions) -> {
              if (name.isEmpty() == core) {
                ObjectNode group = items.addObject();
                ObjectNode metadata = group.putObject("metadata");
                metadata.putNull("creationTimestamp");
                if (!core) {
                  metadata.put("name", name);
                }
                ArrayNode list = group.putArray("versions");
                versions.forEach(
                    (version, resources) -> {
                      ObjectNode entry = list.addObject().put("version", version);
                      ArrayNode all = entry.putArray("resources");
                      resources.forEach(kind -> all.add(aggregated(kind)));
                      entry.put("freshness", "Current");
                    });
              }
            });
    if (!core) {
      UNSTORED.values().forEach(kinds -> items.add(aggregated(kinds)));
    }
    return document;
  }

  private static ObjectNode aggregated(List<UnstoredKind> kinds) {
    ObjectNode group = NODES.objectNode();
    group.putObject("metadata").put("name", kinds.getFirst().group()).putNull("creationTimestamp");
    ObjectNode version = group.putArray("versions").addObject().put("version", version(kinds));
    ArrayNode resources = version.putArray("resources");
    for (UnstoredKind kind : kinds) {
      ObjectNode resource = resources.addObject().put("resource", kind.plural());
      responseKind(resource, kind.group(), kind.version(), kind.kind());
      resource
          .put("scope", kind.namespaced() ? "Namespaced" : "Cluster")
          .put("singularResource", kind.kind().toLowerCase(Locale.ROOT));
      verbs(resource, "verbs", kind.verbs());
    }
    version.put("freshness", "Current");
    return group;
  }

  private static ObjectNode aggregated(ServedKind kind) {
    ObjectNode resource = NODES.objectNode();
    resource.put("resource", kind.type().plural());
    responseKind(resource, kind.type().group(), kind.type().version(), kind.type().kind());
    resource
        .put("scope", kind.type().namespaced() ? "Namespaced" : "Cluster")
        .put("singularResource", kind.singular());
    verbs(resource, "verbs", VERBS);
    names(resource, kind);
    List<Subresource> parts = subresources(kind);
    if (!parts.isEmpty()) {
      ArrayNode list = resource.putArray("subresources");
      for (Subresource part : parts) {
        ObjectNode entry = list.addObject().put("subresource", part.name());
        if (part.group().isEmpty()) {
          responseKind(entry, kind.type().group(), kind.type().version(), part.kind());
        } else {
          responseKind(entry, part.group(), part.version(), part.kind());
        }
        verbs(entry, "verbs", part.verbs());
      }
    }
    return resource;
  }

  private static void responseKind(ObjectNode to, String group, String version, String kind) {
    to.putObject("responseKind").put("group", group).put("version", version).put("kind", kind);
  }

  private static ObjectNode version() {
    return NODES
        .objectNode()
        .put("major", "1")
        .put("minor", "24")
        .put("gitVersion", "v1.24.17")
        .put("gitCommit", "")
        .put("gitTreeState", "clean")
        .put("buildDate", "2023-08-23T11:15:00Z")
        .put("goVersion", "")
        .put("compiler", "paramecium")
        .put("platform", "linux/amd64");
  }

  /** The version of aggregated discovery that a client takes before plain JSON, if any. */
  static Optional<String> aggregatedVersion(String accept) {
    for (String type : accept.split(",", -1)) {
      if (type.contains("as=APIGroupDiscoveryList")) {
        return Optional.of(type.contains("v=v2beta1") ? "v2beta1" : "v2");
      } else if (type.strip().equals("application/json")) {
        break;
      }
    }
    return Optional.empty();
  }

  FullHttpResponse answer(boolean core, String version) {
    return Answer.of(
        200,
        "application/json;g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList",
        Answer.bytes(aggregated(core, "apidiscovery.k8s.io/" + version)));
  }
}
