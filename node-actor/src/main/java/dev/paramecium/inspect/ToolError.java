package dev.paramecium.inspect;

/** Ends a tool with a message on stderr and an exit code. */
public final class ToolError extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int exitCode;

  /**
   * @param message the whole text, printed as it is with a newline after it; empty for none
   */
  public ToolError(int exitCode, String message) {
    super(message, null, false, false);
    this.exitCode = exitCode;
  }

  public int exitCode() {
    return exitCode;
  }

  /** The message, never null. */
  public String text() {
    String text = getMessage();
    return text == null ? "" : text;
  }
}
