package dev.paramecium.log;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.pekko.actor.typed.ActorRef;

/** Writes lines of one part of a component ({@code subsys}) in logrus' text format. */
public final class LogWriter {

  /** What logrus writes without quotes, nothing at all among it. */
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._/@^+-]*");

  private final ActorRef<LogBook.Command> book;
  private final String subsystem;

  public LogWriter(ActorRef<LogBook.Command> book, String subsystem) {
    this.book = book;
    this.subsystem = subsystem;
  }

  /**
   * Writes a line.
   *
   * @param fields names and values, alternating
   */
  public void info(String message, String... fields) {
    write("info", message, fields);
  }

  /** As {@link #info}. */
  public void warning(String message, String... fields) {
    write("warning", message, fields);
  }

  /** As {@link #info}. */
  public void error(String message, String... fields) {
    write("error", message, fields);
  }

  /** As logrus does: level and message first, then the fields by their names. */
  private void write(String level, String message, String... fields) {
    Map<String, String> sorted = new TreeMap<>();
    for (int i = 0; i < fields.length; i += 2) {
      sorted.put(fields[i], fields[i + 1]);
    }
    sorted.put("subsys", subsystem);
    StringBuilder line = new StringBuilder("level=" + level + " msg=" + quoted(message));
    sorted.forEach(
        (name, value) -> line.append(' ').append(name).append('=').append(quoted(value)));
    book.tell(new LogBook.Append(line.toString()));
  }

  private static String quoted(String value) {
    return PLAIN.matcher(value).matches()
        ? value
        : '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }
}
