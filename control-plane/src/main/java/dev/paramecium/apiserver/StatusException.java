package dev.paramecium.apiserver;

import dev.paramecium.api.ApiReply;

/** A request that is answered with a failed Status ({@code metav1.Status}). */
final class StatusException extends Exception {

  private static final long serialVersionUID = 1L;

  private final int code;
  private final String reason;

  private StatusException(int code, String reason, String message) {
    super(message, null, false, false);
    this.code = code;
    this.reason = reason;
  }

  ApiReply.Failed reply() {
    return new ApiReply.Failed(code, reason, String.valueOf(getMessage()));
  }

  static StatusException badRequest(String message) {
    return new StatusException(400, "BadRequest", message);
  }

  static StatusException notFound(String resource, String name) {
    return new StatusException(404, "NotFound", resource + " \"" + name + "\" not found");
  }

  static StatusException alreadyExists(String resource, String name) {
    return new StatusException(409, "AlreadyExists", resource + " \"" + name + "\" already exists");
  }

  static StatusException conflict(String resource, String name, String why) {
    return new StatusException(
        409,
        "Conflict",
        "Operation cannot be fulfilled on " + resource + " \"" + name + "\": " + why);
  }

  static StatusException forbidden(String resource, String name, String why) {
    return new StatusException(
        403, "Forbidden", resource + " \"" + name + "\" is forbidden: " + why);
  }

  /** {@code The Pod "x" is invalid: spec.containers: Required value}. */
  static StatusException invalid(String kind, String name, String details) {
    return new StatusException(
        422, "Invalid", "The " + kind + " \"" + name + "\" is invalid: " + details);
  }

  static StatusException unsupportedMediaType(String type) {
    return new StatusException(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include:"
            + " application/json-patch+json, application/merge-patch+json,"
            + " application/strategic-merge-patch+json (got "
            + type
            + ")");
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
