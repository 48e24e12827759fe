package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import java.util.Optional;

/**
 * Questions about who one is and what one may: objects that are posted, answered and forgotten
 * ({@code authentication.k8s.io}, {@code authorization.k8s.io}).
 *
 * <p>The server listens on loopback without authentication, as {@code --insecure-port} once did:
 * whoever reaches it is {@code system:unsecured}, and may do everything.
 */
final class Reviews {

  private static final String USER = "system:unsecured";
  private static final List<String> GROUPS = List.of("system:masters", "system:authenticated");
  private static final String VERSION = "v1";

  /** One kind of question. */
  record Review(String group, String plural, String kind, boolean namespaced) {

    String groupVersion() {
      return group + "/" + VERSION;
    }
  }

  private static final List<Review> ALL =
      List.of(
          new Review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", false),
          new Review("authentication.k8s.io", "tokenreviews", "TokenReview", false),
          new Review(
              "authorization.k8s.io",
              "localsubjectaccessreviews",
              "LocalSubjectAccessReview",
              true),
          new Review(
              "authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", false),
          new Review(
              "authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview", false),
          new Review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview", false));

  private Reviews() {}

  /** The groups that have nothing else. */
  static List<String> groups() {
    return ALL.stream().map(Review::group).distinct().toList();
  }

  /** The questions of a group, none if it has none. */
  static List<Review> of(String group) {
    return ALL.stream().filter(review -> review.group().equals(group)).toList();
  }

  static Optional<Review> find(ApiPath path) {
    return ALL.stream()
        .filter(review -> review.group().equals(path.group()))
        .filter(_ -> path.version().equals(VERSION))
        .filter(review -> review.plural().equals(path.plural()))
        .findFirst();
  }

  /** Answers a question that was posted. */
  static FullHttpResponse answer(Review review, RestRequest request) throws BadRequest {
    if (!request.method().equals(HttpMethod.POST)) {
      throw BadRequest.methodNotAllowed();
    }
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
    object.put("kind", review.kind()).put("apiVersion", review.groupVersion());
    object.withObject("/metadata").putNull("creationTimestamp");
    object.set("status", status(review));
    return Answer.json(201, object);
  }

  private static ObjectNode status(Review review) {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    switch (review.kind()) {
      case "SelfSubjectReview" -> user(status.putObject("userInfo"));
      case "TokenReview" -> status.put("error", "[invalid bearer token]");
      case "SelfSubjectRulesReview" -> {
        ObjectNode rule = status.putArray("resourceRules").addObject();
        rule.putArray("verbs").add("*");
        rule.putArray("apiGroups").add("*");
        rule.putArray("resources").add("*");
        ObjectNode paths = status.putArray("nonResourceRules").addObject();
        paths.putArray("verbs").add("*");
        paths.putArray("nonResourceURLs").add("*");
        status.put("incomplete", false);
      }
      default -> status.put("allowed", true);
    }
    return status;
  }

  private static void user(ObjectNode info) {
    ArrayNode groups = info.put("username", USER).putArray("groups");
    GROUPS.forEach(groups::add);
  }
}
