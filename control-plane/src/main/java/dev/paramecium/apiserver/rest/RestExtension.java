package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.HttpMethod;

/**
 * An API of the emulator's own beside Kubernetes', under {@code /apis/paramecium.dev/v1alpha1/}.
 */
public interface RestExtension {

  /** The path below the group's version, as {@code traces}. */
  String path();

  HttpMethod method();

  /**
   * Handles one request.
   *
   * @param body the request's JSON body, empty if it has none
   * @param response where answers go, from any thread
   * @return called when the client is gone or the response has ended
   */
  Runnable handle(ObjectNode body, Response response);

  /** A response of one JSON object a line, as they come. */
  interface Response {

    /**
     * Sends one object; it is dropped if the client reads too slowly, and the next one says how
     * many were.
     */
    void send(ObjectNode object);

    void end();

    /** Answers with a Status instead; only before the first {@link #send}. */
    void fail(int code, String reason, String message);
  }
}
