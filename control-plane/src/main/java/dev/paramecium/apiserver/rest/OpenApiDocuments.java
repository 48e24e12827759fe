package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.Kinds;
import dev.paramecium.apiserver.schema.OpenApi;
import io.netty.handler.codec.http.FullHttpResponse;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * {@code /openapi/v2} and {@code /openapi/v3}. A document is put together once for the kinds that
 * it is about: kubectl asks for them at each apply.
 */
final class OpenApiDocuments {

  private static final String PROTOBUF = "application/octet-stream";
  private static final String JSON = "application/json";

  private final Kinds kinds;

  /** The documents of one state of the kinds, by path and media type. */
  private record Generation(long number, OpenApi documents, Map<String, byte[]> bytes) {}

  private volatile Generation generation;

  OpenApiDocuments(Kinds kinds) {
    this.kinds = kinds;
    this.generation = generate();
  }

  private Generation generate() {
    long number = kinds.generation();
    return new Generation(number, new OpenApi(kinds.all()), new ConcurrentHashMap<>());
  }

  /**
   * The document at a path below {@code /openapi/}.
   *
   * @throws BadRequest 404 if there is none
   */
  FullHttpResponse answer(String path, String accept) throws BadRequest {
    Generation now = generation;
    if (now.number() != kinds.generation()) {
      now = generate();
      generation = now;
    }
    // kubectl 1.20 cannot read the media type that it asks for, so it gets none that says more.
    String type = path.equals("/openapi/v2") && accept.contains("protobuf") ? PROTOBUF : JSON;
    byte[] known = now.bytes().get(path + type);
    if (known == null) {
      ObjectNode document = document(now.documents(), path);
      known = type.equals(PROTOBUF) ? GnosticDocument.encode(document) : Answer.bytes(document);
      now.bytes().put(path + type, known);
    }
    return Answer.of(200, type, known);
  }

  private static ObjectNode document(OpenApi documents, String path) throws BadRequest {
    if (path.equals("/openapi/v2")) {
      return documents.version2();
    }
    if (path.equals("/openapi/v3")) {
      return documents.index();
    }
    return documents
        .version3(path.substring(path.indexOf('/', 9) + 1))
        .orElseThrow(BadRequest::notFound);
  }
}
