package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.access.Access;
import dev.paramecium.apiserver.access.Attributes;
import dev.paramecium.apiserver.access.User;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Questions about who one is and what one may: objects that are posted, answered and forgotten
 * ({@code authentication.k8s.io}, {@code authorization.k8s.io}).
 */
final class Reviews {

  private static final String VERSION = "v1";

  static final List<UnstoredKind> ALL =
      List.of(
          review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", false),
          review("authentication.k8s.io", "tokenreviews", "TokenReview", false),
          review(
              "authorization.k8s.io",
              "localsubjectaccessreviews",
              "LocalSubjectAccessReview",
              true),
          review(
              "authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", false),
          review(
              "authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview", false),
          review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview", false));

  private Reviews() {}

  private static UnstoredKind review(String group, String plural, String kind, boolean namespaced) {
    return new UnstoredKind(group, VERSION, plural, kind, namespaced, List.of("create"));
  }

  static Optional<UnstoredKind> find(ApiPath path) {
    return ALL.stream()
        .filter(review -> review.group().equals(path.group()))
        .filter(_ -> path.version().equals(VERSION))
        .filter(review -> review.plural().equals(path.plural()))
        .findFirst();
  }

  /** Answers a question that was posted. */
  static FullHttpResponse answer(
      UnstoredKind review, ApiPath path, RestRequest request, Access access) throws BadRequest {
    request.require(HttpMethod.POST);
    ObjectNode object = request.json();
    String kind = object.path("kind").asText(review.kind());
    if (!kind.equals(review.kind())) {
      throw new BadRequest(
          400,
          "BadRequest",
          "the object provided is a "
              + kind
              + ": "
              + review.plural()
              + " takes a "
              + review.kind());
    }
    object.put("kind", review.kind()).put("apiVersion", review.group() + "/" + review.version());
    object.withObject("/metadata").putNull("creationTimestamp");
    object.set("status", status(review, path, object.path("spec"), request.user(), access));
    return Answer.json(201, object);
  }

  private static ObjectNode status(
      UnstoredKind review, ApiPath path, JsonNode spec, User sender, Access access)
      throws BadRequest {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    switch (review.kind()) {
      case "SelfSubjectReview" -> describe(sender, status.putObject("userInfo"));
      case "TokenReview" -> {
        Optional<User> user = access.ofToken(spec.path("token").asText());
        if (user.isPresent()) {
          status.put("authenticated", true);
          describe(user.get(), status.putObject("user"));
        } else {
          status.put("error", "[invalid bearer token]");
        }
      }
      case "SelfSubjectRulesReview" ->
          access.describeRules(sender, spec.path("namespace").asText(), status);
      case "SelfSubjectAccessReview" ->
          status.put("allowed", access.allows(sender, attributes(spec, "")));
      default -> {
        List<String> groups = new ArrayList<>();
        spec.path("groups").forEach(group -> groups.add(group.asText()));
        String name = spec.path("user").asText();
        if (name.isEmpty() && groups.isEmpty()) {
          throw new BadRequest(
              422,
              "Invalid",
              "spec.user: Invalid value: \"\": at least one of user or group must be specified");
        }
        User user = new User(name, spec.path("uid").asText(), groups);
        status.put("allowed", access.allows(user, attributes(spec, path.namespace())));
      }
    }
    return status;
  }

  private static Attributes attributes(JsonNode spec, String namespace) throws BadRequest {
    JsonNode path = spec.path("nonResourceAttributes");
    JsonNode resource = spec.path("resourceAttributes");
    if (path.isObject() == resource.isObject()) {
      throw new BadRequest(
          422,
          "Invalid",
          "spec.resourceAttributes: Invalid value: exactly one of nonResourceAttributes or"
              + " resourceAttributes must be specified");
    }
    if (path.isObject()) {
      return Attributes.ofPath(path.path("verb").asText(), path.path("path").asText());
    }
    return new Attributes(
        resource.path("verb").asText(),
        resource.path("group").asText(),
        resource.path("resource").asText(),
        resource.path("subresource").asText(),
        resource.path("namespace").asText(namespace),
        resource.path("name").asText(),
        "");
  }

  private static void describe(User user, ObjectNode info) {
    info.put("username", user.name());
    if (!user.uid().isEmpty()) {
      info.put("uid", user.uid());
    }
    ArrayNode groups = info.putArray("groups");
    user.groups().forEach(groups::add);
  }
}
