package dev.paramecium.container.process.server;

import dev.paramecium.container.process.http.ServerStyle;

/** How the servers that programs are built on answer. */
public final class ServerStyles {

  private ServerStyles() {}

  /** Go's {@code net/http}. */
  public static ServerStyle go() {
    return new GoStyle();
  }
}
