package dev.paramecium.container.socket;

/** A socket call that failed at once, as bind(2) or listen(2) can. */
public final class SocketException extends Exception {

  private static final long serialVersionUID = 1L;

  private final SocketError error;

  public SocketException(SocketError error, String detail) {
    super(error.text() + ": " + detail);
    this.error = error;
  }

  public SocketError error() {
    return error;
  }
}
