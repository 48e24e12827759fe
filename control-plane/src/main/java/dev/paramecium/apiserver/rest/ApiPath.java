package dev.paramecium.apiserver.rest;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A resource URL taken apart: {@code /api/v1/namespaces/NS/PLURAL/NAME/SUBRESOURCE} or {@code
 * /apis/GROUP/VERSION/…}.
 *
 * @param namespace empty if the path names none
 * @param name empty for a collection
 * @param subresource {@code status}, {@code exec}, {@code log}, …; empty for the object itself
 */
record ApiPath(
    String group,
    String version,
    String plural,
    String namespace,
    String name,
    String subresource) {

  /** Empty if the path is not that of a resource. */
  static Optional<ApiPath> parse(String path) {
    List<String> parts = new ArrayList<>(List.of(path.split("/")));
    parts.removeIf(String::isEmpty);
    String group;
    int at;
    if (parts.size() > 2 && parts.getFirst().equals("api")) {
      group = "";
      at = 1;
    } else if (parts.size() > 3 && parts.getFirst().equals("apis")) {
      group = parts.get(1);
      at = 2;
    } else {
      return Optional.empty();
    }
    String version = parts.get(at++);
    String namespace = "";
    // /namespaces/NS is the namespace itself; /namespaces/NS/pods is a collection in it;
    // /namespaces/NS/status is a part of it.
    boolean scoped =
        parts.get(at).equals("namespaces")
            && parts.size() > at + 2
            && !(parts.size() == at + 3
                && List.of("status", "finalize").contains(parts.get(at + 2)));
    if (scoped) {
      namespace = parts.get(at + 1);
      at += 2;
    }
    String plural = parts.get(at);
    String name = parts.size() > at + 1 ? parts.get(at + 1) : "";
    String subresource = parts.size() > at + 2 ? parts.get(at + 2) : "";
    return parts.size() > at + 3
        ? Optional.empty()
        : Optional.of(new ApiPath(group, version, plural, namespace, name, subresource));
  }
}
