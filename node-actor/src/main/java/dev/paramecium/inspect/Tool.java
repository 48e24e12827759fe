package dev.paramecium.inspect;

import dev.paramecium.container.process.Executable;
import dev.paramecium.container.process.ProcessContext;
import java.util.List;

/** A command that looks, prints and is done. */
@FunctionalInterface
public interface Tool {

  /**
   * Answers the exit code.
   *
   * @param arguments what follows the program's name
   * @throws ToolError for what ends the command with a message
   */
  int run(List<String> arguments, ProcessContext process, ToolOutput output);

  /** The tool as a program of a namespace's PATH. */
  static Executable executable(Tool tool) {
    return process -> ToolProcess.start(tool, process);
  }
}
