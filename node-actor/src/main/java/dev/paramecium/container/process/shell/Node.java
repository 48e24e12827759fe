package dev.paramecium.container.process.shell;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a script is made of (POSIX.1, Shell Command Language, 2.9). */
sealed interface Node {

  /** Commands one after another. */
  record Sequence(List<Item> items) implements Node {}

  /** One command of a sequence; {@code background} after an ampersand. */
  record Item(Node node, boolean background) {}

  /** {@code left && right} or {@code left || right}. */
  record AndOr(Node left, boolean and, Node right) implements Node {}

  /** {@code a | b | c}; {@code negated} by an exclamation mark. */
  record Pipeline(List<Node> stages, boolean negated) implements Node {}

  /** {@code NAME=value word … >file}. */
  record Simple(List<Assignment> assignments, List<Word> words, List<Redirect> redirects)
      implements Node {}

  /** A compound command with redirections. */
  record Redirected(Node body, List<Redirect> redirects) implements Node {}

  /** {@code ( … )}: changes of variables stay inside. */
  record Subshell(Node body) implements Node {}

  /** {@code for NAME in words; do body; done}. */
  record For(String name, List<Word> words, Node body) implements Node {}

  /** {@code while} or, inverted, {@code until}. */
  record While(Node condition, boolean until, Node body) implements Node {}

  /** {@code if}; without an else branch it is null. */
  record If(Node condition, Node then, @Nullable Node otherwise) implements Node {}

  /** {@code NAME=word}. */
  record Assignment(String name, Word value) {}

  /**
   * A redirection.
   *
   * @param descriptor 0, 1 or 2; 3 for both outputs
   * @param operator {@code <}, {@code >}, {@code >>}, {@code >&}
   */
  record Redirect(int descriptor, String operator, Word target) {}

  /** A word in parts, before expansion. */
  record Word(List<Part> parts) {}

  /** A piece of a word. */
  sealed interface Part {

    /** Text; quoted text is never split, and makes a field even if it is empty. */
    record Text(String text, boolean quoted) implements Part {}

    /**
     * {@code $NAME}, or {@code ${NAME:-otherwise}}.
     *
     * @param operator {@code :-}, {@code :=}, {@code :+}, {@code -}, {@code #} (length) or empty
     */
    record Variable(String name, String operator, String otherwise, boolean quoted)
        implements Part {}

    /** {@code $(…)} or backquotes. */
    record Command(Node body, boolean quoted) implements Part {}

    /** {@code $((…))}. */
    record Arithmetic(String expression, boolean quoted) implements Part {}
  }
}
