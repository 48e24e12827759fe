package dev.paramecium.container.process.shell;

import dev.paramecium.container.process.shell.Node.Assignment;
import dev.paramecium.container.process.shell.Node.Item;
import dev.paramecium.container.process.shell.Node.Part;
import dev.paramecium.container.process.shell.Node.Redirect;
import dev.paramecium.container.process.shell.Node.Word;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads a script by recursive descent. */
final class ShellParser {

  /** The text is no script, or not yet a whole one. */
  static final class SyntaxException extends Exception {
    private static final long serialVersionUID = 1L;
    private final boolean incomplete;

    SyntaxException(String message, boolean incomplete) {
      super(message);
      this.incomplete = incomplete;
    }

    /** Whether more text could make it whole. */
    boolean isIncomplete() {
      return incomplete;
    }
  }

  private static final Set<String> CLOSERS =
      Set.of("do", "done", "then", "elif", "else", "fi", "}");
  private static final Pattern ASSIGNMENT = Pattern.compile("([A-Za-z_][A-Za-z0-9_]*)=");
  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*|[0-9?$#@*!]");
  private static final Pattern REDIRECT = Pattern.compile("([012]?)(>>|>&|>|<)|(&)(>>|>)");
  private static final int MAX_DEPTH = 100;

  private final String text;
  private int at;
  private int depth;

  private ShellParser(String text) {
    this.text = text;
  }

  static Node parse(String text) throws SyntaxException {
    ShellParser parser = new ShellParser(text);
    Node node = parser.sequence();
    if (parser.at < text.length()) {
      throw parser.unexpected();
    }
    return node;
  }

  private SyntaxException unexpected() {
    if (at >= text.length()) {
      return new SyntaxException("syntax error: unexpected end of file", true);
    }
    Matcher token = Pattern.compile("[^\\s;&|()]+|.", Pattern.DOTALL).matcher(text);
    token.region(at, text.length());
    String shown = token.lookingAt() ? token.group() : "";
    return new SyntaxException(
        "syntax error: unexpected " + (shown.equals("\n") ? "newline" : "\"" + shown + "\""),
        false);
  }

  // ---- blanks and keywords

  private void skipBlanks() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == ' ' || c == '\t' || c == '\r') {
        at++;
      } else if (c == '\\' && text.startsWith("\\\n", at)) {
        at += 2;
      } else if (c == '#') {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else {
        return;
      }
    }
  }

  private void skipNewlines() {
    skipBlanks();
    while (at < text.length() && text.charAt(at) == '\n') {
      at++;
      skipBlanks();
    }
  }

  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private boolean take(String token) {
    skipBlanks();
    if (text.startsWith(token, at)) {
      at += token.length();
      return true;
    }
    return false;
  }

  private String wordAhead() {
    skipBlanks();
    int end = at;
    while (end < text.length() && " \t\r\n;&|()<>".indexOf(text.charAt(end)) < 0) {
      end++;
    }
    return text.substring(at, end);
  }

  private boolean takeKeyword(String keyword) {
    if (wordAhead().equals(keyword)) {
      at += keyword.length();
      return true;
    }
    return false;
  }

  private void expectKeyword(String keyword) throws SyntaxException {
    skipNewlines();
    if (!takeKeyword(keyword)) {
      throw unexpected();
    }
  }

  // ---- commands

  private Node sequence() throws SyntaxException {
    if (++depth > MAX_DEPTH) {
      throw new SyntaxException("syntax error: nested too deeply", false);
    }
    List<Item> items = new ArrayList<>();
    skipNewlines();
    while (at < text.length() && peek() != ')' && !CLOSERS.contains(wordAhead())) {
      Node node = andOr();
      skipBlanks();
      boolean background = false;
      if (peek() == ';') {
        at++;
      } else if (peek() == '&') {
        background = true;
        at++;
      } else if (peek() != '\n' && at < text.length() && peek() != ')') {
        throw unexpected();
      }
      items.add(new Item(node, background));
      skipNewlines();
    }
    depth--;
    return new Node.Sequence(items);
  }

  private Node nonEmpty() throws SyntaxException {
    Node node = sequence();
    if (node instanceof Node.Sequence(var items) && items.isEmpty()) {
      throw unexpected();
    }
    return node;
  }

  private Node andOr() throws SyntaxException {
    Node left = pipeline();
    while (true) {
      boolean and = take("&&");
      if (!and && !take("||")) {
        return left;
      }
      skipNewlines();
      left = new Node.AndOr(left, and, pipeline());
    }
  }

  private Node pipeline() throws SyntaxException {
    boolean negated = takeKeyword("!");
    List<Node> stages = new ArrayList<>(List.of(command()));
    skipBlanks();
    while (peek() == '|' && !text.startsWith("||", at)) {
      at++;
      skipNewlines();
      stages.add(command());
      skipBlanks();
    }
    return stages.size() == 1 && !negated
        ? stages.getFirst()
        : new Node.Pipeline(List.copyOf(stages), negated);
  }

  private Node command() throws SyntaxException {
    skipBlanks();
    Node compound = compound();
    if (compound == null) {
      return simple();
    }
    List<Redirect> redirects = new ArrayList<>();
    Redirect redirect = redirect();
    while (redirect != null) {
      redirects.add(redirect);
      redirect = redirect();
    }
    return redirects.isEmpty() ? compound : new Node.Redirected(compound, redirects);
  }

  private @Nullable Node compound() throws SyntaxException {
    if (peek() == '(') {
      at++;
      Node body = nonEmpty();
      if (!take(")")) {
        throw unexpected();
      }
      return new Node.Subshell(body);
    }
    String keyword = wordAhead();
    return switch (keyword) {
      case "{" -> {
        at++;
        Node body = nonEmpty();
        expectKeyword("}");
        yield body;
      }
      case "if" -> {
        at += keyword.length();
        yield ifAfterKeyword();
      }
      case "while", "until" -> {
        at += keyword.length();
        Node condition = nonEmpty();
        yield new Node.While(condition, keyword.equals("until"), doGroup());
      }
      case "for" -> {
        at += keyword.length();
        yield forAfterKeyword();
      }
      default -> null;
    };
  }

  private Node doGroup() throws SyntaxException {
    expectKeyword("do");
    Node body = nonEmpty();
    expectKeyword("done");
    return body;
  }

  private Node ifAfterKeyword() throws SyntaxException {
    Node condition = nonEmpty();
    expectKeyword("then");
    Node then = nonEmpty();
    skipNewlines();
    if (takeKeyword("elif")) {
      return new Node.If(condition, then, ifAfterKeyword());
    }
    Node otherwise = takeKeyword("else") ? nonEmpty() : null;
    expectKeyword("fi");
    return new Node.If(condition, then, otherwise);
  }

  private Node forAfterKeyword() throws SyntaxException {
    String name = wordAhead();
    if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
      throw unexpected();
    }
    at += name.length();
    skipNewlines();
    List<Word> words = new ArrayList<>();
    if (takeKeyword("in")) {
      Word word = word();
      while (word != null) {
        words.add(word);
        word = word();
      }
    } else {
      words.add(new Word(List.of(new Part.Variable("@", "", "", true))));
    }
    skipBlanks();
    if (peek() == ';') {
      at++;
    }
    skipNewlines();
    return new Node.For(name, words, doGroup());
  }

  private Node simple() throws SyntaxException {
    List<Assignment> assignments = new ArrayList<>();
    List<Word> words = new ArrayList<>();
    List<Redirect> redirects = new ArrayList<>();
    while (true) {
      Redirect redirect = redirect();
      if (redirect != null) {
        redirects.add(redirect);
        continue;
      }
      if (words.isEmpty()) {
        skipBlanks();
        Matcher assignment = ASSIGNMENT.matcher(text).region(at, text.length());
        if (assignment.lookingAt()) {
          at = assignment.end();
          Word value = peek() == ' ' || peek() == ';' || peek() == '\n' ? null : word();
          assignments.add(
              new Assignment(assignment.group(1), value == null ? new Word(List.of()) : value));
          continue;
        }
      }
      Word word = word();
      if (word == null) {
        break;
      }
      words.add(word);
    }
    if (words.isEmpty() && assignments.isEmpty() && redirects.isEmpty()) {
      throw unexpected();
    }
    return new Node.Simple(assignments, words, redirects);
  }

  private @Nullable Redirect redirect() throws SyntaxException {
    skipBlanks();
    Matcher matcher = REDIRECT.matcher(text).region(at, text.length());
    if (!matcher.lookingAt()) {
      return null;
    }
    at = matcher.end();
    boolean both = matcher.group(3) != null;
    String operator = both ? matcher.group(4) : matcher.group(2);
    if (operator.equals("<") && (peek() == '<' || peek() == '(')) {
      throw new SyntaxException("syntax error: here-documents are not supported", false);
    }
    String digits = both ? "3" : matcher.group(1);
    int descriptor = digits.isEmpty() ? (operator.equals("<") ? 0 : 1) : Integer.parseInt(digits);
    Word target = word();
    if (target == null) {
      throw unexpected();
    }
    return new Redirect(descriptor, operator, target);
  }

  // ---- words

  private @Nullable Word word() throws SyntaxException {
    skipBlanks();
    List<Part> parts = new ArrayList<>();
    StringBuilder plain = new StringBuilder();
    int start = at;
    while (at < text.length() && " \t\r\n;&|()<>".indexOf(peek()) < 0) {
      char c = peek();
      switch (c) {
        case '\'' -> {
          flush(plain, parts);
          parts.add(new Part.Text(singleQuoted(), true));
        }
        case '"' -> {
          flush(plain, parts);
          at++;
          doubleQuoted(parts);
        }
        case '\\' -> {
          flush(plain, parts);
          escaped(parts);
        }
        case '$', '`' -> {
          Part part = dollar(false);
          if (part == null) {
            plain.append('$');
          } else {
            flush(plain, parts);
            parts.add(part);
          }
        }
        default -> {
          plain.append(c);
          at++;
        }
      }
    }
    flush(plain, parts);
    return at == start ? null : new Word(parts);
  }

  private String singleQuoted() throws SyntaxException {
    int end = text.indexOf('\'', at + 1);
    if (end < 0) {
      throw new SyntaxException("syntax error: unterminated quoted string", true);
    }
    String quoted = text.substring(at + 1, end);
    at = end + 1;
    return quoted;
  }

  private void escaped(List<Part> parts) throws SyntaxException {
    if (at + 1 >= text.length()) {
      throw new SyntaxException("syntax error: unexpected end of file", true);
    }
    if (text.charAt(at + 1) != '\n') {
      parts.add(new Part.Text(text.substring(at + 1, at + 2), true));
    }
    at += 2;
  }

  private static void flush(StringBuilder plain, List<Part> parts) {
    if (!plain.isEmpty()) {
      parts.add(new Part.Text(plain.toString(), false));
      plain.setLength(0);
    }
  }

  private void doubleQuoted(List<Part> parts) throws SyntaxException {
    StringBuilder quoted = new StringBuilder();
    boolean any = false;
    while (peek() != '"' || at >= text.length()) {
      if (at >= text.length()) {
        throw new SyntaxException("syntax error: unterminated quoted string", true);
      }
      char c = peek();
      if (c == '\\' && at + 1 < text.length() && "\"\\$`\n".indexOf(text.charAt(at + 1)) >= 0) {
        if (text.charAt(at + 1) != '\n') {
          quoted.append(text.charAt(at + 1));
        }
        at += 2;
      } else if (c == '$' || c == '`') {
        Part part = dollar(true);
        if (part == null) {
          quoted.append('$');
        } else {
          if (!quoted.isEmpty()) {
            parts.add(new Part.Text(quoted.toString(), true));
            quoted.setLength(0);
          }
          parts.add(part);
          any = true;
        }
      } else {
        quoted.append(c);
        at++;
      }
    }
    at++;
    if (!quoted.isEmpty() || !any) {
      parts.add(new Part.Text(quoted.toString(), true));
    }
  }

  /** What follows a dollar sign or backquote; null if the dollar stands for itself. */
  private @Nullable Part dollar(boolean quoted) throws SyntaxException {
    if (peek() == '`') {
      int end = text.indexOf('`', at + 1);
      if (end < 0) {
        throw new SyntaxException("syntax error: EOF in backquote substitution", true);
      }
      Node body = parse(text.substring(at + 1, end));
      at = end + 1;
      return new Part.Command(body, quoted);
    }
    at++;
    if (text.startsWith("((", at)) {
      int end = text.indexOf("))", at);
      if (end < 0) {
        throw new SyntaxException("syntax error: missing '))'", true);
      }
      String expression = text.substring(at + 2, end);
      at = end + 2;
      return new Part.Arithmetic(expression, quoted);
    }
    if (peek() == '(') {
      at++;
      Node body = sequence();
      if (!take(")")) {
        throw unexpected();
      }
      return new Part.Command(body, quoted);
    }
    if (peek() == '{') {
      int end = text.indexOf('}', at);
      if (end < 0) {
        throw new SyntaxException("syntax error: missing '}'", true);
      }
      String inside = text.substring(at + 1, end);
      at = end + 1;
      return braced(inside, quoted);
    }
    Matcher name = NAME.matcher(text).region(at, text.length());
    if (!name.lookingAt()) {
      return null;
    }
    at = name.end();
    return new Part.Variable(name.group(), "", "", quoted);
  }

  private static Part braced(String inside, boolean quoted) throws SyntaxException {
    if (inside.length() > 1 && inside.startsWith("#")) {
      return new Part.Variable(inside.substring(1), "#", "", quoted);
    }
    Matcher name = NAME.matcher(inside);
    if (name.lookingAt()) {
      String rest = inside.substring(name.end());
      for (String operator : List.of(":-", ":=", ":+", "-")) {
        if (rest.startsWith(operator)) {
          return new Part.Variable(
              name.group(), operator, rest.substring(operator.length()), quoted);
        }
      }
      if (rest.isEmpty()) {
        return new Part.Variable(name.group(), "", "", quoted);
      }
    }
    throw new SyntaxException("syntax error: bad substitution", false);
  }
}
