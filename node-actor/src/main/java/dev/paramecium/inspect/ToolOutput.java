package dev.paramecium.inspect;

import java.util.ArrayList;
import java.util.List;

/** What a {@link Tool} prints, in order, kept until its reader takes it. */
public final class ToolOutput {

  private record Text(boolean error, StringBuilder content) {}

  private final List<Text> texts = new ArrayList<>();

  public ToolOutput print(CharSequence text) {
    append(false, text);
    return this;
  }

  public ToolOutput line(CharSequence text) {
    return print(text).print("\n");
  }

  /** To stderr. */
  public ToolOutput error(CharSequence text) {
    append(true, text);
    return this;
  }

  private void append(boolean error, CharSequence text) {
    if (texts.isEmpty() || texts.getLast().error != error) {
      texts.add(new Text(error, new StringBuilder()));
    }
    texts.getLast().content.append(text);
  }

  /** How many runs of stdout or stderr there are. */
  int runs() {
    return texts.size();
  }

  boolean isError(int run) {
    return texts.get(run).error;
  }

  String content(int run) {
    return texts.get(run).content.toString();
  }
}
