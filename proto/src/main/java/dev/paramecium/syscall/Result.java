package dev.paramecium.syscall;

/**
 * The answer to a system call.
 *
 * @param <T> what a successful call returns
 */
public sealed interface Result<T> {

  /** The call did what it was asked to. */
  record Ok<T>(T value) implements Result<T> {}

  /**
   * The call changed nothing.
   *
   * @param errno the class of the failure
   * @param message names the value, the rule and what to do about it
   */
  record Failed<T>(Errno errno, String message) implements Result<T> {}

  static <T> Result<T> ok(T value) {
    return new Ok<>(value);
  }

  static <T> Result<T> failed(Errno errno, String message) {
    return new Failed<>(errno, message);
  }
}
