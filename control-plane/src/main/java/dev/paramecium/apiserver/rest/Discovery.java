package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.ServedKind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the API server tells of itself: groups, versions, resources ({@code
 * apimachinery/pkg/apis/meta/v1}, APIGroupList and APIResourceList).
 */
final class Discovery {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final Map<String, ObjectNode> resourceLists = new LinkedHashMap<>();

  Discovery(Iterable<ServedKind> kinds) {
    for (ServedKind kind : kinds) {
      ObjectNode list =
          resourceLists.computeIfAbsent(
              kind.type().apiVersion(),
              groupVersion -> {
                ObjectNode fresh = NODES.objectNode();
                fresh
                    .put("kind", "APIResourceList")
                    .put("apiVersion", "v1")
                    .put("groupVersion", groupVersion);
                fresh.putArray("resources");
                return fresh;
              });
      add((ArrayNode) list.get("resources"), kind);
    }
  }

  private static void add(ArrayNode resources, ServedKind kind) {
    ObjectNode resource = resources.addObject();
    resource
        .put("name", kind.type().plural())
        .put("singularName", kind.singular())
        .put("namespaced", kind.type().namespaced())
        .put("kind", kind.type().kind());
    verbs(resource, List.of("create", "delete", "get", "list", "patch", "update", "watch"));
    if (!kind.shortNames().isEmpty()) {
      kind.shortNames().forEach(resource.putArray("shortNames")::add);
    }
    if (!kind.categories().isEmpty()) {
      kind.categories().forEach(resource.putArray("categories")::add);
    }
    if (kind.hasStatus()) {
      subresource(resources, kind, "status", kind.type().kind(), List.of("get", "patch", "update"));
    }
    if (kind.type().plural().equals("pods") && kind.type().group().isEmpty()) {
      subresource(resources, kind, "exec", "PodExecOptions", List.of("create", "get"));
      subresource(
          resources, kind, "portforward", "PodPortForwardOptions", List.of("create", "get"));
      subresource(resources, kind, "log", "Pod", List.of("get"));
    }
  }

  private static void subresource(
      ArrayNode resources, ServedKind kind, String name, String kindName, List<String> verbs) {
    ObjectNode resource = resources.addObject();
    resource
        .put("name", kind.type().plural() + "/" + name)
        .put("singularName", "")
        .put("namespaced", kind.type().namespaced())
        .put("kind", kindName);
    verbs(resource, verbs);
  }

  private static void verbs(ObjectNode resource, List<String> verbs) {
    ArrayNode list = resource.putArray("verbs");
    verbs.forEach(list::add);
  }

  /** The document at a discovery path, if it is one. */
  Optional<ObjectNode> document(String path, String serverAddress) {
    return switch (path) {
      case "/api" -> Optional.of(apiVersions(serverAddress));
      case "/apis" -> Optional.of(groups());
      case "/version" -> Optional.of(version());
      default -> {
        String groupVersion = path.replaceFirst("^/apis?/", "");
        if (!path.equals("/api/" + groupVersion) && !path.equals("/apis/" + groupVersion)) {
          yield Optional.empty();
        }
        ObjectNode list = resourceLists.get(groupVersion);
        yield list != null ? Optional.of(list) : group(groupVersion);
      }
    };
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

  private ObjectNode groups() {
    ObjectNode list = NODES.objectNode();
    list.put("kind", "APIGroupList").put("apiVersion", "v1");
    ArrayNode groups = list.putArray("groups");
    for (String groupVersion : resourceLists.keySet()) {
      if (groupVersion.contains("/")) {
        groups.add(describe(groupVersion));
      }
    }
    return list;
  }

  private Optional<ObjectNode> group(String name) {
    for (String groupVersion : resourceLists.keySet()) {
      if (groupVersion.startsWith(name + "/")) {
        ObjectNode group = describe(groupVersion);
        return Optional.of(group.put("kind", "APIGroup").put("apiVersion", "v1"));
      }
    }
    return Optional.empty();
  }

  private static ObjectNode describe(String groupVersion) {
    int slash = groupVersion.indexOf('/');
    ObjectNode version = NODES.objectNode();
    version.put("groupVersion", groupVersion).put("version", groupVersion.substring(slash + 1));
    ObjectNode group = NODES.objectNode();
    group.put("name", groupVersion.substring(0, slash));
    group.putArray("versions").add(version);
    group.set("preferredVersion", version);
    return group;
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
}
