package dev.paramecium.container.process;

/** A program on the image's PATH. */
public interface Executable {

  /**
   * Starts; must not block. A program that is done at once calls {@link ProcessContext#exit} before
   * it returns.
   */
  Process start(ProcessContext context);
}
