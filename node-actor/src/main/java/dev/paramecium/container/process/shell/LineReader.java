package dev.paramecium.container.process.shell;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Takes one line from a pipe and leaves the rest. */
final class LineReader {

  private final @Nullable Pipe pipe;

  LineReader(@Nullable Pipe pipe) {
    this.pipe = pipe;
  }

  /** {@code action} gets the line without its newline, or null at the end of input. */
  void read(Consumer<@Nullable String> action) {
    Pipe from = pipe;
    if (from == null) {
      action.accept(null);
      return;
    }
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    from.setReader(
        new Pipe.Reader() {
          @Override
          public boolean take(byte[] bytes) {
            for (int i = 0; i < bytes.length; i++) {
              if (bytes[i] == '\n') {
                line.write(bytes, 0, i);
                from.unread(Arrays.copyOfRange(bytes, i + 1, bytes.length));
                from.setReader(null);
                action.accept(line.toString(StandardCharsets.UTF_8));
                return false;
              }
            }
            line.write(bytes, 0, bytes.length);
            return true;
          }

          @Override
          public void end() {
            action.accept(line.size() > 0 ? line.toString(StandardCharsets.UTF_8) : null);
          }
        });
  }
}
