package dev.paramecium.container.process.server;

import dev.paramecium.container.process.ProcessContext;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Go's {@code log.Printf}: date, time and message on stderr. */
record GoLog(ProcessContext context) {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu/MM/dd HH:mm:ss ", Locale.ROOT).withZone(ZoneOffset.UTC);

  void line(String message) {
    String time = TIME.format(Instant.ofEpochMilli(context.clock().epochMs()));
    context.printError(time + message + "\n");
  }
}
