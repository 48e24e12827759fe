package dev.paramecium.datapath.model;

import java.io.Serial;

/** A negative return value of the C source. */
final class Drop extends RuntimeException {

  @Serial private static final long serialVersionUID = 1;

  final int reason;

  Drop(int reason) {
    super("drop " + reason, null, false, false);
    this.reason = reason;
  }
}
