package dev.paramecium.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sets of field paths in the form that {@code FieldsV1} stores: a tree whose keys are path elements
 * ({@code f:name} a field, {@code k:{…}} a list's element by its keys, {@code v:…} a set's value).
 *
 * <pre>
 *   {"f:spec": {"f:replicas": {}, "f:ports": {"k:{\"port\":80}": {".": {}, "f:port": {}}}}}
 *                            ^ in the set                         ^ the element itself is, too
 * </pre>
 *
 * A null tree is the empty set; the root itself is never a member.
 */
final class FieldSets {

  static final String SELF = ".";

  private FieldSets() {}

  static boolean isMember(@Nullable JsonNode tree) {
    return tree != null && (tree.isEmpty() || tree.has(SELF));
  }

  private static @Nullable ObjectNode tree(boolean member, ObjectNode children) {
    if (children.isEmpty()) {
      return member ? children : null;
    }
    if (member) {
      children.putObject(SELF);
    }
    return children;
  }

  static ObjectNode union(@Nullable JsonNode a, @Nullable JsonNode b) {
    ObjectNode children = JsonNodeFactory.instance.objectNode();
    for (String key : keys(a, b)) {
      JsonNode left = child(a, key);
      JsonNode right = child(b, key);
      children.set(key, left == null && right != null ? right.deepCopy() : union(left, right));
    }
    if (!children.isEmpty() && (isMember(a) || isMember(b))) {
      children.putObject(SELF);
    }
    return children;
  }

  /** Two whole sets as one. */
  static ObjectNode unionOfRoots(@Nullable JsonNode a, @Nullable JsonNode b) {
    ObjectNode union = union(a, b);
    union.remove(SELF);
    return union;
  }

  /** What is in {@code a} and not in {@code b}. */
  static @Nullable ObjectNode difference(@Nullable JsonNode a, @Nullable JsonNode b) {
    ObjectNode children = JsonNodeFactory.instance.objectNode();
    for (String key : keys(a, null)) {
      ObjectNode left = difference(child(a, key), child(b, key));
      if (left != null) {
        children.set(key, left);
      }
    }
    return tree(isMember(a) && !isMember(b), children);
  }

  static @Nullable ObjectNode intersection(@Nullable JsonNode a, @Nullable JsonNode b) {
    ObjectNode children = JsonNodeFactory.instance.objectNode();
    for (String key : keys(a, null)) {
      ObjectNode both = intersection(child(a, key), child(b, key));
      if (both != null) {
        children.set(key, both);
      }
    }
    return tree(isMember(a) && isMember(b), children);
  }

  static boolean isEmptyRoot(@Nullable JsonNode root) {
    return root == null || root.isEmpty();
  }

  private static @Nullable JsonNode child(@Nullable JsonNode tree, String key) {
    return tree == null ? null : tree.get(key);
  }

  private static List<String> keys(@Nullable JsonNode a, @Nullable JsonNode b) {
    List<String> keys = new ArrayList<>();
    for (JsonNode tree : new JsonNode[] {a, b}) {
      if (tree != null) {
        for (Map.Entry<String, JsonNode> entry : tree.properties()) {
          if (!entry.getKey().equals(SELF) && !keys.contains(entry.getKey())) {
            keys.add(entry.getKey());
          }
        }
      }
    }
    return keys;
  }

  /** The members' paths as people write them: {@code .spec.ports[port=80].name}. */
  static List<String> paths(JsonNode root) {
    List<String> paths = new ArrayList<>();
    collect(root, "", paths);
    return paths;
  }

  private static void collect(JsonNode tree, String path, List<String> paths) {
    if (isMember(tree) && !path.isEmpty()) {
      paths.add(path);
    }
    for (Map.Entry<String, JsonNode> entry : tree.properties()) {
      String key = entry.getKey();
      if (!key.equals(SELF)) {
        String element = key.substring(2);
        collect(
            entry.getValue(),
            path
                + switch (key.charAt(0)) {
                  case 'f' -> "." + element;
                  case 'k' ->
                      "["
                          + element
                              .substring(1, element.length() - 1)
                              .replace("\":", "=")
                              .replaceAll("(^|,)\"", "$1")
                          + "]";
                  case 'v' -> "[=" + element + "]";
                  default -> "[" + element + "]";
                },
            paths);
      }
    }
  }
}
