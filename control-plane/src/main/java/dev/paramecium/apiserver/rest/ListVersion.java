package dev.paramecium.apiserver.rest;

import dev.paramecium.api.ApiReply;
import java.util.List;
import java.util.Optional;

/**
 * Which moment a list is asked for: the newest, any, not older than a version, or exactly one
 * ({@code resourceVersion} and {@code resourceVersionMatch}). Lists are always of the newest; what
 * that does not answer is refused.
 *
 * @param version 0 for any
 */
record ListVersion(long version, boolean exact) {

  static ListVersion of(Query query) throws BadRequest {
    String match = query.text("resourceVersionMatch");
    long version = query.number("resourceVersion", 0);
    if (match.isEmpty()) {
      return new ListVersion(version, false);
    }
    if (query.text("resourceVersion").isEmpty()) {
      throw invalid("Forbidden: resourceVersionMatch is forbidden unless resourceVersion is given");
    }
    if (!List.of("Exact", "NotOlderThan").contains(match)) {
      throw invalid(
          "Unsupported value: \"" + match + "\": supported values: \"Exact\", \"NotOlderThan\"");
    }
    if (match.equals("Exact") && version == 0) {
      throw invalid("Forbidden: resourceVersionMatch \"Exact\" needs a resourceVersion above 0");
    }
    return new ListVersion(version, match.equals("Exact"));
  }

  private static BadRequest invalid(String why) {
    return new BadRequest(422, "Invalid", "resourceVersionMatch: " + why);
  }

  /** Why a list of revision {@code newest} is not what was asked for. */
  Optional<ApiReply.Failed> refuse(long newest) {
    if (version > newest) {
      String message = "Too large resource version: " + version + ", current: " + newest;
      return Optional.of(
          new ApiReply.Failed(
              504,
              "Timeout",
              message,
              new ApiReply.About(
                  "",
                  "",
                  "",
                  "",
                  List.of(
                      new ApiReply.Cause(
                          "ResourceVersionTooLarge", "Too large resource version", "")))));
    }
    if (exact && version < newest) {
      return Optional.of(
          new ApiReply.Failed(
              410,
              "Expired",
              "The resourceVersion for the provided list is too old: the newest is " + newest));
    }
    return Optional.empty();
  }
}
