package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.Arrays;

/**
 * Request bodies in {@code application/vnd.kubernetes.protobuf}, which kubectl from 1.32 sends from
 * its typed clients: {@code create namespace} and deletions.
 *
 * <pre>
 *   k8s\0 | runtime.Unknown { 1: TypeMeta { 1: apiVersion, 2: kind }, 2: the object }
 * </pre>
 *
 * Field numbers are those of {@code generated.proto} in {@code k8s.io/api} and apimachinery.
 */
final class KubernetesProtobuf {

  static final String CONTENT_TYPE = "application/vnd.kubernetes.protobuf";

  private static final byte[] MAGIC = {'k', '8', 's', 0};

  private KubernetesProtobuf() {}

  /** One message's fields as they come. */
  private interface Fields {
    void field(int number, CodedInputStream input) throws IOException;
  }

  /**
   * The object as JSON.
   *
   * @throws BadRequest 400 if the bytes are not that format, 415 if the kind is not read in it
   */
  static ObjectNode decode(byte[] body) throws BadRequest {
    if (body.length < MAGIC.length
        || !Arrays.equals(body, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new BadRequest(
          400, "BadRequest", "the body of the request is not protobuf: it does not start with k8s");
    }
    ObjectNode object = Answer.JSON.createObjectNode();
    ByteString[] raw = {ByteString.EMPTY};
    try {
      CodedInputStream input =
          CodedInputStream.newInstance(body, MAGIC.length, body.length - MAGIC.length);
      read(
          input,
          (number, unknown) -> {
            switch (number) {
              case 1 ->
                  read(
                      unknown.readBytes().newCodedInput(),
                      (field, type) -> {
                        if (field == 1) {
                          object.put("apiVersion", type.readStringRequireUtf8());
                        } else if (field == 2) {
                          object.put("kind", type.readStringRequireUtf8());
                        }
                      });
              case 2 -> raw[0] = unknown.readBytes();
              default -> {}
            }
          });
      switch (object.path("kind").asText()) {
        case "Namespace" ->
            read(
                raw[0].newCodedInput(),
                (number, namespace) -> {
                  if (number == 1) {
                    metadata(namespace.readBytes(), object.putObject("metadata"));
                  }
                });
        case "DeleteOptions" -> deleteOptions(raw[0], object);
        default ->
            throw new BadRequest(
                415,
                "UnsupportedMediaType",
                "a "
                    + object.path("kind").asText()
                    + " is not read as protobuf here: send application/json");
      }
      return object;
    } catch (IOException e) {
      throw new BadRequest(
          400, "BadRequest", "the body of the request is not protobuf: " + e.getMessage());
    }
  }

  private static void read(CodedInputStream input, Fields fields) throws IOException {
    int tag;
    while ((tag = input.readTag()) != 0) {
      int before = input.getTotalBytesRead();
      if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED
          || WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_VARINT) {
        fields.field(WireFormat.getTagFieldNumber(tag), input);
      }
      if (input.getTotalBytesRead() == before) {
        input.skipField(tag);
      }
    }
  }

  private static void metadata(ByteString bytes, ObjectNode metadata) throws IOException {
    read(
        bytes.newCodedInput(),
        (number, input) -> {
          switch (number) {
            case 1 -> put(metadata, "name", input);
            case 2 -> put(metadata, "generateName", input);
            case 11 -> entry(input.readBytes(), metadata.withObject("/labels"));
            case 12 -> entry(input.readBytes(), metadata.withObject("/annotations"));
            default -> {}
          }
        });
  }

  private static void put(ObjectNode object, String field, CodedInputStream input)
      throws IOException {
    String value = input.readStringRequireUtf8();
    if (!value.isEmpty()) {
      object.put(field, value);
    }
  }

  private static void entry(ByteString bytes, ObjectNode map) throws IOException {
    String[] keyAndValue = {"", ""};
    read(
        bytes.newCodedInput(),
        (number, input) -> {
          if (number == 1 || number == 2) {
            keyAndValue[number - 1] = input.readStringRequireUtf8();
          }
        });
    map.put(keyAndValue[0], keyAndValue[1]);
  }

  private static void deleteOptions(ByteString bytes, ObjectNode options) throws IOException {
    read(
        bytes.newCodedInput(),
        (number, input) -> {
          switch (number) {
            case 1 -> options.put("gracePeriodSeconds", input.readInt64());
            case 2 ->
                read(
                    input.readBytes().newCodedInput(),
                    (field, preconditions) -> {
                      if (field == 1) {
                        options
                            .withObject("/preconditions")
                            .put("uid", preconditions.readStringRequireUtf8());
                      }
                    });
            case 4 -> options.put("propagationPolicy", input.readStringRequireUtf8());
            default -> {}
          }
        });
  }
}
