package dev.paramecium.apiserver.rest;

import dev.paramecium.apiserver.access.Attributes;
import java.util.Locale;
import java.util.Optional;

/** What a request wants, as roles speak of it ({@code apiserver/pkg/endpoints/request}). */
final class RequestAttributes {

  private RequestAttributes() {}

  static Attributes of(RestRequest request) {
    String method = request.method().name().toLowerCase(Locale.ROOT);
    Optional<ApiPath> resource = ApiPath.parse(request.path());
    if (resource.isEmpty()) {
      return Attributes.ofPath(method, request.path());
    }
    ApiPath path = resource.get();
    boolean one = !path.name().isEmpty();
    String verb =
        switch (method) {
          case "get", "head" -> one ? "get" : request.query().flag("watch") ? "watch" : "list";
          case "post" -> "create";
          case "put" -> "update";
          case "delete" -> one ? "delete" : "deletecollection";
          default -> method;
        };
    return new Attributes(
        verb,
        path.group(),
        path.plural(),
        path.subresource(),
        path.namespace(),
        path.name(),
        request.path());
  }
}
