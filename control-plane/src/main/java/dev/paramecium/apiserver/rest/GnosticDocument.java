package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;

/**
 * An OpenAPI version 2 document in protobuf, as kubectl before 1.27 asks for it: {@code
 * openapi_v2.Document} of google/gnostic, with its definitions. Their paths are for people.
 */
final class GnosticDocument {

  private static final int DOCUMENT_DEFINITIONS = 9;
  private static final int SCHEMA_REQUIRED = 19;
  private static final int SCHEMA_ADDITIONAL_PROPERTIES = 21;
  private static final int SCHEMA_TYPE = 22;
  private static final int SCHEMA_ITEMS = 23;
  private static final int SCHEMA_PROPERTIES = 25;
  private static final int SCHEMA_VENDOR_EXTENSION = 31;

  private GnosticDocument() {}

  private interface Body {
    void writeTo(CodedOutputStream out) throws IOException;
  }

  static byte[] encode(JsonNode document) {
    return message(
            out -> {
              out.writeString(1, document.path("swagger").asText());
              out.writeBytes(
                  2,
                  message(
                      info -> {
                        info.writeString(1, document.path("info").path("title").asText());
                        info.writeString(2, document.path("info").path("version").asText());
                      }));
              out.writeBytes(8, ByteString.EMPTY);
              out.writeBytes(DOCUMENT_DEFINITIONS, named(document.path("definitions")));
            })
        .toByteArray();
  }

  private static ByteString message(Body body) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      body.writeTo(out);
      out.flush();
      return ByteString.copyFrom(bytes.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Schemas by name. */
  private static ByteString named(JsonNode schemas) {
    return message(
        out -> {
          for (Map.Entry<String, JsonNode> schema : schemas.properties()) {
            out.writeBytes(
                1,
                message(
                    entry -> {
                      entry.writeString(1, schema.getKey());
                      entry.writeBytes(2, schema(schema.getValue()));
                    }));
          }
        });
  }

  private static ByteString schema(JsonNode schema) {
    return message(
        out -> {
          text(out, 1, schema.path("$ref"));
          text(out, 2, schema.path("format"));
          text(out, 4, schema.path("description"));
          for (JsonNode name : schema.path("required")) {
            out.writeString(SCHEMA_REQUIRED, name.asText());
          }
          if (schema.has("additionalProperties")) {
            ByteString value = schema(schema.path("additionalProperties"));
            out.writeBytes(
                SCHEMA_ADDITIONAL_PROPERTIES, message(item -> item.writeBytes(1, value)));
          }
          if (schema.has("type")) {
            String type = schema.path("type").asText();
            out.writeBytes(SCHEMA_TYPE, message(item -> item.writeString(1, type)));
          }
          if (schema.has("items")) {
            ByteString element = schema(schema.path("items"));
            out.writeBytes(SCHEMA_ITEMS, message(item -> item.writeBytes(1, element)));
          }
          if (!schema.path("properties").isEmpty()) {
            out.writeBytes(SCHEMA_PROPERTIES, named(schema.path("properties")));
          }
          for (Map.Entry<String, JsonNode> extension : schema.properties()) {
            if (extension.getKey().startsWith("x-")) {
              out.writeBytes(SCHEMA_VENDOR_EXTENSION, extension(extension));
            }
          }
        });
  }

  private static void text(CodedOutputStream out, int number, JsonNode value) throws IOException {
    if (value.isTextual()) {
      out.writeString(number, value.asText());
    }
  }

  /** The value is YAML, which JSON is as well. */
  private static ByteString extension(Map.Entry<String, JsonNode> extension) {
    return message(
        out -> {
          out.writeString(1, extension.getKey());
          out.writeBytes(
              2, message(any -> any.writeString(2, extension.getValue().toString() + "\n")));
        });
  }
}
