package dev.paramecium.deploy.client;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.UserError;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the API server serves, from its discovery documents; finds a resource by any of its names or
 * by kind.
 */
public final class Resources {

  private final List<Resource> all = new ArrayList<>();

  /**
   * One resource.
   *
   * @param groupVersion {@code v1} or {@code cilium.io/v2}
   */
  public record Resource(
      String groupVersion,
      String plural,
      String singular,
      String kind,
      boolean namespaced,
      List<String> shortNames) {

    /** The URL path of the collection; {@code namespace} empty for all namespaces. */
    public String path(String namespace) {
      String root = (groupVersion.contains("/") ? "/apis/" : "/api/") + groupVersion;
      return root
          + (namespaced && !namespace.isEmpty() ? "/namespaces/" + namespace : "")
          + "/"
          + plural;
    }

    /** {@code pod/curl}, {@code ciliumnode.cilium.io/node-1}: how kubectl names an object. */
    public String display(String name) {
      int slash = groupVersion.indexOf('/');
      return singular + (slash < 0 ? "" : "." + groupVersion.substring(0, slash)) + "/" + name;
    }
  }

  private Resources() {}

  /** Reads every group's resource list. */
  public static Resources discover(ApiHttp api) {
    Resources resources = new Resources();
    resources.add("v1", api.get("/api/v1"));
    for (JsonNode group : api.get("/apis").path("groups")) {
      String groupVersion = group.path("preferredVersion").path("groupVersion").asText();
      resources.add(groupVersion, api.get("/apis/" + groupVersion));
    }
    return resources;
  }

  private void add(String groupVersion, JsonNode list) {
    for (JsonNode resource : list.path("resources")) {
      String plural = resource.path("name").asText();
      if (plural.contains("/")) {
        continue;
      }
      List<String> shortNames = new ArrayList<>();
      resource.path("shortNames").forEach(name -> shortNames.add(name.asText()));
      all.add(
          new Resource(
              groupVersion,
              plural,
              resource
                  .path("singularName")
                  .asText(resource.path("kind").asText().toLowerCase(Locale.ROOT)),
              resource.path("kind").asText(),
              resource.path("namespaced").asBoolean(),
              shortNames));
    }
  }

  /**
   * By plural, singular, short name, kind, or {@code plural.group}, in any case.
   *
   * @throws UserError if the server has no such resource
   */
  public Resource named(String name) {
    String wanted = name.toLowerCase(Locale.ROOT);
    for (Resource resource : all) {
      String group =
          resource.groupVersion().contains("/")
              ? resource.groupVersion().replaceFirst("/.*", "")
              : "";
      if (wanted.equals(resource.plural())
          || wanted.equals(resource.singular().toLowerCase(Locale.ROOT))
          || wanted.equals(resource.kind().toLowerCase(Locale.ROOT))
          || wanted.equals(resource.plural() + "." + group)
          || resource.shortNames().contains(wanted)) {
        return resource;
      }
    }
    throw new UserError(
        UserError.FAILED, "the server doesn't have a resource type \"" + name + "\"");
  }

  /**
   * The resource that a manifest's apiVersion and kind name.
   *
   * @throws UserError if the server has none
   */
  public Resource of(String apiVersion, String kind) {
    for (Resource resource : all) {
      if (resource.groupVersion().equals(apiVersion) && resource.kind().equals(kind)) {
        return resource;
      }
    }
    throw new UserError(
        UserError.FAILED,
        "no matches for kind \""
            + kind
            + "\" in version \""
            + apiVersion
            + "\": this API server does not serve it.");
  }
}
