package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.YamlText;
import dev.paramecium.apiserver.access.User;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * A request with its URL and body taken apart.
 *
 * @param tableRows what the rows of a table have to carry; null if the client wants no table
 * @param body as text; protobuf has become the JSON that it stands for
 * @param upgrade the request itself if it asks for a WebSocket, else null; valid while it is
 *     handled
 */
record RestRequest(
    HttpMethod method,
    String path,
    Query query,
    String contentType,
    String accept,
    @Nullable RowObject tableRows,
    String userAgent,
    String body,
    User user,
    @Nullable FullHttpRequest upgrade) {

  /** JSON also when nothing is said, as curl's users may do. */
  private static final Pattern BODY_TYPE =
      Pattern.compile("$|application/(json|yaml|vnd\\.kubernetes\\.protobuf)\\s*(;|$)");

  /**
   * Takes a request apart.
   *
   * @param user who sent it
   * @throws BadRequest if the body is no protobuf although it says so, or includeObject is unknown
   * @throws IllegalArgumentException if the URL cannot be read
   */
  static RestRequest of(FullHttpRequest request, User user) throws BadRequest {
    QueryStringDecoder url = new QueryStringDecoder(request.uri());
    Query query = new Query(url.parameters());
    String accept = header(request, HttpHeaderNames.ACCEPT.toString());
    boolean asTable = header(request, HttpHeaderNames.ACCEPT.toString()).contains("as=Table");
    return new RestRequest(
        request.method(),
        url.path(),
        query,
        header(request, HttpHeaderNames.CONTENT_TYPE.toString()),
        accept,
        accept.contains("as=Table") ? RowObject.of(query) : null,
        header(request, HttpHeaderNames.USER_AGENT.toString()),
        text(request),
        user,
        WebSocketMessages.isAsked(request) ? request : null);
  }

  private static String text(FullHttpRequest request) throws BadRequest {
    return header(request, HttpHeaderNames.CONTENT_TYPE.toString())
            .startsWith(KubernetesProtobuf.CONTENT_TYPE)
        ? KubernetesProtobuf.decode(ByteBufUtil.getBytes(request.content())).toString()
        : request.content().toString(StandardCharsets.UTF_8);
  }

  private static String header(FullHttpRequest request, String name) {
    String value = request.headers().get(name);
    return value == null ? "" : value;
  }

  /** Refuses any other method, with 405. */
  void require(HttpMethod only) throws BadRequest {
    if (!method.equals(only)) {
      throw BadRequest.methodNotAllowed();
    }
  }

  /** A patch as a tree, to look at what it names; what it is no patch, the API server says. */
  JsonNode patch() {
    try {
      return YamlText.parse(body);
    } catch (YAMLException e) {
      return MissingNode.getInstance();
    }
  }

  /** The body as the object that it must be. */
  ObjectNode json() throws BadRequest {
    if (!BODY_TYPE.matcher(contentType()).lookingAt()) {
      throw new BadRequest(
          415,
          "UnsupportedMediaType",
          "the body of the request was in an unknown format - accepted media types include:"
              + " application/json, application/yaml, application/vnd.kubernetes.protobuf");
    }
    try {
      JsonNode body =
          contentType().contains("yaml") ? YamlText.parse(body()) : Answer.JSON.readTree(body());
      if (body instanceof ObjectNode object) {
        return object;
      }
      throw new BadRequest(400, "BadRequest", "the body of the request must be a JSON object");
    } catch (JsonProcessingException e) {
      throw new BadRequest(
          400, "BadRequest", "the body of the request is not JSON: " + e.getOriginalMessage());
    } catch (YAMLException e) {
      throw new BadRequest(
          400, "BadRequest", "the body of the request is not YAML: " + e.getMessage());
    }
  }
}
