package dev.paramecium.conformance;

/** A vector file that cannot be replayed; the message names file, field and rule. */
public final class MalformedVectorException extends Exception {

  private static final long serialVersionUID = 1L;

  MalformedVectorException(String message) {
    super(message);
  }
}
