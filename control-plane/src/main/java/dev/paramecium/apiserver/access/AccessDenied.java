package dev.paramecium.apiserver.access;

import dev.paramecium.api.ApiReply;

/** A request that goes no further, and what it is answered. */
public final class AccessDenied extends Exception {

  private static final long serialVersionUID = 1L;

  private final transient ApiReply.Failed reply;

  private AccessDenied(int code, String reason, String message) {
    super(message, null, false, false);
    this.reply = new ApiReply.Failed(code, reason, message);
  }

  static AccessDenied unauthorized() {
    return new AccessDenied(401, "Unauthorized", "Unauthorized");
  }

  static AccessDenied forbidden(String message) {
    return new AccessDenied(403, "Forbidden", message);
  }

  public ApiReply.Failed reply() {
    return reply;
  }
}
