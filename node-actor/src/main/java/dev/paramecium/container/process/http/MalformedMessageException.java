package dev.paramecium.container.process.http;

/** What came is not HTTP, or exceeds a limit; the status says which. */
public final class MalformedMessageException extends Exception {

  private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * @param status what a server answers: 400, 413 (body), 414 (request line), 431 (header fields)
   */
  public MalformedMessageException(int status, String message) {
    super(message);
    this.status = status;
  }

  public int status() {
    return status;
  }
}
