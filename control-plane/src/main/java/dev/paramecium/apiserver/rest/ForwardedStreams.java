package dev.paramecium.apiserver.rest;

/** One forwarded connection, towards the client: its data and its error. Usable from any thread. */
interface ForwardedStreams {

  /** Sends what the pod said; {@code sent} runs when the operating system has taken it. */
  void send(byte[] bytes, Runnable sent);

  /** Ends both; {@code message} says why it failed, and is empty if it did not. */
  void end(String message);
}
