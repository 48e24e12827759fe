package dev.paramecium.apiserver.rest;

/** A response that goes on: pieces of a body, or messages of a WebSocket. */
interface ResponseStream {

  /**
   * Sends a piece; {@code sent} runs when the operating system has taken it, which is how a slow
   * reader holds the writer back.
   */
  void send(byte[] bytes, Runnable sent);

  /** Ends it; the connection closes when the client has been given all of it. */
  void end();

  /** Runs {@code task} when the client is gone or the response has ended. */
  void onClose(Runnable task);
}
