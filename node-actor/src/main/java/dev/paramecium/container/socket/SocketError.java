package dev.paramecium.container.socket;

/** Why a socket call or a connection failed, with Linux's numbers and texts. */
public enum SocketError {
  CONNECTION_REFUSED(111, "Connection refused"),
  CONNECTION_RESET(104, "Connection reset by peer"),
  TIMED_OUT(110, "Connection timed out"),
  HOST_UNREACHABLE(113, "No route to host"),
  NETWORK_UNREACHABLE(101, "Network is unreachable"),
  ADDRESS_IN_USE(98, "Address already in use"),
  ADDRESS_NOT_AVAILABLE(99, "Cannot assign requested address"),
  MESSAGE_TOO_LONG(90, "Message too long"),
  PROTOCOL_NOT_SUPPORTED(93, "Protocol not supported"),
  NO_BUFFER_SPACE(105, "No buffer space available"),
  BROKEN_PIPE(32, "Broken pipe"),
  OPERATION_NOT_PERMITTED(1, "Operation not permitted");

  private final int errno;
  private final String text;

  SocketError(int errno, String text) {
    this.errno = errno;
    this.text = text;
  }

  public int errno() {
    return errno;
  }

  public String text() {
    return text;
  }
}
