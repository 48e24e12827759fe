package dev.paramecium.apiserver.access;

/**
 * What a request wants, as an authorizer sees it ({@code authorization/authorizer.Attributes}).
 *
 * @param verb {@code get}, {@code list}, {@code watch}, {@code create}, {@code update}, {@code
 *     patch}, {@code delete}, {@code deletecollection}; of a path the method in lower case
 * @param resource the plural; empty if {@code path} is none of a resource
 * @param subresource empty for the object itself
 * @param namespace empty at the cluster scope
 * @param name empty if no single object is meant
 */
public record Attributes(
    String verb,
    String group,
    String resource,
    String subresource,
    String namespace,
    String name,
    String path) {

  /** A request for something that is no resource. */
  public static Attributes ofPath(String verb, String path) {
    return new Attributes(verb, "", "", "", "", "", path);
  }

  boolean isResource() {
    return !resource.isEmpty();
  }

  /** As rules name it: {@code pods}, {@code pods/log}. */
  String fullResource() {
    return subresource.isEmpty() ? resource : resource + "/" + subresource;
  }

  /**
   * What whoever may not do it is told ({@code apiserver/pkg/endpoints/handlers/responsewriters}).
   */
  public String forbidden(User user) {
    if (!isResource()) {
      return "forbidden: User \"" + user.name() + "\" cannot " + verb + " path \"" + path + "\"";
    }
    String qualified = group.isEmpty() ? resource : resource + "." + group;
    return (name.isEmpty() ? qualified : qualified + " \"" + name + "\"")
        + " is forbidden: User \""
        + user.name()
        + "\" cannot "
        + verb
        + " resource \""
        + fullResource()
        + "\" in API group \""
        + group
        + "\""
        + (namespace.isEmpty()
            ? " at the cluster scope"
            : " in the namespace \"" + namespace + "\"");
  }
}
