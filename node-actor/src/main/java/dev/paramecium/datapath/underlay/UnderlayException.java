package dev.paramecium.datapath.underlay;

import org.jspecify.annotations.Nullable;

/** The underlay's sockets cannot be opened; the message says which, why and what to do. */
public final class UnderlayException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public UnderlayException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
