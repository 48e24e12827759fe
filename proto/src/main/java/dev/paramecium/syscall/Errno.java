package dev.paramecium.syscall;

/**
 * Why a system call failed, with Linux's numbers ({@code include/uapi/asm-generic/errno-base.h})
 * and {@code strerror} texts.
 */
public enum Errno {
  EPERM(1, "Operation not permitted"),
  ENOENT(2, "No such file or directory"),
  ESRCH(3, "No such process"),
  EIO(5, "Input/output error"),
  E2BIG(7, "Argument list too long"),
  ENOMEM(12, "Cannot allocate memory"),
  EBUSY(16, "Device or resource busy"),
  EEXIST(17, "File exists"),
  ENODEV(19, "No such device"),
  EINVAL(22, "Invalid argument"),
  ENOSPC(28, "No space left on device"),
  EADDRINUSE(98, "Address already in use"),
  ETIMEDOUT(110, "Connection timed out");

  private final int number;
  private final String text;

  Errno(int number, String text) {
    this.number = number;
    this.text = text;
  }

  public int number() {
    return number;
  }

  public String text() {
    return text;
  }
}
