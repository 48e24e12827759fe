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
   * Nothing was changed.
   *
   * @param code the HTTP status
   * @param reason Kubernetes' machine-readable reason: NotFound, AlreadyExists, Conflict, Invalid,
   *     BadRequest, …
   * @param message names the field, the value and what is allowed
   */
  record Failed(int code, String reason, String message) implements ApiReply {}
}
