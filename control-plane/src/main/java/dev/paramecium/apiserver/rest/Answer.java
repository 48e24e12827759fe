package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
    return failure(failed.code(), failed.reason(), failed.message());
  }

  /**
   * {@code metav1.Status} of a failed request; for a missing object with the name, as clients look
   * for it.
   */
  static ObjectNode status(int code, String reason, String message) {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    status.put("kind", "Status").put("apiVersion", "v1").putObject("metadata");
    status.put("status", "Failure").put("message", message).put("reason", reason);
    int quote = message.indexOf('"');
    int end = message.indexOf('"', quote + 1);
    if (reason.equals("NotFound") && quote > 0 && end > 0) {
      status
          .putObject("details")
          .put("name", message.substring(quote + 1, end))
          .put("kind", message.substring(0, quote).strip());
    } else {
      status.putObject("details");
    }
    return status.put("code", code);
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
