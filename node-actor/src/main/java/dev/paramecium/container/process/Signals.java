package dev.paramecium.container.process;

/** Signals by Linux's numbers (signal(7), x86). */
public final class Signals {

  public static final int SIGHUP = 1;
  public static final int SIGINT = 2;
  public static final int SIGQUIT = 3;
  public static final int SIGKILL = 9;
  public static final int SIGSEGV = 11;
  public static final int SIGPIPE = 13;
  public static final int SIGTERM = 15;
  public static final int SIGWINCH = 28;

  private Signals() {}

  /**
   * The exit code that a shell or a container runtime reports for a process that a signal ended.
   */
  public static int exitCode(int signal) {
    return 128 + signal;
  }
}
