package dev.paramecium.inspect.bpftool;

import java.util.List;

/** A command's words, taken one by one. */
final class Words {

  private final List<String> words;
  private int at;

  Words(List<String> words) {
    this.words = words;
  }

  boolean hasNext() {
    return at < words.size();
  }

  /** How many are left. */
  int count() {
    return words.size() - at;
  }

  String peek() {
    return hasNext() ? words.get(at) : "";
  }

  String next() {
    return words.get(at++);
  }

  /** Fails as bpftool's REQ_ARGS does. */
  void require(String command, int count) {
    if (count() < count) {
      throw Bpftool.error(
          "'" + command + "' needs at least " + count + " arguments, " + count() + " found");
    }
  }

  /** A decimal or 0x number of an id. */
  int id() {
    String text = next();
    try {
      return Integer.decode(text);
    } catch (NumberFormatException e) {
      throw Bpftool.error("can't parse " + text + " as ID");
    }
  }

  /** Takes the next word if it is a beginning of {@code full}. */
  boolean take(String full) {
    if (hasNext() && Bpftool.isPrefix(peek(), full)) {
      at++;
      return true;
    }
    return false;
  }
}
