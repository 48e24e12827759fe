package dev.paramecium.deploy.whatif;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Replacement;
import dev.paramecium.deploy.client.Resources;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The cluster's policies as they would be after an {@code apply}: the API server checks and
 * completes each file's objects in a dry run.
 *
 * @param notes what was left out, and what the server remarked
 */
record ProposedPolicies(List<KubeObject> policies, List<String> notes) {

  /**
   * @param prune whether policies that are in no file go
   * @throws dev.paramecium.deploy.UserError if the API server would not take an object
   */
  static ProposedPolicies of(
      ApiHttp api, List<KubeObject> existing, List<ObjectNode> files, boolean prune) {
    Map<String, KubeObject> policies = new LinkedHashMap<>();
    if (!prune) {
      existing.forEach(policy -> policies.put(key(policy), policy));
    }
    List<String> notes = new ArrayList<>();
    Resources resources = Resources.discover(api);
    for (ObjectNode file : files) {
      String kind = file.path("kind").asText();
      if (!ClusterPicture.POLICIES.containsKey(kind)) {
        notes.add(
            kind + " " + file.path("metadata").path("name").asText() + " is no policy: left out");
        continue;
      }
      KubeObject stored = dryRun(api, resources, file, notes);
      policies.put(key(stored), stored);
    }
    return new ProposedPolicies(List.copyOf(policies.values()), notes);
  }

  private static String key(KubeObject policy) {
    return policy.kind() + " " + policy.namespace() + "/" + policy.name();
  }

  private static KubeObject dryRun(
      ApiHttp api, Resources resources, ObjectNode file, List<String> notes) {
    ObjectNode object = file.deepCopy();
    Resources.Resource resource =
        resources.of(object.path("apiVersion").asText(), object.path("kind").asText());
    ObjectNode metadata = object.withObject("/metadata");
    String namespace = "";
    if (resource.namespaced()) {
      namespace = metadata.path("namespace").asText("default");
      metadata.put("namespace", namespace);
    }
    String collection = resource.path(namespace);
    String path = collection + "/" + metadata.path("name").asText();
    JsonNode existing = api.find(path);
    ApiHttp.Written written =
        existing.isMissingNode()
            ? api.write("POST", collection + "?dryRun=All", object)
            : api.write("PUT", path + "?dryRun=All", Replacement.of(existing, object));
    KubeObject stored = new KubeObject((ObjectNode) written.object());
    written.warnings().forEach(warning -> notes.add(key(stored) + ": " + warning));
    return stored;
  }
}
