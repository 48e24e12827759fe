package dev.paramecium.container.process.shell;

import dev.paramecium.container.process.ProcessContext.Output;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A command's three streams.
 *
 * @param in null for an empty input
 * @param out null for the shell's own stdout
 * @param err null for the shell's own stderr
 */
record Io(@Nullable Pipe in, @Nullable Output out, @Nullable Output err) {

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
