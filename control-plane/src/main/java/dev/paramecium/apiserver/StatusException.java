package dev.paramecium.apiserver;

import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ApiReply.About;
import dev.paramecium.apiserver.apply.ManagedFields;
import java.util.List;

/** A request that is answered with a failed Status ({@code metav1.Status}). */
final class StatusException extends Exception {

  private static final long serialVersionUID = 1L;

  private final transient ApiReply.Failed reply;

  private StatusException(int code, String reason, String message, About about) {
    super(message, null, false, false);
    this.reply = new ApiReply.Failed(code, reason, message, about);
  }

  private StatusException(int code, String reason, String message) {
    this(code, reason, message, About.NOTHING);
  }

  ApiReply.Failed reply() {
    return reply;
  }

  /**
   * Takes a resource's qualified plural apart.
   *
   * @param resource {@code pods}, {@code deployments.apps}
   */
  private static About about(String resource, String name, List<ApiReply.Cause> causes) {
    int dot = resource.indexOf('.');
    return dot < 0
        ? new About("", resource, name, "", causes)
        : new About(resource.substring(dot + 1), resource.substring(0, dot), name, "", causes);
  }

  static StatusException badRequest(String message) {
    return new StatusException(400, "BadRequest", message);
  }

  static StatusException notFound(String resource, String name) {
    return new StatusException(
        404,
        "NotFound",
        resource + " \"" + name + "\" not found",
        about(resource, name, List.of()));
  }

  static StatusException alreadyExists(String resource, String name) {
    return new StatusException(
        409,
        "AlreadyExists",
        resource + " \"" + name + "\" already exists",
        about(resource, name, List.of()));
  }

  static StatusException conflict(String resource, String name, String why) {
    return new StatusException(
        409,
        "Conflict",
        "Operation cannot be fulfilled on " + resource + " \"" + name + "\": " + why,
        about(resource, name, List.of()));
  }

  /** Field managers that would overwrite each other. */
  static StatusException applyConflict(List<ManagedFields.Conflict> conflicts) {
    List<ApiReply.Cause> causes =
        conflicts.stream()
            .map(
                conflict ->
                    new ApiReply.Cause(
                        "FieldManagerConflict",
                        "conflict with " + conflict.manager(),
                        conflict.path()))
            .toList();
    return new StatusException(
        409, "Conflict", ManagedFields.message(conflicts), new About("", "", "", "", causes));
  }

  static StatusException forbidden(String resource, String name, String why) {
    return new StatusException(
        403,
        "Forbidden",
        resource + " \"" + name + "\" is forbidden: " + why,
        about(resource, name, List.of()));
  }

  /** {@code Pod "x" is invalid: spec.containers: Required value}. */
  static StatusException invalid(ServedKind kind, String name, Violations violations) {
    String group = kind.type().group();
    String qualified = kind.type().kind() + (group.isEmpty() ? "" : "." + group);
    return new StatusException(
        422,
        "Invalid",
        qualified + " \"" + name + "\" is invalid: " + violations.text(),
        new About(group, kind.type().kind(), name, "", violations.causes()));
  }

  /** A patch that does not fit what it is applied to. */
  static StatusException invalidPatch(String path, String why) {
    return new StatusException(
        422,
        "Invalid",
        "The request is invalid: the server rejected our request: " + path + ": " + why);
  }

  static StatusException unsupportedMediaType(String type) {
    return new StatusException(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include:"
            + " application/json-patch+json, application/merge-patch+json,"
            + " application/strategic-merge-patch+json, application/apply-patch+yaml (got "
            + type
            + ")");
  }

  static StatusException methodNotAllowed() {
    return new StatusException(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }

  static StatusException tooManyRequests(String message, List<ApiReply.Cause> causes) {
    return new StatusException(
        429, "TooManyRequests", message, new About("", "", "", "", List.copyOf(causes)));
  }

  static StatusException expired(String message) {
    return new StatusException(410, "Expired", message);
  }

  static StatusException tooLarge() {
    return new StatusException(500, "", "etcdserver: request is too large");
  }

  static StatusException tooLarge(String message) {
    return new StatusException(413, "RequestEntityTooLarge", message);
  }

  static StatusException internal(String message) {
    return new StatusException(500, "InternalError", "Internal error occurred: " + message);
  }
}
