package dev.paramecium.deploy.command;

import dev.paramecium.deploy.UserError;
import picocli.CommandLine.Option;

/** {@code -o json}, for commands that print for people otherwise. */
final class JsonOption {

  @Option(
      names = {"-o", "--output"},
      defaultValue = "",
      paramLabel = "json")
  private String output = "";

  /**
   * Whether JSON is wanted.
   *
   * @throws UserError for any other format
   */
  boolean wanted() {
    if (!output.isEmpty() && !output.equals("json")) {
      throw new UserError(
          UserError.USAGE, "output format \"" + output + "\" is not known: use json.");
    }
    return output.equals("json");
  }
}
