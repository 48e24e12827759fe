package dev.paramecium.apiserver.access;

/** Why a request goes no further: a code, a reason and a sentence for a Status. */
public final class AccessDenied extends Exception {

  private static final long serialVersionUID = 1L;

  private final int code;
  private final String reason;

  private AccessDenied(int code, String reason, String message) {
    super(message, null, false, false);
    this.code = code;
    this.reason = reason;
  }

  static AccessDenied unauthorized() {
    return new AccessDenied(401, "Unauthorized", "Unauthorized");
  }

  static AccessDenied forbidden(String message) {
    return new AccessDenied(403, "Forbidden", message);
  }

  public int code() {
    return code;
  }

  public String reason() {
    return reason;
  }
}
