package dev.paramecium.deploy;

/**
 * Something that the person at the keyboard can put right: printed as it is, without a stack trace.
 */
public final class UserError extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** The thing asked about is false, or failed. */
  public static final int FAILED = 1;

  /** The command line is wrong. */
  public static final int USAGE = 2;

  /** There is no cluster to talk to. */
  public static final int NO_CLUSTER = 3;

  private final int exitCode;

  /**
   * @param message one or two sentences that name the value, the rule and what to do
   */
  public UserError(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  public int exitCode() {
    return exitCode;
  }
}
