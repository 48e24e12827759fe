package dev.paramecium.apiserver.rest;

/** A request that gets a failed Status without asking the API server. */
final class BadRequest extends Exception {

  private static final long serialVersionUID = 1L;

  private final int code;
  private final String reason;

  BadRequest(int code, String reason, String message) {
    super(message, null, false, false);
    this.code = code;
    this.reason = reason;
  }

  static BadRequest notFound() {
    return new BadRequest(404, "NotFound", "the server could not find the requested resource");
  }

  static BadRequest methodNotAllowed() {
    return new BadRequest(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }

  int code() {
    return code;
  }

  String reason() {
    return reason;
  }
}
