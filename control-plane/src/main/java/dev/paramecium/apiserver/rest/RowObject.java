package dev.paramecium.apiserver.rest;

/** What a table's rows carry of the objects that they are about ({@code includeObject}). */
enum RowObject {
  NONE,
  METADATA,
  OBJECT;

  /**
   * What a request asks for.
   *
   * @throws BadRequest if that is none of None, Metadata and Object
   */
  static RowObject of(Query query) throws BadRequest {
    String asked = query.text("includeObject");
    return switch (asked) {
      case "", "Metadata" -> METADATA;
      case "None" -> NONE;
      case "Object" -> OBJECT;
      default ->
          throw new BadRequest(
              400,
              "BadRequest",
              "includeObject: Invalid value: \""
                  + asked
                  + "\": must be one of None, Metadata and Object");
    };
  }
}
