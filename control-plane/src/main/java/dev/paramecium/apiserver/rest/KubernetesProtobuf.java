package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.paramecium.apiserver.Bounds;
import dev.paramecium.apiserver.schema.BuiltInTypes;
import dev.paramecium.apiserver.schema.Type;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Set;

/**
 * Request bodies in {@code application/vnd.kubernetes.protobuf}, which kubectl from 1.32 sends from
 * its typed clients.
 *
 * <pre>
 *   k8s\0 | runtime.Unknown { 1: TypeMeta { 1: apiVersion, 2: kind }, 2: the object }
 * </pre>
 *
 * Go writes fields that are no pointers also when they are empty. Here empty text and zeros are
 * left out, as in JSON, but for the fields whose zero says something.
 */
final class KubernetesProtobuf {

  static final String CONTENT_TYPE = "application/vnd.kubernetes.protobuf";

  private static final byte[] MAGIC = {'k', '8', 's', 0};

  /** Pointers in {@code k8s.io/api}, whose zero is not the same as their absence. */
  private static final Set<String> ZERO_IS_A_VALUE =
      Set.of(
          "activeDeadlineSeconds",
          "allowPrivilegeEscalation",
          "allocateLoadBalancerNodePorts",
          "automountServiceAccountToken",
          "backoffLimit",
          "completions",
          "enableServiceLinks",
          "failedJobsHistoryLimit",
          "fsGroup",
          "gracePeriodSeconds",
          "hostUsers",
          "leaseTransitions",
          "maxSurge",
          "maxUnavailable",
          "minAvailable",
          "minReplicas",
          "orphanDependents",
          "parallelism",
          "partition",
          "priority",
          "privileged",
          "progressDeadlineSeconds",
          "readOnlyRootFilesystem",
          "ready",
          "replicas",
          "revisionHistoryLimit",
          "runAsGroup",
          "runAsNonRoot",
          "runAsUser",
          "serving",
          "successfulJobsHistoryLimit",
          "suspend",
          "terminating",
          "terminationGracePeriodSeconds",
          "tolerationSeconds",
          "ttlSecondsAfterFinished",
          "value");

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
      read(
          CodedInputStream.newInstance(body, MAGIC.length, body.length - MAGIC.length),
          (number, unknown) -> {
            if (number == 1) {
              read(
                  unknown.readBytes().newCodedInput(),
                  (field, type) -> {
                    if (field == 1 || field == 2) {
                      object.put(field == 1 ? "apiVersion" : "kind", type.readStringRequireUtf8());
                    }
                  });
            } else if (number == 2) {
              raw[0] = unknown.readBytes();
            }
          });
      struct(type(object), raw[0], object, 0);
      return object;
    } catch (IOException e) {
      throw new BadRequest(
          400, "BadRequest", "the body of the request is not protobuf: " + e.getMessage());
    }
  }

  private static Type.Struct type(ObjectNode object) throws BadRequest {
    String kind = object.path("kind").asText();
    if (kind.equals("DeleteOptions")) {
      return BuiltInTypes.deleteOptions();
    }
    String apiVersion = object.path("apiVersion").asText();
    int slash = apiVersion.indexOf('/');
    return BuiltInTypes.of(slash < 0 ? "" : apiVersion.substring(0, slash), kind)
        .orElseThrow(
            () ->
                new BadRequest(
                    415,
                    "UnsupportedMediaType",
                    "a " + kind + " is not read as protobuf here: send application/json"));
  }

  /**
   * Reads the fields that have a length or are numbers; all of Kubernetes' are one or the other.
   */
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

  private static void struct(Type.Struct type, ByteString bytes, ObjectNode into, int depth)
      throws IOException {
    if (depth > Bounds.MAX_DEPTH) {
      throw new IOException("it is nested more than " + Bounds.MAX_DEPTH + " levels deep");
    }
    read(
        bytes.newCodedInput(),
        (number, input) -> {
          Type.Field field = type.numbered(number);
          if (field == null) {
            return;
          }
          if (field.name().isEmpty() && field.type() instanceof Type.Struct embedded) {
            struct(embedded, input.readBytes(), into, depth + 1);
            return;
          }
          switch (field.type()) {
            case Type.ListOf list -> {
              JsonNode element = value(list.element(), input, depth + 1);
              (into.get(field.name()) instanceof ArrayNode there
                      ? there
                      : into.putArray(field.name()))
                  .add(element);
            }
            case Type.MapOf map ->
                entry(
                    map.value(),
                    input.readBytes(),
                    into.get(field.name()) instanceof ObjectNode there
                        ? there
                        : into.putObject(field.name()),
                    depth + 1);
            case Type.Any _, Type.Scalar _, Type.Struct _ -> {
              JsonNode value = value(field.type(), input, depth + 1);
              if (!isEmpty(value) || ZERO_IS_A_VALUE.contains(field.name())) {
                into.set(field.name(), value);
              }
            }
          }
        });
  }

  private static boolean isEmpty(JsonNode value) {
    return value.isNull()
        || value.isTextual() && value.asText().isEmpty()
        || value.isNumber() && value.asLong() == 0
        || value.isBoolean() && !value.asBoolean();
  }

  private static void entry(Type type, ByteString bytes, ObjectNode map, int depth)
      throws IOException {
    String[] key = {""};
    JsonNode[] value = {TextNode.valueOf("")};
    read(
        bytes.newCodedInput(),
        (number, input) -> {
          if (number == 1) {
            key[0] = input.readStringRequireUtf8();
          } else if (number == 2) {
            value[0] = value(type, input, depth);
          }
        });
    map.set(key[0], value[0]);
  }

  private static JsonNode value(Type type, CodedInputStream input, int depth) throws IOException {
    return switch (type) {
      case Type.Struct struct -> {
        ObjectNode object = Answer.JSON.createObjectNode();
        struct(struct, input.readBytes(), object, depth);
        yield object;
      }
      case Type.Any _ -> raw(input.readBytes());
      case Type.Scalar scalar ->
          switch (scalar.format()) {
            case STRING -> TextNode.valueOf(input.readStringRequireUtf8());
            case INT32 -> IntNode.valueOf(input.readInt32());
            case INT64 -> number(input.readInt64());
            case BOOL -> BooleanNode.valueOf(input.readBool());
            case BYTES ->
                TextNode.valueOf(Base64.getEncoder().encodeToString(input.readByteArray()));
            case TIME, MICRO_TIME -> time(input.readBytes());
            case QUANTITY -> quantity(input.readBytes());
            case INT_OR_STRING -> intOrString(input.readBytes());
            case NUMBER -> throw new IOException("Kubernetes has no floating-point fields");
          };
      case Type.ListOf _, Type.MapOf _ ->
          throw new IOException("a list in a list has no form in protobuf");
    };
  }

  /** As Jackson reads it from JSON: an equal number of another width is not equal to it. */
  private static JsonNode number(long value) {
    return (int) value == value ? IntNode.valueOf((int) value) : LongNode.valueOf(value);
  }

  /** {@code FieldsV1}, {@code RawExtension}: JSON in field 1. */
  private static JsonNode raw(ByteString bytes) throws IOException {
    JsonNode[] value = {NullNode.getInstance()};
    read(
        bytes.newCodedInput(),
        (number, input) -> {
          if (number == 1) {
            value[0] = Answer.JSON.readTree(input.readByteArray());
          }
        });
    return value[0];
  }

  private static JsonNode time(ByteString bytes) throws IOException {
    long[] time = {0, 0};
    read(
        bytes.newCodedInput(),
        (number, input) -> {
          if (number == 1 || number == 2) {
            time[number - 1] = input.readInt64();
          }
        });
    try {
      return time[0] == 0 && time[1] == 0
          ? NullNode.getInstance()
          : TextNode.valueOf(Instant.ofEpochSecond(time[0], time[1]).toString());
    } catch (DateTimeException | ArithmeticException e) {
      throw new IOException("a time is out of range", e);
    }
  }

  private static JsonNode quantity(ByteString bytes) throws IOException {
    String[] text = {""};
    read(
        bytes.newCodedInput(),
        (number, input) -> {
          if (number == 1) {
            text[0] = input.readStringRequireUtf8();
          }
        });
    return TextNode.valueOf(text[0]);
  }

  private static JsonNode intOrString(ByteString bytes) throws IOException {
    JsonNode[] parts = {IntNode.valueOf(0), IntNode.valueOf(0), TextNode.valueOf("")};
    read(
        bytes.newCodedInput(),
        (number, input) -> {
          if (number == 1 || number == 2) {
            parts[number - 1] = IntNode.valueOf(input.readInt32());
          } else if (number == 3) {
            parts[2] = TextNode.valueOf(input.readStringRequireUtf8());
          }
        });
    return parts[0].asInt() == 0 ? parts[1] : parts[2];
  }
}
