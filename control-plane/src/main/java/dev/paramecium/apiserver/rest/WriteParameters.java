package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.WriteOptions;
import dev.paramecium.apiserver.ServedKind;
import dev.paramecium.apiserver.schema.TypeCheck;
import java.util.List;

/** What a write's query says of how it is meant ({@code metav1.CreateOptions} and the like). */
final class WriteParameters {

  private static final int MAX_MANAGER = 128;

  private WriteParameters() {}

  /**
   * Reads the options.
   *
   * @param userAgent names the manager if the query does not: as far as its first slash
   * @throws BadRequest if one of them is none
   */
  static WriteOptions of(Query query, String userAgent) throws BadRequest {
    String dryRun = query.text("dryRun");
    if (!dryRun.isEmpty() && !dryRun.equals("All")) {
      throw invalid("dryRun", dryRun, "\"All\"");
    }
    String manager = query.text("fieldManager");
    if (manager.length() > MAX_MANAGER) {
      throw invalid("fieldManager", manager, "a name of at most " + MAX_MANAGER + " characters");
    }
    if (manager.isEmpty()) {
      int slash = userAgent.indexOf('/');
      String agent = slash < 0 ? userAgent : userAgent.substring(0, slash);
      manager =
          agent.isBlank() ? "unknown" : agent.substring(0, Math.min(agent.length(), MAX_MANAGER));
    }
    WriteOptions.Validation validation =
        switch (query.text("fieldValidation")) {
          case "Strict" -> WriteOptions.Validation.STRICT;
          case "", "Warn" -> WriteOptions.Validation.WARN;
          case "Ignore" -> WriteOptions.Validation.IGNORE;
          default ->
              throw invalid(
                  "fieldValidation",
                  query.text("fieldValidation"),
                  "\"Ignore\", \"Strict\", \"Warn\"");
        };
    return new WriteOptions(!dryRun.isEmpty(), manager, validation, query.flag("force"));
  }

  private static BadRequest invalid(String name, String value, String allowed) {
    return new BadRequest(
        422,
        "Invalid",
        "the query parameter %s is \"%s\": it must be %s".formatted(name, value, allowed));
  }

  /** What the client is told of fields that the kind does not have. */
  static List<String> warnings(WriteOptions options, ServedKind kind, JsonNode written) {
    if (options.fieldValidation() != WriteOptions.Validation.WARN
        || !(written instanceof ObjectNode object)) {
      return List.of();
    }
    return TypeCheck.of(kind.schema(), object).unknown().stream()
        .filter(path -> !path.contains("$"))
        .map(path -> "unknown field \"" + path + "\"")
        .toList();
  }
}
