package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** How an exec session's channels travel to the client: over WebSocket or over SPDY. */
interface ExecTransport {

  /**
   * Sends output; {@code sent} runs when the operating system has taken it.
   *
   * @param stream 1 for stdout, 2 for stderr
   */
  void output(int stream, byte[] bytes, Runnable sent);

  /** Sends the final Status and ends the session. */
  void finish(ObjectNode status);

  /** Takes input from now on; a transport starts without. */
  void begin();

  /**
   * {@code bytes} of input are on their way to the process: as many may be read from the client.
   */
  void passedOn(int bytes);
}
