package dev.paramecium.container.process;

import java.util.function.ToIntFunction;

/** A program on the image's PATH. */
@FunctionalInterface
public interface Executable {

  /**
   * Starts; must not block. A program that is done at once calls {@link ProcessContext#exit} before
   * it returns.
   */
  Process start(ProcessContext context);

  /** A program that does all it does at once: {@code body} answers the exit code. */
  static Executable immediate(ToIntFunction<ProcessContext> body) {
    return context -> {
      context.exit(body.applyAsInt(context));
      return _ -> {};
    };
  }
}
