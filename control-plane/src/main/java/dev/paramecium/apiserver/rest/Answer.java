package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.apiserver.Bounds;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Responses as the API server words them. */
final class Answer {

  static final ObjectMapper JSON = Bounds.reader();

  private Answer() {}

  static FullHttpResponse of(int code, String contentType, byte[] body) {
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(code), Unpooled.wrappedBuffer(body));
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, contentType)
        .setInt(HttpHeaderNames.CONTENT_LENGTH, body.length)
        .set(HttpHeaderNames.CACHE_CONTROL, "no-cache, private");
    return response;
  }

  static FullHttpResponse json(int code, JsonNode body) {
    return of(code, HttpHeaderValues.APPLICATION_JSON.toString(), bytes(body));
  }

  static FullHttpResponse text(int code, String body) {
    return of(code, "text/plain; charset=utf-8", body.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] bytes(JsonNode body) {
    try {
      return JSON.writeValueAsBytes(body);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  static FullHttpResponse failure(int code, String reason, String message) {
    return json(code, status(code, reason, message));
  }

  static FullHttpResponse failure(ApiReply.Failed failed) {
    return json(failed.code(), status(failed));
  }

  /** {@code metav1.Status} of a failed request that is about no object. */
  static ObjectNode status(int code, String reason, String message) {
    return status(new ApiReply.Failed(code, reason, message));
  }

  /** {@code metav1.Status} of a failed request, with what it is about, as clients look for it. */
  static ObjectNode status(ApiReply.Failed failed) {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    status.put("kind", "Status").put("apiVersion", "v1").putObject("metadata");
    status.put("status", "Failure").put("message", failed.message()).put("reason", failed.reason());
    ObjectNode details = status.putObject("details");
    ApiReply.About about = failed.about();
    putUnlessEmpty(details, "name", about.name());
    putUnlessEmpty(details, "group", about.group());
    putUnlessEmpty(details, "kind", about.kind());
    putUnlessEmpty(details, "uid", about.uid());
    if (!about.causes().isEmpty()) {
      ArrayNode causes = details.putArray("causes");
      for (ApiReply.Cause cause : about.causes()) {
        ObjectNode entry = causes.addObject();
        entry.put("reason", cause.reason()).put("message", cause.message());
        putUnlessEmpty(entry, "field", cause.field());
      }
    }
    return status.put("code", failed.code());
  }

  private static void putUnlessEmpty(ObjectNode object, String field, String value) {
    if (!value.isEmpty()) {
      object.put(field, value);
    }
  }

  /** {@code metav1.Status} of what was done. */
  static ObjectNode success() {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    status.put("kind", "Status").put("apiVersion", "v1").putObject("metadata");
    return status.put("status", "Success").put("code", 201);
  }

  /** {@code metav1.Status} of a deletion. */
  static ObjectNode deleted(String name, String plural, String group, String uid) {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    status.put("kind", "Status").put("apiVersion", "v1").putObject("metadata");
    status.put("status", "Success");
    ObjectNode details = status.putObject("details");
    details.put("name", name);
    if (!group.isEmpty()) {
      details.put("group", group);
    }
    details.put("kind", plural).put("uid", uid);
    return status;
  }
}
