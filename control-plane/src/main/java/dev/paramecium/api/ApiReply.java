package dev.paramecium.api;

import java.util.List;

/** The API server's answer. */
public sealed interface ApiReply {

  /**
   * The object as stored (or, for a dry run, as it would be).
   *
   * @param created whether the request made it (HTTP 201)
   */
  record Stored(KubeObject object, boolean created) implements ApiReply {}

  /**
   * Deleted at once; the object's last state. A graceful deletion is answered with {@link Stored}.
   */
  record Deleted(KubeObject object) implements ApiReply {}

  /** All that match, and the revision that the list was taken at. */
  record Listed(List<KubeObject> objects, long resourceVersion) implements ApiReply {}

  /**
   * One field that is wrong.
   *
   * @param reason {@code FieldValueRequired}, {@code FieldValueInvalid}, …
   */
  record Cause(String reason, String message, String field) {}

  /**
   * Nothing was changed.
   *
   * @param code the HTTP status
   * @param reason Kubernetes' machine-readable reason: NotFound, AlreadyExists, Conflict, Invalid,
   *     BadRequest, …
   * @param message names the field, the value and what is allowed
   * @param about what the request was for: the Status' details
   */
  record Failed(int code, String reason, String message, About about) implements ApiReply {

    public Failed(int code, String reason, String message) {
      this(code, reason, message, About.NOTHING);
    }
  }

  /**
   * The object that a failure is about.
   *
   * @param kind the resource's plural, for an invalid object its kind; empty if it is not about one
   */
  record About(String group, String kind, String name, String uid, List<Cause> causes) {

    public static final About NOTHING = new About("", "", "", "", List.of());
  }
}
