package dev.paramecium.identity;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The CiliumIdentity object of a number ({@code pkg/k8s/identitybackend}): its name is the number,
 * {@code security-labels} are what the number stands for, {@code metadata.labels} repeat the
 * Kubernetes ones so that they can be selected by.
 */
public final class CiliumIdentities {

  /** Set once an allocator has walked past the number; such an object is never deleted. */
  public static final String PASSED = "paramecium.dev/passed";

  /** Set when the number's end is decided; nothing but its deletion may follow. */
  public static final String RELEASING = "paramecium.dev/releasing";

  private CiliumIdentities() {}

  public static KubeObject create(int number, SecurityLabels labels) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("apiVersion", ResourceType.CILIUM_IDENTITY.apiVersion());
    json.put("kind", ResourceType.CILIUM_IDENTITY.kind());
    ObjectNode metadata = json.putObject("metadata");
    metadata.put("name", Integer.toString(number));
    ObjectNode selectable = metadata.putObject("labels");
    ObjectNode security = json.putObject("security-labels");
    labels
        .labels()
        .forEach(
            (key, value) -> {
              selectable.put(key.substring(SecurityLabels.SOURCE.length()), value);
              security.put(key, value);
            });
    return new KubeObject(json);
  }

  /** The number, or -1 for an object whose name is none. */
  public static int number(KubeObject identity) {
    String name = identity.name();
    if (name.isEmpty() || name.length() > 9 || !name.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return -1;
    }
    int number = Integer.parseInt(name);
    return number >= ReservedIdentity.ALLOCATION_MIN && name.equals(Integer.toString(number))
        ? number
        : -1;
  }

  public static SecurityLabels labels(KubeObject identity) {
    SortedMap<String, String> labels = new TreeMap<>();
    identity
        .json()
        .path("security-labels")
        .properties()
        .forEach(e -> labels.put(e.getKey(), e.getValue().asText()));
    return new SecurityLabels(labels);
  }

  public static boolean isPassed(KubeObject identity) {
    return isMarked(identity, PASSED);
  }

  public static boolean isReleasing(KubeObject identity) {
    return isMarked(identity, RELEASING);
  }

  private static boolean isMarked(KubeObject identity, String annotation) {
    return identity.json().path("metadata").path("annotations").has(annotation);
  }

  /** A copy with {@code annotation} set; its resourceVersion makes the update conditional. */
  public static KubeObject marked(KubeObject identity, String annotation) {
    KubeObject copy = identity.copy();
    copy.json()
        .withObjectProperty("metadata")
        .withObjectProperty("annotations")
        .put(annotation, "true");
    return copy;
  }
}
